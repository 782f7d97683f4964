"""The server: serves /www on UDP port 443 with HTTP/0.9 or HTTP/3, as TESTCASE says, until SIGTERM."""

import asyncio
import signal
from pathlib import Path

from aioquic.asyncio import QuicConnectionProtocol, serve
from aioquic.h0.connection import H0Connection
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import HeadersReceived
from aioquic.quic.events import ProtocolNegotiated, QuicEvent
from aioquic.tls import SessionTicket

from settings import SERVER_CASES, configuration, test_case

ROOT = Path("/www")


class FileServer(QuicConnectionProtocol):
    """One connection and the files asked for on its streams."""

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self._http: H0Connection | H3Connection | None = None

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, ProtocolNegotiated):
            self._http = (H3Connection if event.alpn_protocol in H3_ALPN else H0Connection)(self._quic)
        if self._http is not None:
            for http_event in self._http.handle_event(event):
                if isinstance(http_event, HeadersReceived):
                    self._answer(http_event)

    def _answer(self, request: HeadersReceived) -> None:
        path = dict(request.headers)[b":path"].decode()
        file = (ROOT / path.lstrip("/")).resolve()
        if file.is_relative_to(ROOT) and file.is_file():
            # HTTP/0.9 has no header fields; the library sends nothing for them.
            self._http.send_headers(request.stream_id, [(b":status", b"200")])
            self._http.send_data(request.stream_id, file.read_bytes(), end_stream=True)
        elif isinstance(self._http, H3Connection):
            self._http.send_headers(request.stream_id, [(b":status", b"404")], end_stream=True)
        else:
            # Without a status, a reset is the only word for a file that is not there.
            self._quic.reset_stream(request.stream_id, error_code=0)


async def run(case: str) -> None:
    tickets: dict[bytes, SessionTicket] = {}

    def keep(ticket: SessionTicket) -> None:
        tickets[ticket.ticket] = ticket

    resumes = case in ("resumption", "zerortt")
    server = await serve(
        "::",
        443,
        configuration=configuration(case, is_client=False),
        create_protocol=FileServer,
        session_ticket_fetcher=tickets.get if resumes else None,
        session_ticket_handler=keep if resumes else None,
        retry=case == "retry",
    )
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    await stopped.wait()
    server.close()


asyncio.run(run(test_case(SERVER_CASES)))
