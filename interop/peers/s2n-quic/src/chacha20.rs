//! A client that offers one cipher suite. s2n-tls has no security policy of that kind, so this test
//! case runs with the library's other TLS provider, rustls.

use std::sync::Arc;

use endpoint_contract::Contract;
use rustls::crypto::{aws_lc_rs, CryptoProvider};
use s2n_quic::provider::tls::rustls::Client;

use crate::any_certificate::AnyCertificate;

pub fn client(contract: &Contract) -> Result<Client, String> {
    let provider = Arc::new(CryptoProvider {
        cipher_suites: vec![aws_lc_rs::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256],
        ..aws_lc_rs::default_provider()
    });
    let mut tls = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| e.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    tls.alpn_protocols = vec![contract.alpn().to_vec()];
    tls.key_log = Arc::new(rustls::KeyLogFile::new());
    Ok(Client::from(tls))
}
