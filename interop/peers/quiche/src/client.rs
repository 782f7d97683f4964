//! The client: connections in the order the test case asks for, all requests of one at once.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use endpoint_contract::{Contract, Request};
use quiche::h3::{self, NameValue};

use crate::session::Session;
use crate::settings;
use crate::socket::Socket;

/// How long a ticket may take after the last byte of the first connection.
const TICKET_WAIT: Duration = Duration::from_secs(3);

pub fn run(contract: &Contract) -> Result<(), String> {
    let mut ticket = None;
    for (number, requests) in contract.connections().iter().enumerate() {
        if requests.is_empty() {
            continue;
        }
        let mut fetch = Fetch::start(contract, requests, number, ticket.as_deref())?;
        fetch.run()?;
        ticket = fetch.session.quic.session().map(<[u8]>::to_vec);
    }
    Ok(())
}

struct Fetch<'a> {
    contract: &'a Contract,
    socket: Socket,
    session: Session,
    http3: Option<h3::Connection>,
    /// Not asked for yet; the last one is the next.
    pending: Vec<&'a Request>,
    open: HashMap<u64, (&'a Request, Vec<u8>)>,
    /// The request that the congestion window cut short, and what is left of it.
    unsent: Option<(u64, Vec<u8>)>,
    asked: u64,
    wants_ticket: bool,
}

impl<'a> Fetch<'a> {
    fn start(
        contract: &'a Contract,
        requests: &'a [Request],
        number: usize,
        ticket: Option<&[u8]>,
    ) -> Result<Fetch<'a>, String> {
        let server = requests[0].address()?;
        let any: SocketAddr = match server {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let socket = Socket::bind(any)?;
        let mut config = settings::config(contract)?;
        let id: [u8; settings::CONNECTION_ID_LENGTH] = settings::random()?;
        let source_id = quiche::ConnectionId::from_ref(&id);
        let host = Some(requests[0].host.as_str());
        let mut quic = quiche::connect(host, &source_id, socket.local(), server, &mut config)
            .map_err(|e| e.to_string())?;
        settings::start_logs(contract, &mut quic, &format!("quiche-{number}"));
        let resumes = number > 0 && matches!(contract.test_case.as_str(), "resumption" | "zerortt");
        if resumes {
            let ticket = ticket.ok_or("the server sent no ticket")?;
            quic.set_session(ticket).map_err(|e| e.to_string())?;
        }
        Ok(Fetch {
            contract,
            socket,
            session: Session::new(quic),
            http3: None,
            pending: requests.iter().rev().collect(),
            open: HashMap::new(),
            unsent: None,
            asked: 0,
            wants_ticket: number == 0
                && matches!(contract.test_case.as_str(), "resumption" | "zerortt"),
        })
    }

    fn run(&mut self) -> Result<(), String> {
        let mut buffer = [0; 65535];
        let mut complete_since = None;
        loop {
            self.session.send(&self.socket);
            self.advance()?;
            self.session.send(&self.socket);
            if self.session.quic.is_closed() {
                return Err(self.why_closed());
            }
            if self.complete() {
                let since = *complete_since.get_or_insert_with(Instant::now);
                let has_ticket = self.session.quic.session().is_some();
                if !self.wants_ticket || has_ticket || since.elapsed() > TICKET_WAIT {
                    break;
                }
            }
            self.socket.wait_until(self.session.next_event());
            while let Some((length, from)) = self.socket.receive(&mut buffer) {
                self.session.receive(&mut buffer[..length], from, self.socket.local());
            }
            self.session.handle_timeout();
        }
        let code = if self.contract.test_case == "http3" { 0x100 } else { 0 };
        let _ = self.session.quic.close(true, code, b"");
        self.session.send(&self.socket);
        Ok(())
    }

    fn complete(&self) -> bool {
        self.pending.is_empty() && self.open.is_empty() && self.session.quic.is_established()
    }

    fn why_closed(&self) -> String {
        let quic = &self.session.quic;
        if quic.is_timed_out() {
            return "idle timeout".to_string();
        }
        format!("closed: by the peer {:?}, here {:?}", quic.peer_error(), quic.local_error())
    }

    fn advance(&mut self) -> Result<(), String> {
        while self.session.quic.path_event_next().is_some() {}
        self.session.supply_connection_ids()?;
        if !self.session.quic.is_established() && !self.session.quic.is_in_early_data() {
            return Ok(());
        }
        if self.contract.test_case == "http3" {
            self.ask_h3()?;
            self.read_h3()
        } else {
            self.ask_hq()?;
            self.read_hq()
        }
    }

