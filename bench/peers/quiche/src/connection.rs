//! One QUIC connection with HTTP/3 and the train that a full socket did not take: what both roles do alike.

use std::net::SocketAddr;
use std::time::Instant;

use crate::settings::PAYLOAD;
use crate::socket::Socket;

/// What fits one UDP_SEGMENT send: 64 segments, and 64 KiB.
const TRAIN: usize = 44 * PAYLOAD;

pub struct Connection {
    pub quic: quiche::Connection,
    pub h3: Option<quiche::h3::Connection>,
    train: Vec<u8>,
    used: usize,
    to: Option<SocketAddr>,
}

impl Connection {
    pub fn new(quic: quiche::Connection) -> Connection {
        Connection { quic, h3: None, train: Vec::new(), used: 0, to: None }
    }

    pub fn receive(&mut self, datagram: &mut [u8], from: SocketAddr, to: SocketAddr) {
        // A datagram that does not fit the connection is dropped; real errors close it.
        let _ = self.quic.recv(datagram, quiche::RecvInfo { from, to });
    }

    /// HTTP/3 as soon as it can be.
    pub fn session(&mut self) -> Result<bool, String> {
        if self.h3.is_none() && (self.quic.is_established() || self.quic.is_in_early_data()) {
            let config = quiche::h3::Config::new().map_err(|e| e.to_string())?;
            self.h3 =
                Some(quiche::h3::Connection::with_transport(&mut self.quic, &config).map_err(|e| e.to_string())?);
        }
        Ok(self.h3.is_some())
    }

    /// Sends what there is. False: the socket is full.
    pub fn send(&mut self, socket: &Socket) -> Result<bool, String> {
        loop {
            if self.used == 0 {
                self.fill();
            }
            let Some(to) = self.to.filter(|_| self.used > 0) else {
                self.train = Vec::new(); // an idle connection holds none
                return Ok(true);
            };
            if !socket.send(&self.train[..self.used], PAYLOAD, to)? {
                return Ok(false);
            }
            self.used = 0;
        }
    }

    /// Full packets, and one that is shorter.
    fn fill(&mut self) {
        if self.train.is_empty() {
            self.train.resize(TRAIN, 0);
        }
        while self.used + PAYLOAD <= TRAIN {
            let room = &mut self.train[self.used..self.used + PAYLOAD];
            let Ok((size, info)) = self.quic.send(room) else { return };
            self.to = Some(info.to);
            self.used += size;
            if size < PAYLOAD {
                return;
            }
        }
    }

    pub fn handle_timeout(&mut self, now: Instant) -> bool {
        let due = self.quic.timeout_instant().is_some_and(|at| at <= now);
        if due {
            self.quic.on_timeout();
        }
        due
    }
}
