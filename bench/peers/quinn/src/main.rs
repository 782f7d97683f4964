//! quinn with h3, to be measured beside Quoll: the server of `quoll perf serve` and a client that loads it.
//!
//!     quinn-perf serve ADDR:PORT CERT KEY
//!     quinn-perf get ADDR:PORT down|up STREAMS REQUESTS SIZE

#[path = "../../../../interop/contract-rs/src/any_certificate.rs"]
mod any_certificate;
mod client;
mod server;
mod settings;

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["serve", address, certificate, key] => server::run(address, certificate, key).await,
        ["get", address, direction, streams, requests, size] => {
            match client::Load::parse(direction, streams, requests, size) {
                Some(load) => client::run(address, load).await,
                None => Err("not a load".to_string()),
            }
        }
        _ => Err("usage: serve ADDR:PORT CERT KEY | get ADDR:PORT down|up STREAMS REQUESTS SIZE".to_string()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("quinn-perf: {reason}");
            ExitCode::FAILURE
        }
    }
}
