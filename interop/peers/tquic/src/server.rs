//! The server: one socket, all connections in one loop.

use std::collections::HashMap;
use std::net::Ipv6Addr;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use endpoint_contract::{file_for, requested_path, Contract, SERVER_PORT};
use tquic::{Connection, Endpoint, Shutdown, TransportHandler};

use crate::settings::{self, Sender};
use crate::socket::Socket;

const LONGEST_REQUEST: usize = 8192;
const REFUSED: u64 = 1;

static STOP: AtomicBool = AtomicBool::new(false);

extern "C" fn stop(_signal: libc::c_int) {
    STOP.store(true, Ordering::Relaxed);
}

enum Stage {
    Request(Vec<u8>),
    /// What is still to be written.
    Body(Bytes),
}

/// Streams by connection and stream ID.
#[derive(Default)]
struct Handler {
    streams: HashMap<(u64, u64), Stage>,
}

pub fn run(contract: &Contract) -> Result<(), String> {
    // SAFETY: the handler only stores to an atomic.
    unsafe { libc::signal(libc::SIGTERM, stop as *const () as libc::sighandler_t) };
    // An IPv6 socket bound to the unspecified address takes IPv4 as well.
    let socket = Rc::new(Socket::bind((Ipv6Addr::UNSPECIFIED, SERVER_PORT).into())?);
    let mut endpoint = Endpoint::new(
        Box::new(settings::config(contract)?),
        true,
        Box::new(Handler::default()),
        Rc::new(Sender(socket.clone())),
    );
    while !STOP.load(Ordering::Relaxed) {
        settings::step(&mut endpoint, &socket);
    }
    endpoint.close(true);
    let _ = endpoint.process_connections();
    Ok(())
}

impl Handler {
    fn write(&mut self, connection: &mut Connection, stream: u64) {
        let key = (connection.index().unwrap_or(0), stream);
        let Some(Stage::Body(rest)) = self.streams.get_mut(&key) else { return };
        while !rest.is_empty() {
            match connection.stream_write(stream, rest.clone(), true) {
                Ok(0) | Err(tquic::Error::Done) => break,
                Ok(written) => drop(rest.split_to(written)),
                Err(_) => *rest = Bytes::new(),
            }
        }
        let unfinished = !rest.is_empty();
        let _ = connection.stream_want_write(stream, unfinished);
        if !unfinished {
            self.streams.remove(&key);
        }
    }
}

impl TransportHandler for Handler {
    fn on_conn_created(&mut self, connection: &mut Connection) {
        settings::log_keys(connection);
    }

    fn on_conn_established(&mut self, _connection: &mut Connection) {}

    fn on_conn_closed(&mut self, connection: &mut Connection) {
        let index = connection.index().unwrap_or(0);
        self.streams.retain(|key, _| key.0 != index);
    }

    fn on_stream_created(&mut self, _connection: &mut Connection, _stream: u64) {}

    fn on_stream_readable(&mut self, connection: &mut Connection, stream: u64) {
        let key = (connection.index().unwrap_or(0), stream);
        let mut buffer = [0; 4096];
        while let Ok((length, end)) = connection.stream_read(stream, &mut buffer) {
            let stage = self.streams.entry(key).or_insert_with(|| Stage::Request(Vec::new()));
            let Stage::Request(request) = stage else { return };
            request.extend_from_slice(&buffer[..length]);
            let too_long = request.len() > LONGEST_REQUEST;
            if !end && !too_long {
                continue;
            }
            match requested_path(request).and_then(|path| file_for(&path)) {
                Some(content) if !too_long => {
                    *stage = Stage::Body(Bytes::from(content));
                    self.write(connection, stream);
                }
                _ => {
                    let _ = connection.stream_shutdown(stream, Shutdown::Write, REFUSED);
                    self.streams.remove(&key);
                }
            }
            return;
        }
    }

    fn on_stream_writable(&mut self, connection: &mut Connection, stream: u64) {
        let key = (connection.index().unwrap_or(0), stream);
        if self.streams.contains_key(&key) {
            self.write(connection, stream);
        } else {
            let _ = connection.stream_want_write(stream, false);
        }
    }

    fn on_stream_closed(&mut self, connection: &mut Connection, stream: u64) {
        self.streams.remove(&(connection.index().unwrap_or(0), stream));
    }

    fn on_new_token(&mut self, _connection: &mut Connection, _token: Vec<u8>) {}
}
