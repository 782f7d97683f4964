//! What both roles configure: limits, certificates, the key log, qlog.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Read};

use endpoint_contract::{hex, Contract, Role, CERTIFICATE_CHAIN, PRIVATE_KEY};

pub const CONNECTION_ID_LENGTH: usize = 16;

/// Of the kind that RFC 9000 reserves to provoke a Version Negotiation packet.
const RESERVED_VERSION: u32 = 0x1a2a_3a4a;
const IDLE_TIMEOUT_MS: u64 = 60_000;

pub fn config(contract: &Contract) -> Result<quiche::Config, String> {
    let client = contract.role == Role::Client;
    let version = if client && contract.test_case == "versionnegotiation" {
        RESERVED_VERSION
    } else {
        quiche::PROTOCOL_VERSION
    };
    let mut config = quiche::Config::new(version).map_err(|e| e.to_string())?;
    config.set_application_protos(&[contract.alpn()]).map_err(|e| e.to_string())?;
    config.set_max_idle_timeout(IDLE_TIMEOUT_MS);
    config.set_max_recv_udp_payload_size(1500);
    config.set_max_send_udp_payload_size(1252);
    config.set_initial_max_data(1 << 20);
    config.set_initial_max_stream_data_bidi_local(1 << 18);
    config.set_initial_max_stream_data_bidi_remote(1 << 18);
    config.set_initial_max_stream_data_uni(1 << 16);
    config.set_initial_max_streams_bidi(200);
    config.set_initial_max_streams_uni(16);
    config.set_active_connection_id_limit(7);
    // The runner's certificate authority is not installed anywhere.
    config.verify_peer(false);
    config.log_keys();
    if contract.test_case == "zerortt" {
        config.enable_early_data();
        // Before the first RTT sample pacing would spread the requests beyond the handshake.
        config.enable_pacing(!client);
    }
    if !client {
        config
            .load_cert_chain_from_pem_file(CERTIFICATE_CHAIN)
            .map_err(|e| format!("{CERTIFICATE_CHAIN}: {e}"))?;
        config
            .load_priv_key_from_pem_file(PRIVATE_KEY)
            .map_err(|e| format!("{PRIVATE_KEY}: {e}"))?;
    }
    Ok(config)
}

pub fn start_logs(contract: &Contract, quic: &mut quiche::Connection, name: &str) {
    if let Some(path) = std::env::var_os("SSLKEYLOGFILE") {
        if let Ok(file) = OpenOptions::new().create(true).append(true).open(path) {
            quic.set_keylog(Box::new(file));
        }
    }
    if let Some(file) = contract.qlog_file(name).and_then(|path| File::create(path).ok()) {
        let title = format!("quiche {name}");
        quic.set_qlog(Box::new(BufWriter::new(file)), title.clone(), title);
    }
}

pub fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .map_err(|e| format!("/dev/urandom: {e}"))?;
    Ok(bytes)
}

pub fn qlog_name(connection_id: &[u8]) -> String {
    hex(connection_id)
}
