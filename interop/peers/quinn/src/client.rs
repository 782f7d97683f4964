//! The client: connections in the order the test case asks for, all requests of one at once.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

use bytes::Buf;
use endpoint_contract::{Contract, Request};
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{Connection, Endpoint, VarInt};
use tokio::task::JoinSet;

use crate::settings;

pub async fn run(contract: &Contract) -> Result<(), String> {
    let tls = settings::client_tls(contract)?;
    for (number, requests) in contract.connections().iter().enumerate() {
        if !requests.is_empty() {
            one_connection(contract, tls.clone(), number, requests).await?;
        }
    }
    Ok(())
}

async fn one_connection(
    contract: &Contract,
    tls: Arc<QuicClientConfig>,
    number: usize,
    requests: &[Request],
) -> Result<(), String> {
    let server = requests[0].address()?;
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let endpoint = Endpoint::client(any).map_err(|e| e.to_string())?;
    let config = settings::client(tls, settings::transport(contract, &format!("quinn-{number}")));
    let connecting = endpoint
        .connect_with(config, server, &requests[0].host)
        .map_err(|e| e.to_string())?;

    let connection = if contract.test_case == "zerortt" && number > 0 {
        match connecting.into_0rtt() {
            Ok((connection, _accepted)) => connection,
            Err(_) => return Err("no ticket for 0-RTT".to_string()),
        }
    } else {
        connecting.await.map_err(|e| e.to_string())?
    };

    if contract.test_case == "http3" {
        fetch_h3(&connection, requests).await?;
    } else {
        fetch_hq(&connection, requests, contract.test_case == "keyupdate").await?;
    }
    connection.close(VarInt::from_u32(if contract.test_case == "http3" { 0x100 } else { 0 }), b"");
    // The close packet has to leave; the draining period after it need not be waited for in full.
    let _ = tokio::time::timeout(Duration::from_millis(20), endpoint.wait_idle()).await;
    Ok(())
}

async fn all(mut tasks: JoinSet<Result<(), String>>) -> Result<(), String> {
    while let Some(done) = tasks.join_next().await {
        done.map_err(|e| e.to_string())??;
    }
    Ok(())
}

async fn fetch_hq(
    connection: &Connection,
    requests: &[Request],
    update_keys: bool,
) -> Result<(), String> {
    let update = Arc::new(AtomicBool::new(update_keys));
    let mut tasks = JoinSet::new();
    for request in requests.iter().cloned() {
        let connection = connection.clone();
        let update = update.clone();
        tasks.spawn(async move {
            // Waits for the peer's stream limit when there are more requests than it allows.
            let (mut send, mut receive) =
                connection.open_bi().await.map_err(|e| e.to_string())?;
            let line = format!("GET {}\r\n", request.path);
            send.write_all(line.as_bytes()).await.map_err(|e| e.to_string())?;
            send.finish().map_err(|e| e.to_string())?;
            let mut content = Vec::new();
            while let Some(chunk) =
                receive.read_chunk(1 << 16, true).await.map_err(|e| e.to_string())?
            {
                content.extend_from_slice(&chunk.bytes);
                if update.swap(false, Ordering::Relaxed) {
                    connection.force_key_update();
                }
            }
            request.save(&content)
        });
    }
    all(tasks).await
}

async fn fetch_h3(connection: &Connection, requests: &[Request]) -> Result<(), String> {
    let (mut driver, sender) = h3::client::new(h3_quinn::Connection::new(connection.clone()))
        .await
        .map_err(|e| e.to_string())?;
    let driver = tokio::spawn(async move {
        driver.wait_idle().await;
    });
    let mut tasks = JoinSet::new();
    for request in requests.iter().cloned() {
        let mut sender = sender.clone();
        tasks.spawn(async move {
            let url = format!("https://{}{}", request.authority(), request.path);
            let head = http::Request::get(url).body(()).map_err(|e| e.to_string())?;
            let mut stream = sender.send_request(head).await.map_err(|e| e.to_string())?;
            stream.finish().await.map_err(|e| e.to_string())?;
            let response = stream.recv_response().await.map_err(|e| e.to_string())?;
            if !response.status().is_success() {
                return Err(format!("{}: status {}", request.path, response.status()));
            }
            let mut content = Vec::new();
            while let Some(mut piece) = stream.recv_data().await.map_err(|e| e.to_string())? {
                while piece.has_remaining() {
                    let part = piece.chunk();
                    content.extend_from_slice(part);
                    let length = part.len();
                    piece.advance(length);
                }
            }
            request.save(&content)
        });
    }
    let outcome = all(tasks).await;
    drop(sender);
    driver.abort();
    outcome
}
