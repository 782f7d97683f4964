//! What both roles configure, the same for every stack that is measured: windows, payload size. quiche takes AES-128-GCM
//! by itself where the processor has AES.

pub const PAYLOAD: usize = 1452;
pub const CONNECTION_ID_LENGTH: usize = 16;
const STREAM_WINDOW: u64 = 16 << 20;
const CONNECTION_WINDOW: u64 = 24 << 20;
const IDLE_TIMEOUT_MS: u64 = 30_000;

pub fn config() -> Result<quiche::Config, quiche::Error> {
    let mut config = quiche::Config::new(quiche::PROTOCOL_VERSION)?;
    config.set_application_protos(quiche::h3::APPLICATION_PROTOCOL)?;
    config.set_max_idle_timeout(IDLE_TIMEOUT_MS);
    config.set_max_recv_udp_payload_size(65527);
    config.set_max_send_udp_payload_size(PAYLOAD);
    config.set_initial_max_data(CONNECTION_WINDOW);
    config.set_initial_max_stream_data_bidi_local(STREAM_WINDOW);
    config.set_initial_max_stream_data_bidi_remote(STREAM_WINDOW);
    config.set_initial_max_stream_data_uni(1 << 20);
    config.set_max_stream_window(STREAM_WINDOW);
    config.set_max_connection_window(CONNECTION_WINDOW);
    config.set_initial_max_streams_bidi(100);
    config.set_initial_max_streams_uni(16);
    // Departure times are for SO_TXTIME; the others' pacing lets trains out at once.
    config.enable_pacing(false);
    config.verify_peer(false);
    Ok(config)
}

pub fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut bytes = [0_u8; N];
    // SAFETY: the buffer has the length that is told.
    let got = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), N, 0) };
    if got == N as isize {
        Ok(bytes)
    } else {
        Err("getrandom failed".to_string())
    }
}
