//! GET /N: N bytes. POST: swallowed. One socket, all connections in one loop.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use quiche::h3::{Event, Header as Field, NameValue};
use quiche::{ConnectionId, Header, Type};

use crate::connection::Connection;
use crate::settings::{self, CONNECTION_ID_LENGTH};
use crate::socket::{Socket, Train};

const DATA: &[u8] = &[b'q'; 256 * 1024];

#[derive(Default)]
struct Answers {
    /// Bytes that are left of a body.
    left: HashMap<u64, u64>,
    /// Requests whose body is swallowed.
    posts: HashSet<u64>,
    /// Heads that found no room.
    heads: Vec<(u64, u64)>,
}

struct Client {
    connection: Connection,
    answers: Answers,
    touched: bool,
}

struct Server {
    config: quiche::Config,
    socket: Socket,
    clients: HashMap<u64, Client>,
    next: u64,
    routes: HashMap<Vec<u8>, u64>,
    touched: Vec<u64>,
    swallowed: Vec<u8>,
}

pub fn run(address: &str, certificate: &str, key: &str) -> Result<(), String> {
    let mut config = settings::config().map_err(|e| e.to_string())?;
    config.load_cert_chain_from_pem_file(certificate).map_err(|e| format!("{certificate}: {e}"))?;
    config.load_priv_key_from_pem_file(key).map_err(|e| format!("{key}: {e}"))?;
    let socket = Socket::bind(address.parse().map_err(|_| format!("{address}: no address"))?)?;
    let mut server = Server {
        config,
        socket,
        clients: HashMap::new(),
        next: 0,
        routes: HashMap::new(),
        touched: Vec::new(),
        swallowed: vec![0; 256 * 1024],
    };
    println!("listening on https://{address}/");
    let mut buffer = vec![0; 65536];
    let mut next_timer = Instant::now();
    loop {
        let mut received = 0;
        while let Some(train) = server.socket.receive(&mut buffer) {
            server.receive(&mut buffer[..train.size], &train)?;
            received += 1;
            if received == 64 {
                break;
            }
        }
        if Instant::now() >= next_timer {
            next_timer = server.handle_timeouts();
        }
        let (full, earliest) = server.advance()?;
        next_timer = earliest.map_or(next_timer, |at| at.min(next_timer));
        server.socket.wait(next_timer, full);
    }
}

impl Server {
    fn receive(&mut self, train: &mut [u8], of: &Train) -> Result<(), String> {
        let mut last: Option<(Vec<u8>, u64)> = None;
        for datagram in train.chunks_mut(of.segment) {
            let short = datagram[0] & 0x80 == 0;
            let id = |datagram: &[u8]| datagram.get(1..1 + CONNECTION_ID_LENGTH).map(<[u8]>::to_vec);
            let number = match &last {
                Some((known, number)) if short && datagram[1..].starts_with(known) => Some(*number),
                _ => self.route(datagram, of)?,
            };
            let Some(number) = number else { continue };
            if last.is_none() && short {
                last = id(datagram).map(|id| (id, number));
            }
            if let Some(client) = self.clients.get_mut(&number) {
                client.connection.receive(datagram, of.from, self.socket.local);
                if !std::mem::replace(&mut client.touched, true) {
                    self.touched.push(number);
                }
            }
        }
        Ok(())
    }

    fn route(&mut self, datagram: &mut [u8], of: &Train) -> Result<Option<u64>, String> {
        let size = datagram.len();
        let Ok(header) = Header::from_slice(datagram, CONNECTION_ID_LENGTH) else { return Ok(None) };
        if let Some(number) = self.routes.get(header.dcid.as_ref()) {
            return Ok(Some(*number));
        }
        if size < 1200 {
            return Ok(None);
        }
        if !quiche::version_is_supported(header.version) {
            let mut reply = [0; 1500];
            if let Ok(size) = quiche::negotiate_version(&header.scid, &header.dcid, &mut reply) {
                self.socket.send(&reply[..size], size, of.from)?;
            }
            return Ok(None);
        }
        if header.ty != Type::Initial {
            return Ok(None);
        }
        let id: [u8; CONNECTION_ID_LENGTH] = settings::random()?;
        let source = ConnectionId::from_ref(&id);
        let quic = quiche::accept(&source, None, self.socket.local, of.from, &mut self.config)
            .map_err(|e| e.to_string())?;
        let number = self.next;
        self.next += 1;
        let client = Client { connection: Connection::new(quic), answers: Answers::default(), touched: false };
        self.clients.insert(number, client);
        self.routes.insert(id.to_vec(), number);
        self.routes.insert(header.dcid.to_vec(), number);
        Ok(Some(number))
    }

