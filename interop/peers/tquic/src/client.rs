//! The client: connections in the order the test case asks for, all requests of one at once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use endpoint_contract::{Contract, Request};
use tquic::{Connection, Endpoint, TransportHandler};

use crate::settings::{self, Sender};
use crate::socket::Socket;

/// How long a ticket may take after the last byte of the first connection.
const TICKET_WAIT: Duration = Duration::from_secs(3);

pub fn run(contract: &Contract) -> Result<(), String> {
    let mut ticket = None;
    for (number, requests) in contract.connections().iter().enumerate() {
        if !requests.is_empty() {
            ticket = one_connection(contract, requests, number, ticket.as_deref())?;
        }
    }
    Ok(())
}

#[derive(Default)]
struct Progress {
    pending: Vec<Request>,
    open: HashMap<u64, (Request, Vec<u8>)>,
    /// The request that was cut short, and what is left of it.
    unsent: Option<(u64, Bytes)>,
    established: bool,
    closed: bool,
    failure: Option<String>,
}

struct Handler(Rc<RefCell<Progress>>);

impl TransportHandler for Handler {
    fn on_conn_created(&mut self, connection: &mut Connection) {
        settings::log_keys(connection);
    }

    fn on_conn_established(&mut self, _connection: &mut Connection) {
        self.0.borrow_mut().established = true;
    }

    fn on_conn_closed(&mut self, _connection: &mut Connection) {
        self.0.borrow_mut().closed = true;
    }

    fn on_stream_created(&mut self, _connection: &mut Connection, _stream: u64) {}

    fn on_stream_readable(&mut self, connection: &mut Connection, stream: u64) {
        let mut progress = self.0.borrow_mut();
        let mut buffer = [0; 65535];
        loop {
            match connection.stream_read(stream, &mut buffer) {
                Ok((length, end)) => {
                    if let Some((_, content)) = progress.open.get_mut(&stream) {
                        content.extend_from_slice(&buffer[..length]);
                    }
                    if end {
                        let done = progress.open.remove(&stream);
                        if let Some(Err(reason)) = done.map(|(request, c)| request.save(&c)) {
                            progress.failure = Some(reason);
                        }
                        return;
                    }
                }
                Err(tquic::Error::Done) => return,
                Err(e) => {
                    progress.failure = Some(format!("stream {stream}: {e}"));
                    return;
                }
            }
        }
    }

    fn on_stream_writable(&mut self, connection: &mut Connection, stream: u64) {
        // A request is written whole when its stream is made.
        let _ = connection.stream_want_write(stream, false);
    }

    fn on_stream_closed(&mut self, _connection: &mut Connection, _stream: u64) {}

    fn on_new_token(&mut self, _connection: &mut Connection, _token: Vec<u8>) {}
}

fn one_connection(
    contract: &Contract,
    requests: &[Request],
    number: usize,
    ticket: Option<&[u8]>,
) -> Result<Option<Vec<u8>>, String> {
    let server = requests[0].address()?;
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = Rc::new(Socket::bind(any)?);
    let progress = Rc::new(RefCell::new(Progress {
        pending: requests.iter().rev().cloned().collect(),
        ..Progress::default()
    }));
    let mut endpoint = Endpoint::new(
        Box::new(settings::config(contract)?),
        false,
        Box::new(Handler(progress.clone())),
        Rc::new(Sender(socket.clone())),
    );
    let resumption = matches!(contract.test_case.as_str(), "resumption" | "zerortt");
    if resumption && number > 0 && ticket.is_none() {
        return Err("the server sent no ticket".to_string());
    }
    let ticket = ticket.filter(|_| resumption);
    let host = Some(requests[0].host.as_str());
    let index = endpoint
        .connect(socket.local(), server, host, ticket, None, None)
        .map_err(|e| e.to_string())?;

    let mut complete_since = None;
    let mut new_ticket = None;
    loop {
        // The ClientHello first: only then is there early data to send.
        let _ = endpoint.process_connections();
        if let Some(connection) = endpoint.conn_get_mut(index) {
            ask(connection, &mut progress.borrow_mut())?;
        }
        settings::step(&mut endpoint, &socket);
        if let Some(connection) = endpoint.conn_get_mut(index) {
            ask(connection, &mut progress.borrow_mut())?;
            new_ticket = connection.session().map(<[u8]>::to_vec);
        }
        let state = progress.borrow();
        if let Some(reason) = &state.failure {
            return Err(reason.clone());
        }
        if state.established && state.pending.is_empty() && state.open.is_empty() {
            let since = *complete_since.get_or_insert_with(Instant::now);
            let waits = resumption && number == 0 && new_ticket.is_none();
            if !waits || since.elapsed() > TICKET_WAIT || state.closed {
                break;
            }
        } else if state.closed {
            return Err("the connection was closed".to_string());
        }
    }
    if let Some(connection) = endpoint.conn_get_mut(index) {
        let _ = connection.close(true, 0, b"");
    }
    let _ = endpoint.process_connections();
    Ok(new_ticket)
}

fn ask(connection: &mut Connection, progress: &mut Progress) -> Result<(), String> {
    if !connection.is_established() && !connection.is_in_early_data() {
        return Ok(());
    }
    loop {
        if let Some((stream, mut line)) = progress.unsent.take() {
            match connection.stream_write(stream, line.clone(), true) {
                Ok(written) => drop(line.split_to(written)),
                Err(tquic::Error::Done) => {}
                Err(e) => return Err(e.to_string()),
            }
            if !line.is_empty() {
                progress.unsent = Some((stream, line));
                return Ok(());
            }
        }
        if progress.pending.is_empty() {
            return Ok(());
        }
        // Fails while the peer's stream limit is reached.
        let Ok(stream) = connection.stream_bidi_new(0, true) else { return Ok(()) };
        if let Some(request) = progress.pending.pop() {
            let line = Bytes::from(format!("GET {}\r\n", request.path));
            progress.unsent = Some((stream, line));
            progress.open.insert(stream, (request, Vec::new()));
        }
    }
}
