//! GET /N: N bytes. POST: swallowed.

use bytes::Bytes;
use h3::quic::BidiStream;
use h3::server::RequestStream;
use http::{Method, Request, Response, StatusCode};
use quinn::Incoming;

use crate::settings;

const DATA: &[u8] = &[b'q'; 256 * 1024];

pub async fn run(address: &str, certificate: &str, key: &str) -> Result<(), String> {
    let address = address.parse().map_err(|_| format!("{address}: no address"))?;
    let endpoint = settings::endpoint(address, Some(settings::server(certificate, key)?))?;
    println!("listening on https://{address}/");
    while let Some(incoming) = endpoint.accept().await {
        tokio::spawn(async move {
            // How a connection ends is its client's business.
            let _ = connection(incoming).await;
        });
    }
    Ok(())
}

async fn connection(incoming: Incoming) -> Result<(), String> {
    let connection = incoming.await.map_err(|e| e.to_string())?;
    let mut h3 = h3::server::Connection::<_, Bytes>::new(h3_quinn::Connection::new(connection))
        .await
        .map_err(|e| e.to_string())?;
    while let Ok(Some(resolver)) = h3.accept().await {
        tokio::spawn(async move {
            if let Ok((request, stream)) = resolver.resolve_request().await {
                let _ = answer(request, stream).await;
            }
        });
    }
    Ok(())
}

async fn answer<S: BidiStream<Bytes>>(
    request: Request<()>,
    mut stream: RequestStream<S, Bytes>,
) -> Result<(), String> {
    let mut left = request.uri().path()[1..].parse::<u64>().ok();
    if request.method() == Method::POST {
        while stream.recv_data().await.map_err(|e| e.to_string())?.is_some() {}
        left = Some(0);
    }
    let status = if left.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    let mut left = left.unwrap_or(0);
    let head = Response::builder()
        .status(status)
        .header("content-length", left)
        .body(())
        .map_err(|e| e.to_string())?;
    stream.send_response(head).await.map_err(|e| e.to_string())?;
    while left > 0 {
        let size = left.min(DATA.len() as u64);
        stream.send_data(Bytes::from_static(&DATA[..size as usize])).await.map_err(|e| e.to_string())?;
        left -= size;
    }
    stream.finish().await.map_err(|e| e.to_string())
}