    /// When to look again.
    fn handle_timeouts(&mut self) -> Instant {
        let now = Instant::now();
        let mut next = now + Duration::from_secs(1);
        for (number, client) in &mut self.clients {
            if client.connection.handle_timeout(now) && !std::mem::replace(&mut client.touched, true) {
                self.touched.push(*number);
            }
            next = client.connection.quic.timeout_instant().map_or(next, |at| at.min(next));
        }
        let clients = &mut self.clients;
        let before = clients.len();
        clients.retain(|_, client| !client.connection.quic.is_closed());
        if clients.len() != before {
            self.routes.retain(|_, number| clients.contains_key(number));
        }
        next
    }

    /// Whether the socket is full, and the earliest timer of connections that were touched.
    fn advance(&mut self) -> Result<(bool, Option<Instant>), String> {
        let mut full = false;
        let mut earliest = None;
        for number in std::mem::take(&mut self.touched) {
            let Some(client) = self.clients.get_mut(&number) else { continue };
            client.touched = false;
            if client.connection.session()? {
                client.answers.advance(&mut client.connection, &mut self.swallowed)?;
            }
            while {
                if !client.connection.send(&self.socket)? {
                    full = true;
                }
                // What was sent made room for more.
                !full && client.answers.continue_bodies(&mut client.connection)?
            } {}
            if full {
                client.touched = true;
                self.touched.push(number);
            }
            if let Some(at) = client.connection.quic.timeout_instant() {
                earliest = Some(earliest.map_or(at, |before: Instant| before.min(at)));
            }
        }
        Ok((full, earliest))
    }
}

impl Answers {
    fn advance(&mut self, connection: &mut Connection, swallowed: &mut [u8]) -> Result<(), String> {
        let Some(h3) = connection.h3.as_mut() else { return Ok(()) };
        let mut heads = std::mem::take(&mut self.heads);
        while let Ok((stream, event)) = h3.poll(&mut connection.quic) {
            match event {
                Event::Headers { list, .. } => {
                    let field = |name: &[u8]| list.iter().find(|field| field.name() == name).map(|field| field.value());
                    if field(b":method") == Some(b"POST") {
                        self.posts.insert(stream);
                    } else {
                        let path = field(b":path").and_then(|path| std::str::from_utf8(path.get(1..)?).ok());
                        heads.push((stream, path.and_then(|path| path.parse().ok()).unwrap_or(0)));
                    }
                }
                Event::Data => while h3.recv_body(&mut connection.quic, stream, swallowed).is_ok() {},
                Event::Finished if self.posts.remove(&stream) => heads.push((stream, 0)),
                Event::Reset(_) => {
                    self.left.remove(&stream);
                    self.posts.remove(&stream);
                }
                _ => {}
            }
        }
        for (stream, size) in heads {
            let fields = [
                Field::new(b":status", b"200"),
                Field::new(b"content-length", size.to_string().as_bytes()),
            ];
            match h3.send_response(&mut connection.quic, stream, &fields, size == 0) {
                Ok(()) if size > 0 => {
                    self.left.insert(stream, size);
                }
                Ok(()) => {}
                Err(quiche::h3::Error::StreamBlocked) => self.heads.push((stream, size)),
                Err(_) => {}
            }
        }
        self.continue_bodies(connection).map(|_| ())
    }

    /// Whether anything was written.
    fn continue_bodies(&mut self, connection: &mut Connection) -> Result<bool, String> {
        let Some(h3) = connection.h3.as_mut() else { return Ok(false) };
        let mut any = false;
        self.left.retain(|stream, left| loop {
            let size = (*left).min(DATA.len() as u64) as usize;
            match h3.send_body(&mut connection.quic, *stream, &DATA[..size], size as u64 == *left) {
                Ok(written) => {
                    any = true;
                    *left -= written as u64;
                    if *left == 0 {
                        return false;
                    }
                    if written < size {
                        return true;
                    }
                }
                Err(quiche::h3::Error::Done) => return true,
                Err(_) => return false,
            }
        });
        Ok(any)
    }
}
