//! quiche as an endpoint of the interop tests: one program for both roles.

mod client;
mod server;
mod session;
mod settings;
#[path = "../../../contract-rs/src/socket.rs"]
mod socket;

use endpoint_contract::{give_up, Contract, Role};

const CLIENT: &[&str] = &[
    "handshake", "transfer", "retry", "resumption", "zerortt", "http3", "multiconnect",
    "versionnegotiation",
];
const SERVER: &[&str] = &[
    "handshake", "transfer", "chacha20", "retry", "resumption", "zerortt", "http3", "keyupdate",
    "multiconnect", "versionnegotiation",
];

fn main() {
    let contract = Contract::from_environment(CLIENT, SERVER);
    let outcome = match contract.role {
        Role::Client => client::run(&contract),
        Role::Server => server::run(contract),
    };
    if let Err(reason) = outcome {
        give_up(&reason);
    }
}
