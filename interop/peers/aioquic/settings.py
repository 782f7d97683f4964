"""What a test case of the interop runner means for aioquic's configuration."""

import os
import ssl
import sys

from aioquic.h0.connection import H0_ALPN
from aioquic.h3.connection import H3_ALPN
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.logger import QuicFileLogger
from aioquic.quic.packet import QuicProtocolVersion
from aioquic.tls import CipherSuite

UNSUPPORTED = 127

# A version that is reserved to provoke Version Negotiation (RFC 9000, section 15).
RESERVED_VERSION = 0x1A2A3A4A

COMMON = {"handshake", "transfer", "chacha20", "retry", "resumption", "zerortt", "http3", "multiconnect", "v2"}
CLIENT_CASES = COMMON | {"keyupdate", "versionnegotiation"}
SERVER_CASES = COMMON | {"keyupdate", "versionnegotiation"}


def test_case(supported: set[str]) -> str:
    """The test case of the environment; leaves the program when it is not among `supported`."""
    name = os.environ.get("TESTCASE", "")
    if name not in supported:
        print(f"unsupported test case: {name}", flush=True)
        sys.exit(UNSUPPORTED)
    return name


def configuration(case: str, is_client: bool) -> QuicConfiguration:
    config = QuicConfiguration(
        is_client=is_client,
        alpn_protocols=H3_ALPN if case == "http3" else H0_ALPN,
        congestion_control_algorithm="cubic",
        verify_mode=ssl.CERT_NONE,
        # The library takes up version 2 whenever both sides know it; every test but one wants version 1.
        supported_versions=[QuicProtocolVersion.VERSION_1],
    )
    if case == "chacha20":
        config.cipher_suites = [CipherSuite.CHACHA20_POLY1305_SHA256]
    elif case == "v2":
        config.supported_versions = [QuicProtocolVersion.VERSION_2, QuicProtocolVersion.VERSION_1]
        config.original_version = QuicProtocolVersion.VERSION_1
    elif case == "versionnegotiation" and is_client:
        config.supported_versions = [RESERVED_VERSION, QuicProtocolVersion.VERSION_1]
    if not is_client:
        config.load_cert_chain("/certs/cert.pem", "/certs/priv.key")
    add_logs(config)
    return config


def add_logs(config: QuicConfiguration) -> None:
    if path := os.environ.get("SSLKEYLOGFILE"):
        # Line by line, so that the keys are there however the process ends.
        config.secrets_log_file = open(path, "a", buffering=1)
    if folder := os.environ.get("QLOGDIR"):
        os.makedirs(folder, exist_ok=True)
        config.quic_logger = QuicFileLogger(folder)
