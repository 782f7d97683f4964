//! The server: one socket, all connections in one loop.

mod answers;

use std::collections::HashMap;
use std::net::{Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use endpoint_contract::{Contract, SERVER_PORT};
use quiche::{ConnectionId, Header, Type};

use crate::session::Session;
use crate::settings;
use crate::socket::Socket;
use answers::Answers;

static STOP: AtomicBool = AtomicBool::new(false);

extern "C" fn stop(_signal: libc::c_int) {
    STOP.store(true, Ordering::Relaxed);
}

struct Peer {
    session: Session,
    answers: Answers,
}

/// What a Retry token stands for.
struct Retried {
    client: SocketAddr,
    original_destination_id: Vec<u8>,
    retry_source_id: Vec<u8>,
}

struct Server {
    contract: Contract,
    config: quiche::Config,
    socket: Socket,
    peers: HashMap<u64, Peer>,
    next_peer: u64,
    /// Every connection ID that leads to a peer.
    routes: HashMap<Vec<u8>, u64>,
    tokens: HashMap<Vec<u8>, Retried>,
}

pub fn run(contract: Contract) -> Result<(), String> {
    // SAFETY: the handler only stores to an atomic.
    unsafe { libc::signal(libc::SIGTERM, stop as *const () as libc::sighandler_t) };
    let config = settings::config(&contract)?;
    // An IPv6 socket bound to the unspecified address takes IPv4 as well.
    let socket = Socket::bind((Ipv6Addr::UNSPECIFIED, SERVER_PORT).into())?;
    let mut server = Server {
        contract,
        config,
        socket,
        peers: HashMap::new(),
        next_peer: 0,
        routes: HashMap::new(),
        tokens: HashMap::new(),
    };
    let mut buffer = vec![0; 65535];
    while !STOP.load(Ordering::Relaxed) {
        let far = Instant::now() + Duration::from_millis(500);
        let next = server.peers.values().map(|peer| peer.session.next_event()).min();
        server.socket.wait_until(next.map_or(far, |at| at.min(far)));
        while let Some((length, from)) = server.socket.receive(&mut buffer) {
            server.receive(&mut buffer[..length], from)?;
        }
        server.advance()?;
    }
    for peer in server.peers.values_mut() {
        let _ = peer.session.quic.close(true, 0, b"");
        peer.session.send(&server.socket);
    }
    Ok(())
}

impl Server {
    fn receive(&mut self, datagram: &mut [u8], from: SocketAddr) -> Result<(), String> {
        let Ok(header) = Header::from_slice(datagram, settings::CONNECTION_ID_LENGTH) else {
            return Ok(());
        };
        let mut number = self.routes.get(header.dcid.as_ref()).copied();
        if number.is_none() && header.version != 0 {
            number = self.admit(&header, datagram.len(), from)?;
        }
        if let Some(peer) = number.and_then(|number| self.peers.get_mut(&number)) {
            peer.session.receive(datagram, from, self.socket.local());
        }
        Ok(())
    }

    /// Answers a packet that belongs to no connection, or makes the connection it asks for.
    fn admit(
        &mut self,
        header: &Header,
        length: usize,
        from: SocketAddr,
    ) -> Result<Option<u64>, String> {
        if length < 1200 {
            return Ok(None);
        }
        let mut reply = [0; 1500];
        if !quiche::version_is_supported(header.version) {
            let written = quiche::negotiate_version(&header.scid, &header.dcid, &mut reply);
            self.socket.send(&reply[..written.map_err(|e| e.to_string())?], from);
            return Ok(None);
        }
        if header.ty != Type::Initial {
            return Ok(None);
        }
        if self.contract.test_case != "retry" {
            let id: [u8; settings::CONNECTION_ID_LENGTH] = settings::random()?;
            return self.connect(header, &id, None, from);
        }
        let token = header.token.clone().unwrap_or_default();
        match self.tokens.remove(&token) {
            Some(retried) if retried.client == from => {
                let id = retried.retry_source_id.clone();
                self.connect(header, &id, Some(retried), from)
            }
            _ => self.retry(header, from, &mut reply).map(|()| None),
        }
    }

    fn retry(
        &mut self,
        header: &Header,
        client: SocketAddr,
        reply: &mut [u8],
    ) -> Result<(), String> {
        let id: [u8; settings::CONNECTION_ID_LENGTH] = settings::random()?;
        let token: [u8; 32] = settings::random()?;
        let written = quiche::retry(
            &header.scid,
            &header.dcid,
            &ConnectionId::from_ref(&id),
            &token,
            header.version,
            reply,
        );
        self.socket.send(&reply[..written.map_err(|e| e.to_string())?], client);
        let retried = Retried {
            client,
            original_destination_id: header.dcid.to_vec(),
            retry_source_id: id.to_vec(),
        };
        self.tokens.insert(token.to_vec(), retried);
        Ok(())
    }

    fn connect(
        &mut self,
        header: &Header,
        id: &[u8],
        retried: Option<Retried>,
        from: SocketAddr,
    ) -> Result<Option<u64>, String> {
        let source_id = ConnectionId::from_ref(id);
        let original = retried.map(|retried| ConnectionId::from_vec(retried.original_destination_id));
        let local = self.socket.local();
        let accepted =
            quiche::accept(&source_id, original.as_ref(), local, from, &mut self.config);
        let mut quic = accepted.map_err(|e| e.to_string())?;
        settings::start_logs(&self.contract, &mut quic, &settings::qlog_name(&header.dcid));
        let number = self.next_peer;
        self.next_peer += 1;
        let answers = Answers::new(self.contract.test_case == "http3");
        self.peers.insert(number, Peer { session: Session::new(quic), answers });
        self.routes.insert(id.to_vec(), number);
        // The client goes on with its own choice until it has seen the server's.
        self.routes.insert(header.dcid.to_vec(), number);
        Ok(Some(number))
    }

    fn advance(&mut self) -> Result<(), String> {
        for (number, peer) in &mut self.peers {
            peer.session.handle_timeout();
            while let Some(event) = peer.session.quic.path_event_next() {
                if let quiche::PathEvent::New(local, client) = event {
                    let _ = peer.session.quic.probe_path(local, client);
                }
            }
            for id in peer.session.supply_connection_ids()? {
                self.routes.insert(id, *number);
            }
            if peer.session.quic.is_established() || peer.session.quic.is_in_early_data() {
                if let Err(reason) = peer.answers.advance(&mut peer.session.quic) {
                    eprintln!("connection: {reason}");
                    let _ = peer.session.quic.close(true, 1, b"");
                }
            }
            peer.session.send(&self.socket);
        }
        let peers = &mut self.peers;
        peers.retain(|_, peer| !peer.session.quic.is_closed());
        self.routes.retain(|_, number| peers.contains_key(number));
        Ok(())
    }
}
