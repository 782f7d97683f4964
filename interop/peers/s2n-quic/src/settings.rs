//! What both roles configure alike.

use std::time::Duration;

use s2n_quic::provider::limits::Limits;

const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
const STREAMS: u64 = 200;

pub fn limits() -> Result<Limits, String> {
    Limits::new()
        .with_max_idle_timeout(IDLE_TIMEOUT)
        // The default of ten seconds is short where a third of all packets is lost.
        .and_then(|limits| limits.with_max_handshake_duration(IDLE_TIMEOUT))
        .and_then(|limits| limits.with_max_open_remote_bidirectional_streams(STREAMS))
        .map_err(|e| e.to_string())
}
