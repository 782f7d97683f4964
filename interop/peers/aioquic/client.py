"""The client: fetches REQUESTS into /downloads with HTTP/0.9 or HTTP/3, as TESTCASE says."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import SplitResult, urlsplit

from aioquic.asyncio import QuicConnectionProtocol, connect
from aioquic.h0.connection import H0Connection
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, ProtocolNegotiated, QuicEvent, StreamReset
from aioquic.tls import SessionTicket

from settings import CLIENT_CASES, configuration, test_case

DOWNLOADS = Path("/downloads")

# Longer than any time limit of the runner; only so that nothing waits for ever.
LIMIT_S = 600
TICKET_LIMIT_S = 10


@dataclass
class Download:
    file: BinaryIO
    done: asyncio.Future


class Downloader(QuicConnectionProtocol):
    """One connection and the files that arrive on its streams."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self._http: H0Connection | H3Connection | None = None
        self._downloads: dict[int, Download] = {}

    def request(self, url: SplitResult) -> asyncio.Future:
        """Sends the request for `url` with the next `transmit`."""
        self._begin_http()
        stream_id = self._quic.get_next_available_stream_id()
        headers = [
            (b":method", b"GET"),
            (b":scheme", url.scheme.encode()),
            (b":authority", url.netloc.encode()),
            (b":path", url.path.encode()),
        ]
        self._http.send_headers(stream_id, headers, end_stream=True)
        done = self._loop.create_future()
        self._downloads[stream_id] = Download((DOWNLOADS / Path(url.path).name).open("wb"), done)
        return done

    def _begin_http(self) -> None:
        if self._http is None:
            is_h3 = self._quic.configuration.alpn_protocols == H3_ALPN
            self._http = (H3Connection if is_h3 else H0Connection)(self._quic)

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, ProtocolNegotiated):
            # A server may send its settings before the handshake is complete.
            self._begin_http()
        elif isinstance(event, ConnectionTerminated):
            for stream_id in list(self._downloads):
                self._finish(stream_id, f"connection closed: {event.error_code:#x} {event.reason_phrase}")
        elif isinstance(event, StreamReset):
            self._finish(event.stream_id, f"stream reset: {event.error_code:#x}")
        elif self._http is not None:
            for http_event in self._http.handle_event(event):
                self._http_event_received(http_event)

    def _http_event_received(self, event) -> None:
        download = self._downloads.get(getattr(event, "stream_id", -1))
        if download is None:
            return
        if isinstance(event, HeadersReceived):
            status = dict(event.headers).get(b":status", b"200")
            if status != b"200":
                self._finish(event.stream_id, f"status {status.decode()}")
        elif isinstance(event, DataReceived):
            download.file.write(event.data)
        if event.stream_ended:
            self._finish(event.stream_id)

    def _finish(self, stream_id: int, error: str | None = None) -> None:
        download = self._downloads.pop(stream_id, None)
        if download is None:
            return
        download.file.close()
        if error is None:
            download.done.set_result(None)
        else:
            download.done.set_exception(ConnectionError(error))


@dataclass
class Client:
    config: QuicConfiguration
    ticket: asyncio.Future

    def keep(self, ticket: SessionTicket) -> None:
        if not self.ticket.done():
            self.ticket.set_result(ticket)

    async def fetch(self, urls: list[SplitResult], *, early: bool = False, update_keys: bool = False) -> None:
        """Fetches all `urls` at the same time over one connection."""
        async with connect(
            urls[0].hostname,
            urls[0].port or 443,
            configuration=self.config,
            create_protocol=Downloader,
            session_ticket_handler=self.keep,
            wait_connected=not early,
        ) as connection:
            if update_keys:
                # The library keeps the wish until the handshake is confirmed.
                connection.request_key_update()
            downloads = [connection.request(url) for url in urls]
            connection.transmit()
            await asyncio.gather(*downloads)

    async def fetch_and_resume(self, urls: list[SplitResult], *, early: bool) -> None:
        """The first of `urls`, then the others over a resumed connection."""
        await self.fetch(urls[:1])
        self.config.session_ticket = await asyncio.wait_for(self.ticket, TICKET_LIMIT_S)
        await self.fetch(urls[1:], early=early)

    async def negotiate_version(self, urls: list[SplitResult]) -> None:
        """A handshake that begins with a version nobody knows; there is nothing to fetch."""
        async with connect(urls[0].hostname, urls[0].port or 443, configuration=self.config):
            pass


async def run(case: str, urls: list[SplitResult]) -> None:
    client = Client(configuration(case, is_client=True), asyncio.get_running_loop().create_future())
    if case == "versionnegotiation":
        await client.negotiate_version(urls)
    elif case in ("resumption", "zerortt"):
        await client.fetch_and_resume(urls, early=case == "zerortt")
    elif case == "multiconnect":
        for url in urls:
            await client.fetch([url])
    else:
        await client.fetch(urls, update_keys=case == "keyupdate")


def main() -> None:
    case = test_case(CLIENT_CASES)
    urls = [urlsplit(url) for url in os.environ.get("REQUESTS", "").split()]
    if not urls:
        sys.exit("REQUESTS names no URL")
    try:
        asyncio.run(asyncio.wait_for(run(case, urls), LIMIT_S))
    except (OSError, asyncio.TimeoutError) as error:
        sys.exit(f"client: {type(error).__name__}: {error}")


main()
