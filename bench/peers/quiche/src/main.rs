//! quiche, to be measured beside Quoll: the server of `quoll perf serve` and a client that loads it.
//!
//!     quiche-perf serve ADDR:PORT CERT KEY
//!     quiche-perf get ADDR:PORT down|up STREAMS REQUESTS SIZE

mod client;
mod connection;
mod server;
mod settings;
mod socket;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["serve", address, certificate, key] => server::run(address, certificate, key),
        ["get", address, direction, streams, requests, size] => {
            match client::Load::parse(direction, streams, requests, size) {
                Some(load) => client::run(address, load),
                None => Err("not a load".to_string()),
            }
        }
        _ => Err("usage: serve ADDR:PORT CERT KEY | get ADDR:PORT down|up STREAMS REQUESTS SIZE".to_string()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("quiche-perf: {reason}");
            ExitCode::FAILURE
        }
    }
}
