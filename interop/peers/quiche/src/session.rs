//! One QUIC connection with the packet that waits for its pacing time: what both roles do alike.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::settings;
use crate::socket::Socket;

struct Held {
    datagram: Vec<u8>,
    to: SocketAddr,
    at: Instant,
}

pub struct Session {
    pub quic: quiche::Connection,
    held: Option<Held>,
}

impl Session {
    pub fn new(quic: quiche::Connection) -> Session {
        Session { quic, held: None }
    }

    pub fn receive(&mut self, datagram: &mut [u8], from: SocketAddr, to: SocketAddr) {
        // A datagram that does not fit the connection is dropped; real errors close it.
        let _ = self.quic.recv(datagram, quiche::RecvInfo { from, to });
    }

    /// Sends what may leave now; the first packet that must wait is kept.
    pub fn send(&mut self, socket: &Socket) {
        if let Some(held) = self.held.take_if(|held| held.at <= Instant::now()) {
            socket.send(&held.datagram, held.to);
        }
        let mut buffer = [0; 1500];
        while self.held.is_none() {
            let Ok((length, info)) = self.quic.send(&mut buffer) else { return };
            if info.at > Instant::now() {
                let datagram = buffer[..length].to_vec();
                self.held = Some(Held { datagram, to: info.to, at: info.at });
            } else {
                socket.send(&buffer[..length], info.to);
            }
        }
    }

    pub fn handle_timeout(&mut self) {
        if self.quic.timeout_instant().is_some_and(|at| at <= Instant::now()) {
            self.quic.on_timeout();
        }
    }

    pub fn next_event(&self) -> Instant {
        let far = Instant::now() + Duration::from_secs(1);
        let timer = self.quic.timeout_instant().unwrap_or(far);
        self.held.as_ref().map_or(timer, |held| held.at.min(timer)).min(far)
    }

    /// quiche leaves the supply of connection IDs to the application. Returns the new ones.
    pub fn supply_connection_ids(&mut self) -> Result<Vec<Vec<u8>>, String> {
        let mut supplied = Vec::new();
        while self.quic.is_established() && self.quic.scids_left() > 0 {
            let id: [u8; settings::CONNECTION_ID_LENGTH] = settings::random()?;
            let token = u128::from_be_bytes(settings::random()?);
            let source_id = quiche::ConnectionId::from_ref(&id);
            if self.quic.new_scid(&source_id, token, false).is_err() {
                break;
            }
            supplied.push(id.to_vec());
        }
        Ok(supplied)
    }
}
