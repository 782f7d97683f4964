//! One UDP socket that never blocks, and the wait for it with the precision that pacing wants.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

pub struct Socket {
    udp: UdpSocket,
    local: SocketAddr,
}

impl Socket {
    pub fn bind(address: SocketAddr) -> Result<Socket, String> {
        let udp = UdpSocket::bind(address).map_err(|e| format!("{address}: {e}"))?;
        udp.set_nonblocking(true).map_err(|e| e.to_string())?;
        let local = udp.local_addr().map_err(|e| e.to_string())?;
        Ok(Socket { udp, local })
    }

    /// The address the socket is bound to, one end of every path.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    pub fn receive(&self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        loop {
            match self.udp.recv_from(buffer) {
                Ok(received) => return Some(received),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                // An ICMP message about an earlier datagram says nothing about the next one.
                Err(e) if e.kind() == ErrorKind::ConnectionRefused => {}
                Err(_) => return None,
            }
        }
    }

    /// A datagram that the kernel does not take counts as lost.
    pub fn send(&self, datagram: &[u8], to: SocketAddr) {
        let _ = self.udp.send_to(datagram, to);
    }

    pub fn wait_until(&self, deadline: Instant) {
        let rest = deadline.saturating_duration_since(Instant::now()).min(Duration::from_secs(1));
        let limit = libc::timespec {
            tv_sec: rest.as_secs() as libc::time_t,
            tv_nsec: rest.subsec_nanos() as libc::c_long,
        };
        let mut poll =
            libc::pollfd { fd: self.udp.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: both pointers are to live locals, and the count of descriptors is one.
        unsafe { libc::ppoll(&mut poll, 1, &limit, std::ptr::null()) };
    }
}
