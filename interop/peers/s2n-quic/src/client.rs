//! The client: connections in the order the test case asks for, all requests of one at once.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use endpoint_contract::{Contract, Request};
use s2n_quic::client::Connect;
use s2n_quic::connection::Handle;
use s2n_quic::provider::tls::{s2n_tls, Provider};
use s2n_quic::Client;
use tokio::task::JoinSet;

use crate::tickets::Tickets;
use crate::{chacha20, settings};

/// How long a ticket may take after the last byte of the first connection.
const TICKET_WAIT: Duration = Duration::from_secs(3);

pub async fn run(contract: &Contract) -> Result<(), String> {
    let tickets = Tickets::default();
    let resumes = contract.test_case == "resumption";
    let server = contract.requests[0].address()?;
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let mut client = if contract.test_case == "chacha20" {
        start(chacha20::client(contract)?, any)?
    } else {
        start(tls(contract, resumes.then(|| tickets.clone()))?, any)?
    };
    for (number, requests) in contract.connections().iter().enumerate() {
        if requests.is_empty() {
            continue;
        }
        if resumes && number > 0 && !tickets.any() {
            return Err("the server sent no ticket".to_string());
        }
        let wait_for = (resumes && number == 0).then_some(&tickets);
        one_connection(&client, contract, requests, wait_for).await?;
    }
    // The close packet has to leave; the draining period after it need not be waited for in full.
    let _ = tokio::time::timeout(Duration::from_millis(50), client.wait_idle()).await;
    Ok(())
}

fn tls(contract: &Contract, tickets: Option<Tickets>) -> Result<s2n_tls::Client, String> {
    let mut builder = s2n_tls::Client::builder()
        .with_empty_trust_store()
        .and_then(|builder| builder.with_application_protocols([contract.alpn()]))
        .and_then(|builder| builder.with_key_logging())
        .map_err(|e| e.to_string())?;
    let config = builder.config_mut();
    // SAFETY: the function is marked so for what it means, not for memory: the runner's
    // certificate authority is not installed anywhere, and the peers are test programs.
    unsafe { config.disable_x509_verification() }.map_err(|e| e.to_string())?;
    if let Some(tickets) = tickets {
        config.set_session_ticket_callback(tickets.clone()).map_err(|e| e.to_string())?;
        config.set_connection_initializer(tickets).map_err(|e| e.to_string())?;
    }
    builder.build().map_err(|e| e.to_string())
}

fn start<T: Provider>(tls: T, address: SocketAddr) -> Result<Client, String> {
    Client::builder()
        .with_tls(tls)
        .map_err(|e| e.to_string())?
        .with_io(address)
        .map_err(|e| e.to_string())?
        .with_limits(settings::limits()?)
        .map_err(|e| e.to_string())?
        .start()
        .map_err(|e| e.to_string())
}

async fn one_connection(
    client: &Client,
    contract: &Contract,
    requests: &[Request],
    wait_for: Option<&Tickets>,
) -> Result<(), String> {
    let target = Connect::new(requests[0].address()?).with_server_name(requests[0].host.as_str());
    let connection = client
        .connect(target)
        .await
        .map_err(|e| format!("{}: {e}", contract.test_case))?;
    // Streams of the server are never accepted; the acceptor only has to outlive the requests.
    let (handle, _acceptor) = connection.split();
    let mut tasks = JoinSet::new();
    for request in requests.iter().cloned() {
        tasks.spawn(fetch(handle.clone(), request));
    }
    while let Some(done) = tasks.join_next().await {
        done.map_err(|e| e.to_string())??;
    }
    if let Some(tickets) = wait_for {
        let since = Instant::now();
        while !tickets.any() && since.elapsed() < TICKET_WAIT {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    handle.close(0u8.into());
    Ok(())
}

async fn fetch(mut handle: Handle, request: Request) -> Result<(), String> {
    // Waits for the peer's stream limit when there are more requests than it allows.
    let stream = handle.open_bidirectional_stream().await.map_err(|e| e.to_string())?;
    let (mut receive, mut send) = stream.split();
    let line = format!("GET {}\r\n", request.path);
    send.send(line.into()).await.map_err(|e| e.to_string())?;
    send.finish().map_err(|e| e.to_string())?;
    let mut content = Vec::new();
    while let Some(chunk) = receive.receive().await.map_err(|e| e.to_string())? {
        content.extend_from_slice(&chunk);
    }
    request.save(&content)
}
