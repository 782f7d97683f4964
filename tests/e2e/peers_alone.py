"""The peers with each other: when these fail, the machine or a peer is at fault, and not Quoll."""

import aio
import ngtcp2_client
import servers
from chromium import Chromium
from harness import case, random_bytes


@case("peers alone: an aioquic client downloads from Caddy", needs=("aioquic", "caddy"))
def aioquic_from_caddy(case):
    contents = random_bytes(300_000)
    server = servers.caddy(case, {"file.bin": contents})

    async def client():
        async with aio.connected(case, server.port) as connection:
            return await connection.get("/file.bin")

    answer = case.wait(client())
    case.equal(answer.status, 200, "status")
    case.equal(bytes(answer.body), contents, "body")


@case("peers alone: Chromium loads a page from Caddy", needs=("chromium", "caddy"))
def chromium_from_caddy(case):
    page = "<!doctype html><link rel=icon href=data:,><script src=a.js></script>"
    server = servers.caddy(case, {"index.html": page, "a.js": "let a = 1"})
    browser = Chromium(case, server.port, [case.world.certificates.pin("server")])
    browser.load(server.url("/"))
    case.equal(browser.protocols(), ("h3", [[server.url("/a.js"), "h3"]]), "protocols")


@case("peers alone: ngtcp2's client downloads from an aioquic server", needs=("aioquic", "gtlsclient"))
def ngtcp2_from_aioquic(case):
    contents = random_bytes(100_000)
    with aio.Server(case, lambda request: request.answer(200, [("content-length", str(len(contents)))], contents)) as server:
        ngtcp2_client.download(case, server.port, ["/file.bin"])
        case.equal(case.read("ngtcp2-downloads/file.bin"), contents, "file")


@case("peers alone: an aioquic client downloads from ngtcp2's server", needs=("aioquic", "gtlsserver"))
def aioquic_from_ngtcp2(case):
    contents = random_bytes(100_000)
    server = servers.ngtcp2(case, {"file.bin": contents})

    async def client():
        async with aio.connected(case, server.port) as connection:
            return await connection.get("/file.bin")

    case.equal(bytes(case.wait(client()).body), contents, "body")
