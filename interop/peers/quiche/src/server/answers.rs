//! The requests of one connection and how far each answer has got, over HTTP/0.9 or HTTP/3.

use std::collections::HashMap;

use endpoint_contract::{file_for, requested_path};
use quiche::h3::{self, NameValue};

const LONGEST_REQUEST: usize = 8192;
const REFUSED: u64 = 1;

struct Body {
    content: Vec<u8>,
    sent: usize,
}

enum Stage {
    Request(Vec<u8>),
    /// HTTP/3 only: the header section did not fit yet.
    Head(Body),
    Body(Body),
}

pub struct Answers {
    wants_http3: bool,
    http3: Option<h3::Connection>,
    streams: HashMap<u64, Stage>,
}

impl Answers {
    pub fn new(wants_http3: bool) -> Answers {
        Answers { wants_http3, http3: None, streams: HashMap::new() }
    }

    pub fn advance(&mut self, quic: &mut quiche::Connection) -> Result<(), String> {
        if self.wants_http3 {
            self.read_h3(quic)?;
        } else {
            self.read_hq(quic);
        }
        self.write(quic)
    }

    fn read_hq(&mut self, quic: &mut quiche::Connection) {
        let mut buffer = [0; 4096];
        for stream in quic.readable() {
            while let Ok((length, end)) = quic.stream_recv(stream, &mut buffer) {
                let stage = self.streams.entry(stream).or_insert(Stage::Request(Vec::new()));
                let Stage::Request(request) = stage else { break };
                request.extend_from_slice(&buffer[..length]);
                let too_long = request.len() > LONGEST_REQUEST;
                if !end && !too_long {
                    continue;
                }
                match requested_path(request).and_then(|path| file_for(&path)) {
                    Some(content) if !too_long => *stage = Stage::Body(Body { content, sent: 0 }),
                    _ => {
                        let _ = quic.stream_shutdown(stream, quiche::Shutdown::Write, REFUSED);
                        self.streams.remove(&stream);
                    }
                }
                break;
            }
        }
    }

    fn read_h3(&mut self, quic: &mut quiche::Connection) -> Result<(), String> {
        if self.http3.is_none() {
            let config = h3::Config::new().map_err(|e| e.to_string())?;
            let http3 =
                h3::Connection::with_transport(quic, &config).map_err(|e| e.to_string())?;
            self.http3 = Some(http3);
        }
        let Some(http3) = &mut self.http3 else { return Ok(()) };
        loop {
            match http3.poll(quic) {
                Ok((stream, h3::Event::Headers { list, .. })) => {
                    let path = list.iter().find(|field| field.name() == b":path");
                    let path = path.and_then(|field| std::str::from_utf8(field.value()).ok());
                    match path.and_then(file_for) {
                        Some(content) => {
                            self.streams.insert(stream, Stage::Head(Body { content, sent: 0 }));
                        }
                        None => {
                            let head = [h3::Header::new(b":status", b"404")];
                            let _ = http3.send_response(quic, stream, &head, true);
                        }
                    }
                }
                Ok(_) => {}
                Err(h3::Error::Done) => return Ok(()),
                Err(e) => return Err(e.to_string()),
            }
        }
    }

    fn write(&mut self, quic: &mut quiche::Connection) -> Result<(), String> {
        let http3 = &mut self.http3;
        let mut failed = None;
        self.streams.retain(|stream, stage| {
            if let (Stage::Head(body), Some(http3)) = (&mut *stage, http3.as_mut()) {
                let head = [h3::Header::new(b":status", b"200")];
                match http3.send_response(quic, *stream, &head, false) {
                    Ok(()) => {
                        let content = std::mem::take(&mut body.content);
                        *stage = Stage::Body(Body { content, sent: 0 });
                    }
                    Err(h3::Error::StreamBlocked | h3::Error::Done) => return true,
                    Err(e) => failed = Some(e.to_string()),
                }
            }
            let Stage::Body(body) = stage else { return true };
            let rest = &body.content[body.sent..];
            let sent = match http3.as_mut() {
                Some(http3) => http3.send_body(quic, *stream, rest, true).ok(),
                None => quic.stream_send(*stream, rest, true).ok(),
            };
            body.sent += sent.unwrap_or(0);
            // The client may have stopped reading: then nothing will ever be sent again.
            let gone = sent.is_none() && quic.stream_closed(*stream);
            !(gone || sent.is_some() && body.sent == body.content.len())
        });
        failed.map_or(Ok(()), Err)
    }
}
