//! A UDP socket that sends and receives trains of datagrams (UDP_SEGMENT, UDP_GRO): quiche leaves sockets to its users.

use std::io::{Error, ErrorKind};
use std::mem::{size_of, size_of_val, zeroed};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

const BUFFER: libc::c_int = 4 << 20;
const CONTROL: usize = 64;

pub struct Socket {
    udp: UdpSocket,
    pub local: SocketAddr,
}

pub struct Train {
    pub size: usize,
    /// Of each datagram but the last.
    pub segment: usize,
    pub from: SocketAddr,
}

fn text(error: impl ToString) -> String {
    error.to_string()
}

impl Socket {
    pub fn bind(address: SocketAddr) -> Result<Socket, String> {
        let udp = UdpSocket::bind(address).map_err(|e| format!("{address}: {e}"))?;
        udp.set_nonblocking(true).map_err(text)?;
        let local = udp.local_addr().map_err(text)?;
        let on: libc::c_int = 1;
        for (level, option, value) in [
            (libc::SOL_SOCKET, libc::SO_RCVBUF, &BUFFER),
            (libc::SOL_SOCKET, libc::SO_SNDBUF, &BUFFER),
            (libc::SOL_UDP, libc::UDP_GRO, &on),
        ] {
            let size = size_of_val(value) as libc::socklen_t;
            // SAFETY: the value is an int of the size that is told.
            unsafe { libc::setsockopt(udp.as_raw_fd(), level, option, std::ptr::from_ref(value).cast(), size) };
        }
        Ok(Socket { udp, local })
    }

    /// False: the socket is full.
    pub fn send(&self, train: &[u8], segment: usize, to: SocketAddr) -> Result<bool, String> {
        let SocketAddr::V4(to) = to else { return Err("IPv4 alone".to_string()) };
        let mut name = name_of(to);
        let mut control = [0_u64; CONTROL / 8];
        let mut part = libc::iovec { iov_base: train.as_ptr().cast_mut().cast(), iov_len: train.len() };
        // SAFETY: all pointers are to locals that live until the call is over; the control message has room.
        let sent = unsafe {
            let mut message: libc::msghdr = zeroed();
            message.msg_name = std::ptr::from_mut(&mut name).cast();
            message.msg_namelen = size_of::<libc::sockaddr_in>() as libc::socklen_t;
            message.msg_iov = &mut part;
            message.msg_iovlen = 1;
            if train.len() > segment {
                message.msg_control = control.as_mut_ptr().cast();
                message.msg_controllen = libc::CMSG_SPACE(size_of::<u16>() as u32) as usize;
                let header = libc::CMSG_FIRSTHDR(&message);
                (*header).cmsg_level = libc::SOL_UDP;
                (*header).cmsg_type = libc::UDP_SEGMENT;
                (*header).cmsg_len = libc::CMSG_LEN(size_of::<u16>() as u32) as usize;
                libc::CMSG_DATA(header).cast::<u16>().write_unaligned(segment as u16);
            }
            libc::sendmsg(self.udp.as_raw_fd(), &message, 0)
        };
        if sent >= 0 {
            return Ok(true);
        }
        match Error::last_os_error() {
            e if e.kind() == ErrorKind::WouldBlock => Ok(false),
            e if e.kind() == ErrorKind::ConnectionRefused => Ok(true),
            e => Err(format!("sendmsg: {e}")),
        }
    }

    pub fn receive(&self, buffer: &mut [u8]) -> Option<Train> {
        let mut control = [0_u64; CONTROL / 8];
        let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
        // SAFETY: as above; what the kernel tells of the address and the control message is read within its bounds.
        unsafe {
            let mut name: libc::sockaddr_in = zeroed();
            let mut message: libc::msghdr = zeroed();
            message.msg_name = std::ptr::from_mut(&mut name).cast();
            message.msg_namelen = size_of::<libc::sockaddr_in>() as libc::socklen_t;
            message.msg_iov = &mut part;
            message.msg_iovlen = 1;
            message.msg_control = control.as_mut_ptr().cast();
            message.msg_controllen = CONTROL;
            let size = libc::recvmsg(self.udp.as_raw_fd(), &mut message, 0);
            if size <= 0 {
                return None;
            }
            let mut segment = size as usize;
            let mut header = libc::CMSG_FIRSTHDR(&message);
            while !header.is_null() {
                if (*header).cmsg_level == libc::SOL_UDP && (*header).cmsg_type == libc::UDP_GRO {
                    segment = libc::CMSG_DATA(header).cast::<libc::c_int>().read_unaligned() as usize;
                }
                header = libc::CMSG_NXTHDR(&message, header);
            }
            let ip = Ipv4Addr::from(u32::from_be(name.sin_addr.s_addr));
            let from = SocketAddrV4::new(ip, u16::from_be(name.sin_port)).into();
            Some(Train { size: size as usize, segment, from })
        }
    }

    /// Until something arrives, there is room to send if that was short, or the time has come.
    pub fn wait(&self, until: Instant, full: bool) {
        let rest = until.saturating_duration_since(Instant::now()).min(Duration::from_secs(1));
        let limit = libc::timespec { tv_sec: rest.as_secs() as i64, tv_nsec: i64::from(rest.subsec_nanos()) };
        let events = if full { libc::POLLIN | libc::POLLOUT } else { libc::POLLIN };
        let mut poll = libc::pollfd { fd: self.udp.as_raw_fd(), events, revents: 0 };
        // SAFETY: both pointers are to live locals, and the count of descriptors is one.
        unsafe { libc::ppoll(&mut poll, 1, &limit, std::ptr::null()) };
    }
}

fn name_of(address: SocketAddrV4) -> libc::sockaddr_in {
    libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: address.port().to_be(),
        sin_addr: libc::in_addr { s_addr: u32::from(*address.ip()).to_be() },
        sin_zero: [0; 8],
    }
}
