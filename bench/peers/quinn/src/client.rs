//! So many requests at a time on one connection, and how long they took.

use std::cell::Cell;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use http::Request;
use quinn::VarInt;
use tokio::task::{JoinSet, LocalSet};

use crate::settings;

const DATA: &[u8] = &[b'q'; 256 * 1024];

#[derive(Clone, Copy)]
pub struct Load {
    upload: bool,
    streams: u64,
    requests: u64,
    size: u64,
}

impl Load {
    pub fn parse(direction: &str, streams: &str, requests: &str, size: &str) -> Option<Load> {
        let number = |text: &str| text.parse::<u64>().ok();
        Some(Load {
            upload: match direction {
                "up" => true,
                "down" => false,
                _ => return None,
            },
            streams: number(streams)?,
            requests: number(requests)?,
            size: number(size)?,
        })
    }
}

type Sender = h3::client::SendRequest<h3_quinn::OpenStreams, Bytes>;

pub async fn run(address: &str, load: Load) -> Result<(), String> {
    let server: SocketAddr = address.parse().map_err(|_| format!("{address}: no address"))?;
    let endpoint = settings::endpoint((Ipv4Addr::UNSPECIFIED, 0).into(), None)?;
    let connection = endpoint
        .connect_with(settings::client()?, server, "localhost")
        .map_err(|e| e.to_string())?
        .await
        .map_err(|e| e.to_string())?;
    let (mut driver, sender) = h3::client::new(h3_quinn::Connection::new(connection.clone()))
        .await
        .map_err(|e| e.to_string())?;
    tokio::spawn(async move {
        driver.wait_idle().await;
    });

    let (begin, cpu) = (Instant::now(), cpu_seconds());
    let left = Rc::new(Cell::new(load.requests));
    let local = LocalSet::new();
    let bytes = local
        .run_until(async {
            let mut tasks = JoinSet::new();
            for _ in 0..load.streams {
                tasks.spawn_local(one_after_the_other(sender.clone(), server, load, left.clone()));
            }
            let mut bytes = 0;
            while let Some(done) = tasks.join_next().await {
                bytes += done.map_err(|e| e.to_string())??;
            }
            Ok::<u64, String>(bytes)
        })
        .await?;
    println!(
        "{{\"seconds\": {}, \"requests\": {}, \"bytes\": {bytes}, \"client_cpu_seconds\": {}}}",
        begin.elapsed().as_secs_f64(),
        load.requests,
        cpu_seconds() - cpu
    );
    connection.close(VarInt::from_u32(0x100), b"");
    let _ = tokio::time::timeout(Duration::from_millis(20), endpoint.wait_idle()).await;
    Ok(())
}

/// Bytes of bodies, both ways.
async fn one_after_the_other(
    mut sender: Sender,
    server: SocketAddr,
    load: Load,
    left: Rc<Cell<u64>>,
) -> Result<u64, String> {
    let mut bytes = 0;
    while left.get() > 0 {
        left.set(left.get() - 1);
        let url = if load.upload { format!("https://{server}/") } else { format!("https://{server}/{}", load.size) };
        let request = if load.upload { Request::post(url) } else { Request::get(url) };
        let request = request.body(()).map_err(|e| e.to_string())?;
        let mut stream = sender.send_request(request).await.map_err(|e| e.to_string())?;
        let mut to_send = if load.upload { load.size } else { 0 };
        while to_send > 0 {
            let size = to_send.min(DATA.len() as u64);
            stream.send_data(Bytes::from_static(&DATA[..size as usize])).await.map_err(|e| e.to_string())?;
            to_send -= size;
            bytes += size;
        }
        stream.finish().await.map_err(|e| e.to_string())?;
        let response = stream.recv_response().await.map_err(|e| e.to_string())?;
        if !response.status().is_success() {
            return Err(format!("status {}", response.status()));
        }
        while let Some(piece) = stream.recv_data().await.map_err(|e| e.to_string())? {
            bytes += piece.remaining() as u64;
        }
    }
    Ok(bytes)
}

fn cpu_seconds() -> f64 {
    // SAFETY: an all-zero rusage is valid, and the call fills it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    seconds(usage.ru_utime) + seconds(usage.ru_stime)
}
