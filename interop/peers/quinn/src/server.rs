//! The server: every connection is a task, every request on it another.

use std::net::Ipv6Addr;
use std::sync::Arc;

use bytes::Bytes;
use endpoint_contract::{file_for, hex, requested_path, Contract, SERVER_PORT};
use h3::quic::BidiStream;
use h3::server::RequestStream;
use http::{Response, StatusCode};
use quinn::{Connection, Endpoint, Incoming, RecvStream, SendStream, ServerConfig, VarInt};
use tokio::signal::unix::{signal, SignalKind};

use crate::settings;

/// Longer than any request line of the tests, and a bound for what a client can make us hold.
const LONGEST_REQUEST: usize = 8192;

pub async fn run(contract: Contract) -> Result<(), String> {
    let config = settings::server(&contract)?;
    // An IPv6 socket bound to the unspecified address takes IPv4 as well.
    let address = (Ipv6Addr::UNSPECIFIED, SERVER_PORT).into();
    let endpoint = Endpoint::server(config.clone(), address).map_err(|e| e.to_string())?;
    let mut stop = signal(SignalKind::terminate()).map_err(|e| e.to_string())?;
    let contract = Arc::new(contract);
    loop {
        tokio::select! {
            _ = stop.recv() => break,
            incoming = endpoint.accept() => match incoming {
                None => break,
                Some(incoming) => admit(incoming, &config, &contract),
            },
        }
    }
    endpoint.close(VarInt::from_u32(0), b"");
    Ok(())
}

fn admit(incoming: Incoming, config: &ServerConfig, contract: &Arc<Contract>) {
    if contract.test_case == "retry" && !incoming.remote_address_validated() {
        if let Err(e) = incoming.retry() {
            eprintln!("Retry: {e}");
        }
        return;
    }
    let mut config = config.clone();
    config.transport_config(settings::transport(contract, &hex(&incoming.orig_dst_cid())));
    let contract = contract.clone();
    tokio::spawn(async move {
        if let Err(reason) = connection(incoming, config, &contract).await {
            eprintln!("connection: {reason}");
        }
    });
}

async fn connection(
    incoming: Incoming,
    config: ServerConfig,
    contract: &Contract,
) -> Result<(), String> {
    let connecting = incoming.accept_with(Arc::new(config)).map_err(|e| e.to_string())?;
    let connection = if contract.test_case == "zerortt" {
        // Requests in 0-RTT are answered at once, not only when the handshake is complete.
        match connecting.into_0rtt() {
            Ok((connection, _)) => connection,
            Err(connecting) => connecting.await.map_err(|e| e.to_string())?,
        }
    } else {
        connecting.await.map_err(|e| e.to_string())?
    };
    if contract.test_case == "http3" {
        return serve_h3(connection).await;
    }
    // accept_bi() fails when the client has closed the connection, which is the regular end.
    while let Ok((send, receive)) = connection.accept_bi().await {
        tokio::spawn(answer_hq(send, receive));
    }
    Ok(())
}

async fn answer_hq(mut send: SendStream, mut receive: RecvStream) {
    let content = match receive.read_to_end(LONGEST_REQUEST).await {
        Ok(request) => requested_path(&request).and_then(|path| file_for(&path)),
        Err(_) => None,
    };
    match content {
        Some(content) => {
            if send.write_chunk(Bytes::from(content)).await.is_ok() {
                let _ = send.finish();
                // The stream is reset if it is dropped before everything is acknowledged.
                let _ = send.stopped().await;
            }
        }
        None => {
            let _ = send.reset(VarInt::from_u32(1));
        }
    }
}

async fn serve_h3(connection: Connection) -> Result<(), String> {
    let mut h3 = h3::server::Connection::<_, Bytes>::new(h3_quinn::Connection::new(connection))
        .await
        .map_err(|e| e.to_string())?;
    while let Ok(Some(resolver)) = h3.accept().await {
        tokio::spawn(async move {
            if let Ok((request, stream)) = resolver.resolve_request().await {
                if let Err(reason) = answer_h3(request.uri().path(), stream).await {
                    eprintln!("request: {reason}");
                }
            }
        });
    }
    Ok(())
}

async fn answer_h3<S: BidiStream<Bytes>>(
    path: &str,
    mut stream: RequestStream<S, Bytes>,
) -> Result<(), String> {
    let content = file_for(path);
    let status = if content.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let head = Response::builder().status(status).body(()).map_err(|e| e.to_string())?;
    stream.send_response(head).await.map_err(|e| e.to_string())?;
    if let Some(content) = content {
        stream.send_data(Bytes::from(content)).await.map_err(|e| e.to_string())?;
    }
    stream.finish().await.map_err(|e| e.to_string())
}
