//! What both roles configure: TLS with the key log, transport limits, qlog.

use std::fs::File;
use std::io::BufWriter;
use std::sync::Arc;
use std::time::Duration;

use endpoint_contract::{Contract, CERTIFICATE_CHAIN, PRIVATE_KEY};
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{ClientConfig, IdleTimeout, QlogConfig, ServerConfig, TransportConfig, VarInt};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::CipherSuite;

use crate::any_certificate::AnyCertificate;

const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
const STREAMS: VarInt = VarInt::from_u32(200);

pub fn transport(contract: &Contract, name: &str) -> Arc<TransportConfig> {
    let mut transport = TransportConfig::default();
    transport.max_concurrent_bidi_streams(STREAMS);
    if let Ok(timeout) = IdleTimeout::try_from(IDLE_TIMEOUT) {
        transport.max_idle_timeout(Some(timeout));
    }
    if contract.test_case == "zerortt" {
        // The runner adds up what the client sends in 1-RTT packets, and probes for the path's
        // MTU would be most of that.
        transport.mtu_discovery_config(None);
    }
    if let Some(file) = contract.qlog_file(name).and_then(|path| File::create(path).ok()) {
        let mut qlog = QlogConfig::default();
        qlog.writer(Box::new(BufWriter::new(file)));
        transport.qlog_stream(qlog.into_stream());
    }
    Arc::new(transport)
}

/// One TLS configuration serves all connections of a client: it holds the tickets.
pub fn client_tls(contract: &Contract) -> Result<Arc<QuicClientConfig>, String> {
    let mut provider = ring::default_provider();
    if contract.test_case == "chacha20" {
        provider
            .cipher_suites
            .retain(|suite| suite.suite() == CipherSuite::TLS13_CHACHA20_POLY1305_SHA256);
    }
    let provider = Arc::new(provider);
    let mut tls = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| e.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    tls.alpn_protocols = vec![contract.alpn().to_vec()];
    tls.enable_early_data = contract.test_case == "zerortt";
    tls.key_log = Arc::new(rustls::KeyLogFile::new());
    // Initial packets use AES whatever suites the ClientHello offers.
    let initial = ring::cipher_suite::TLS13_AES_128_GCM_SHA256
        .tls13()
        .and_then(|suite| suite.quic_suite())
        .ok_or("no cipher suite for Initial packets")?;
    let quic = QuicClientConfig::with_initial(Arc::new(tls), initial).map_err(|e| e.to_string())?;
    Ok(Arc::new(quic))
}

pub fn client(tls: Arc<QuicClientConfig>, transport: Arc<TransportConfig>) -> ClientConfig {
    let mut config = ClientConfig::new(tls);
    config.transport_config(transport);
    config
}

pub fn server(contract: &Contract) -> Result<ServerConfig, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(CERTIFICATE_CHAIN)
        .map_err(|e| format!("{CERTIFICATE_CHAIN}: {e}"))?
        .collect();
    let chain = chain.map_err(|e| format!("{CERTIFICATE_CHAIN}: {e}"))?;
    let key =
        PrivateKeyDer::from_pem_file(PRIVATE_KEY).map_err(|e| format!("{PRIVATE_KEY}: {e}"))?;
    let mut tls = rustls::ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| e.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|e| e.to_string())?;
    tls.alpn_protocols = vec![contract.alpn().to_vec()];
    tls.key_log = Arc::new(rustls::KeyLogFile::new());
    if contract.test_case == "zerortt" {
        tls.max_early_data_size = u32::MAX;
    }
    let quic = QuicServerConfig::try_from(tls).map_err(|e| e.to_string())?;
    Ok(ServerConfig::with_crypto(Arc::new(quic)))
}
