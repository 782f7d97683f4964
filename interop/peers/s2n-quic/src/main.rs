//! s2n-quic as an endpoint of the interop tests: one program for both roles.

#[path = "../../../contract-rs/src/any_certificate.rs"]
mod any_certificate;
mod chacha20;
mod client;
mod server;
mod settings;
mod tickets;

use endpoint_contract::{give_up, Contract, Role};

const CLIENT: &[&str] =
    &["handshake", "transfer", "chacha20", "retry", "resumption", "ecn", "multiconnect"];
const SERVER: &[&str] = &[
    "handshake", "transfer", "chacha20", "retry", "resumption", "keyupdate", "ecn",
    "multiconnect", "versionnegotiation",
];

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let contract = Contract::from_environment(CLIENT, SERVER);
    let outcome = match contract.role {
        Role::Client => client::run(&contract).await,
        Role::Server => server::run(&contract).await,
    };
    if let Err(reason) = outcome {
        give_up(&reason);
    }
}
