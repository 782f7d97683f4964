//! The server: every connection is a task, every request on it another.

use std::fs::File;
use std::io::Read;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::SystemTime;

use bytes::Bytes;
use endpoint_contract::{
    file_for, requested_path, Contract, CERTIFICATE_CHAIN, PRIVATE_KEY, SERVER_PORT,
};
use s2n_quic::provider::endpoint_limits::{ConnectionAttempt, Limiter, Outcome};
use s2n_quic::provider::tls::s2n_tls;
use s2n_quic::stream::BidirectionalStream;
use s2n_quic::{Connection, Server};
use tokio::signal::unix::{signal, SignalKind};

use crate::settings;

const LONGEST_REQUEST: usize = 8192;

/// Asked for each Initial packet without a valid token only.
struct Admission {
    retry: bool,
}

impl Limiter for Admission {
    fn on_connection_attempt(&mut self, _attempt: &ConnectionAttempt) -> Outcome {
        if self.retry {
            Outcome::retry()
        } else {
            Outcome::allow()
        }
    }
}

pub async fn run(contract: &Contract) -> Result<(), String> {
    // An IPv6 socket bound to the unspecified address takes IPv4 as well.
    let address: SocketAddr = (Ipv6Addr::UNSPECIFIED, SERVER_PORT).into();
    let mut server = Server::builder()
        .with_tls(tls(contract)?)
        .map_err(|e| e.to_string())?
        .with_io(address)
        .map_err(|e| e.to_string())?
        .with_limits(settings::limits()?)
        .map_err(|e| e.to_string())?
        .with_endpoint_limits(Admission { retry: contract.test_case == "retry" })
        .map_err(|e| e.to_string())?
        .start()
        .map_err(|e| e.to_string())?;
    let mut stop = signal(SignalKind::terminate()).map_err(|e| e.to_string())?;
    loop {
        tokio::select! {
            _ = stop.recv() => return Ok(()),
            accepted = server.accept() => match accepted {
                None => return Err("the endpoint has stopped".to_string()),
                Some(connection) => drop(tokio::spawn(serve(connection))),
            },
        }
    }
}

fn tls(contract: &Contract) -> Result<s2n_tls::Server, String> {
    let mut builder = s2n_tls::Server::builder()
        .with_certificate(Path::new(CERTIFICATE_CHAIN), Path::new(PRIVATE_KEY))
        .and_then(|builder| builder.with_application_protocols([contract.alpn()]))
        .and_then(|builder| builder.with_key_logging())
        .map_err(|e| e.to_string())?;
    if contract.test_case == "resumption" {
        let mut key = [0; 32];
        File::open("/dev/urandom")
            .and_then(|mut source| source.read_exact(&mut key))
            .map_err(|e| format!("/dev/urandom: {e}"))?;
        builder
            .config_mut()
            .add_session_ticket_key(b"interop", &key, SystemTime::now())
            .map_err(|e| e.to_string())?;
    }
    builder.build().map_err(|e| e.to_string())
}

async fn serve(mut connection: Connection) {
    // An error here is the regular end: the client has closed the connection.
    while let Ok(Some(stream)) = connection.accept_bidirectional_stream().await {
        tokio::spawn(answer(stream));
    }
}

async fn answer(stream: BidirectionalStream) {
    let (mut receive, mut send) = stream.split();
    let mut request = Vec::new();
    while let Ok(Some(chunk)) = receive.receive().await {
        request.extend_from_slice(&chunk);
        if request.len() > LONGEST_REQUEST {
            break;
        }
    }
    match requested_path(&request).and_then(|path| file_for(&path)) {
        Some(content) => {
            if send.send(Bytes::from(content)).await.is_ok() {
                let _ = send.close().await;
            }
        }
        None => {
            let _ = send.reset(1u8.into());
        }
    }
}
