//! So many requests at a time on one connection, and how long they took.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use quiche::h3::{Event, Header as Field, NameValue};
use quiche::ConnectionId;

use crate::connection::Connection;
use crate::settings::{self, CONNECTION_ID_LENGTH};
use crate::socket::Socket;

const DATA: &[u8] = &[b'q'; 256 * 1024];

pub struct Load {
    upload: bool,
    streams: u64,
    requests: u64,
    size: u64,
}

impl Load {
    pub fn parse(direction: &str, streams: &str, requests: &str, size: &str) -> Option<Load> {
        let number = |text: &str| text.parse::<u64>().ok();
        Some(Load {
            upload: match direction {
                "up" => true,
                "down" => false,
                _ => return None,
            },
            streams: number(streams)?,
            requests: number(requests)?,
            size: number(size)?,
        })
    }
}

struct Run {
    load: Load,
    fields: Vec<Field>,
    begun: u64,
    done: u64,
    bytes: u64,
    /// Requests that are open, and the bytes that are left of what they send.
    open: HashMap<u64, u64>,
    buffer: Vec<u8>,
}

pub fn run(address: &str, load: Load) -> Result<(), String> {
    let server: SocketAddr = address.parse().map_err(|_| format!("{address}: no address"))?;
    let mut config = settings::config().map_err(|e| e.to_string())?;
    // The address that this side has on the way there: quiche wants to know its paths.
    let probe = std::net::UdpSocket::bind("0.0.0.0:0").map_err(|e| e.to_string())?;
    probe.connect(server).map_err(|e| e.to_string())?;
    let local = probe.local_addr().map_err(|e| e.to_string())?.ip();
    let socket = Socket::bind((local, 0).into())?;
    let id: [u8; CONNECTION_ID_LENGTH] = settings::random()?;
    let quic = quiche::connect(Some("localhost"), &ConnectionId::from_ref(&id), socket.local, server, &mut config)
        .map_err(|e| e.to_string())?;
    let mut connection = Connection::new(quic);

    let method: &[u8] = if load.upload { b"POST" } else { b"GET" };
    let path = if load.upload { "/".to_string() } else { format!("/{}", load.size) };
    let mut fields = vec![
        Field::new(b":method", method),
        Field::new(b":scheme", b"https"),
        Field::new(b":authority", address.as_bytes()),
        Field::new(b":path", path.as_bytes()),
    ];
    if load.upload {
        fields.push(Field::new(b"content-length", load.size.to_string().as_bytes()));
    }
    let mut run =
        Run { load, fields, begun: 0, done: 0, bytes: 0, open: HashMap::new(), buffer: vec![0; 256 * 1024] };
    let mut buffer = vec![0; 65536];
    let mut begin = None;
    while run.done < run.load.requests {
        let mut received = 0;
        while let Some(train) = socket.receive(&mut buffer) {
            for datagram in buffer[..train.size].chunks_mut(train.segment) {
                connection.receive(datagram, train.from, socket.local);
            }
            received += 1;
            if received == 64 {
                break;
            }
        }
        connection.handle_timeout(Instant::now());
        if connection.session()? {
            begin.get_or_insert_with(|| (Instant::now(), cpu_seconds()));
            run.take(&mut connection)?;
        }
        let mut full = false;
        while {
            full = full || !connection.send(&socket)?;
            !full && run.send_bodies(&mut connection)
        } {}
        if connection.quic.is_closed() {
            return Err("the connection ended".to_string());
        }
        let far = Instant::now() + Duration::from_secs(1);
        if run.done < run.load.requests {
            socket.wait(connection.quic.timeout_instant().map_or(far, |at| at.min(far)), full);
        }
    }
    let (begin, cpu) = begin.ok_or("nothing was asked for")?;
    println!(
        "{{\"seconds\": {}, \"requests\": {}, \"bytes\": {}, \"client_cpu_seconds\": {}}}",
        begin.elapsed().as_secs_f64(),
        run.done,
        run.bytes,
        cpu_seconds() - cpu
    );
    let _ = connection.quic.close(true, 0x100, b"");
    connection.send(&socket).map(|_| ())
}

impl Run {
    fn take(&mut self, connection: &mut Connection) -> Result<(), String> {
        let Some(h3) = connection.h3.as_mut() else { return Ok(()) };
        while let Ok((stream, event)) = h3.poll(&mut connection.quic) {
            match event {
                Event::Headers { list, .. } => {
                    let status = list.iter().find(|field| field.name() == b":status");
                    if status.map(|field| field.value()) != Some(b"200") {
                        return Err("a status other than 200".to_string());
                    }
                }
                Event::Data => {
                    while let Ok(size) = h3.recv_body(&mut connection.quic, stream, &mut self.buffer) {
                        self.bytes += size as u64;
                    }
                }
                Event::Finished => {
                    self.open.remove(&stream);
                    self.done += 1;
                }
                Event::Reset(code) => return Err(format!("reset with {code}")),
                _ => {}
            }
        }
        while self.begun < self.load.requests && (self.open.len() as u64) < self.load.streams {
            match h3.send_request(&mut connection.quic, &self.fields, !self.load.upload) {
                Ok(stream) => self.open.insert(stream, if self.load.upload { self.load.size } else { 0 }),
                Err(quiche::h3::Error::StreamBlocked | quiche::h3::Error::TransportError(quiche::Error::StreamLimit)) => break,
                Err(e) => return Err(format!("request: {e}")),
            };
            self.begun += 1;
        }
        self.send_bodies(connection);
        Ok(())
    }

    /// Whether anything was written.
    fn send_bodies(&mut self, connection: &mut Connection) -> bool {
        let Some(h3) = connection.h3.as_mut() else { return false };
        let mut any = false;
        for (stream, left) in self.open.iter_mut().filter(|(_, left)| **left > 0) {
            while *left > 0 {
                let size = (*left).min(DATA.len() as u64) as usize;
                match h3.send_body(&mut connection.quic, *stream, &DATA[..size], size as u64 == *left) {
                    Ok(written) => {
                        any = true;
                        *left -= written as u64;
                        self.bytes += written as u64;
                        if written < size {
                            break;
                        }
                    }
                    Err(_) => break,
                }
            }
        }
        any
    }
}

fn cpu_seconds() -> f64 {
    // SAFETY: an all-zero rusage is valid, and the call fills it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}
