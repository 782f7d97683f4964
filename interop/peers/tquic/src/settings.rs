//! What both roles configure and drive alike.

use std::fs::OpenOptions;
use std::rc::Rc;
use std::time::{Duration, Instant};

use endpoint_contract::{Contract, Role, CERTIFICATE_CHAIN, PRIVATE_KEY};
use tquic::{Config, Connection, Endpoint, PacketInfo, PacketSendHandler, TlsConfig};

use crate::socket::Socket;

const IDLE_TIMEOUT_MS: u64 = 60_000;

pub fn config(contract: &Contract) -> Result<Config, String> {
    let mut config = Config::new().map_err(|e| e.to_string())?;
    config.set_max_idle_timeout(IDLE_TIMEOUT_MS);
    // The default is short where a third of all packets is lost.
    config.set_max_handshake_timeout(IDLE_TIMEOUT_MS);
    config.set_initial_max_data(1 << 20);
    config.set_initial_max_stream_data_bidi_local(1 << 18);
    config.set_initial_max_stream_data_bidi_remote(1 << 18);
    config.set_initial_max_streams_bidi(200);
    config.enable_retry(contract.test_case == "retry");
    let alpn = vec![contract.alpn().to_vec()];
    let early = contract.test_case == "zerortt";
    let tls = if contract.role == Role::Client {
        TlsConfig::new_client_config(alpn, early).map(|mut tls| {
            // The runner's certificate authority is not installed anywhere.
            tls.set_verify(false);
            tls
        })
    } else {
        TlsConfig::new_server_config(CERTIFICATE_CHAIN, PRIVATE_KEY, alpn, early)
    };
    config.set_tls_config(tls.map_err(|e| e.to_string())?);
    Ok(config)
}

pub fn log_keys(connection: &mut Connection) {
    if let Some(path) = std::env::var_os("SSLKEYLOGFILE") {
        if let Ok(file) = OpenOptions::new().create(true).append(true).open(path) {
            connection.set_keylog(Box::new(file));
        }
    }
}

pub struct Sender(pub Rc<Socket>);

impl PacketSendHandler for Sender {
    fn on_packets_send(&self, packets: &[(Vec<u8>, PacketInfo)]) -> tquic::Result<usize> {
        for (datagram, info) in packets {
            self.0.send(datagram, info.dst);
        }
        Ok(packets.len())
    }
}

/// Sends what is due, waits for a packet or a timer, and hands over what has come.
pub fn step(endpoint: &mut Endpoint, socket: &Socket) {
    // An error of one connection is seen by that connection's callbacks.
    let _ = endpoint.process_connections();
    let wait = endpoint.timeout().unwrap_or(Duration::from_secs(1));
    socket.wait_until(Instant::now() + wait.min(Duration::from_millis(500)));
    let mut buffer = [0; 65535];
    while let Some((length, src)) = socket.receive(&mut buffer) {
        let info = PacketInfo { src, dst: socket.local(), time: Instant::now() };
        let _ = endpoint.recv(&mut buffer[..length], &info);
    }
    endpoint.on_timeout(Instant::now());
    let _ = endpoint.process_connections();
}