    fn ask_hq(&mut self) -> Result<(), String> {
        loop {
            if let Some((stream, line)) = self.unsent.take() {
                let sent = match self.session.quic.stream_send(stream, &line, true) {
                    Ok(sent) => sent,
                    Err(quiche::Error::Done) => 0,
                    Err(e) => return Err(e.to_string()),
                };
                if sent < line.len() {
                    self.unsent = Some((stream, line[sent..].to_vec()));
                    return Ok(());
                }
            }
            if self.session.quic.peer_streams_left_bidi() == 0 {
                return Ok(());
            }
            let Some(request) = self.pending.pop() else { return Ok(()) };
            if request.path == "/" {
                continue;
            }
            // Client-initiated bidirectional streams are 0, 4, 8 ...
            let stream = 4 * self.asked;
            self.asked += 1;
            self.open.insert(stream, (request, Vec::new()));
            self.unsent = Some((stream, format!("GET {}\r\n", request.path).into_bytes()));
        }
    }

    fn read_hq(&mut self) -> Result<(), String> {
        let mut buffer = [0; 65535];
        for stream in self.session.quic.readable() {
            loop {
                match self.session.quic.stream_recv(stream, &mut buffer) {
                    Ok((length, end)) => {
                        self.take(stream, &buffer[..length], end)?;
                        // quiche forgets a stream with its last byte.
                        if end {
                            break;
                        }
                    }
                    Err(quiche::Error::Done) => break,
                    Err(e) => return Err(format!("stream {stream}: {e}")),
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, stream: u64, bytes: &[u8], end: bool) -> Result<(), String> {
        if let Some((_, content)) = self.open.get_mut(&stream) {
            content.extend_from_slice(bytes);
        }
        if end {
            if let Some((request, content)) = self.open.remove(&stream) {
                request.save(&content)?;
            }
        }
        Ok(())
    }

    fn ask_h3(&mut self) -> Result<(), String> {
        let quic = &mut self.session.quic;
        if self.http3.is_none() {
            let config = h3::Config::new().map_err(|e| e.to_string())?;
            let http3 =
                h3::Connection::with_transport(quic, &config).map_err(|e| e.to_string())?;
            self.http3 = Some(http3);
        }
        let Some(http3) = &mut self.http3 else { return Ok(()) };
        while let Some(request) = self.pending.last() {
            let authority = request.authority();
            let head = [
                h3::Header::new(b":method", b"GET"),
                h3::Header::new(b":scheme", b"https"),
                h3::Header::new(b":authority", authority.as_bytes()),
                h3::Header::new(b":path", request.path.as_bytes()),
            ];
            match http3.send_request(quic, &head, true) {
                Ok(stream) => {
                    self.open.insert(stream, (*request, Vec::new()));
                    self.pending.pop();
                }
                Err(h3::Error::StreamBlocked | h3::Error::Done) => return Ok(()),
                Err(h3::Error::TransportError(quiche::Error::StreamLimit)) => return Ok(()),
                Err(e) => return Err(e.to_string()),
            }
        }
        Ok(())
    }

    fn read_h3(&mut self) -> Result<(), String> {
        let mut buffer = [0; 65535];
        loop {
            let Some(http3) = &mut self.http3 else { return Ok(()) };
            match http3.poll(&mut self.session.quic) {
                Ok((_, h3::Event::Headers { list, .. })) => {
                    let status = list.iter().find(|field| field.name() == b":status");
                    if status.is_some_and(|field| !field.value().starts_with(b"2")) {
                        return Err("the status is no success".to_string());
                    }
                }
                Ok((stream, h3::Event::Data)) => {
                    while let Some(length) = self.http3.as_mut().and_then(|http3| {
                        http3.recv_body(&mut self.session.quic, stream, &mut buffer).ok()
                    }) {
                        self.take(stream, &buffer[..length], false)?;
                    }
                }
                Ok((stream, h3::Event::Finished)) => self.take(stream, &[], true)?,
                Ok((stream, h3::Event::Reset(code))) => {
                    return Err(format!("stream {stream} was reset with {code:#x}"));
                }
                Ok(_) => {}
                Err(h3::Error::Done) => return Ok(()),
                Err(e) => return Err(e.to_string()),
            }
        }
    }
}
