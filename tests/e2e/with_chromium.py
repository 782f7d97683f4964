"""Chromium with `quoll serve`, and with the server that has handlers."""

import signal

from chromium import Chromium
from harness import case, random_bytes, sha256, wait_for

RESOURCES = 100
UPLOAD_BYTES = 8 << 20


def page_with_resources():
    """The files of a page that wants 100 others: styles, scripts, images."""
    files = {}
    tags = []
    for number in range(RESOURCES):
        if number % 10 == 0:
            name, contents, tag = "s%d.css" % number, ".c%d{color:red}" % number * 50, "<link rel=stylesheet href=%s>"
        elif number % 10 == 1:
            name, tag = "s%d.js" % number, "<script src=%s></script>"
            contents = "window.loaded = (window.loaded || 0) + 1; //" + "x" * 2000
        else:
            name, tag = "i%d.svg" % number, "<img src=%s>"
            contents = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><!-- %s --></svg>" % ("y" * 37 * number)
        files[name] = contents
        tags.append(tag % name)
    # No icon of its own: the browser would ask for one more file.
    files["index.html"] = "<!doctype html><title>hundred</title><link rel=icon href=data:,>" + "".join(tags)
    return files


def check_page(case, server, browser):
    browser.load(server.url("/"))
    page, resources = browser.protocols()
    resources = [entry for entry in resources if not entry[0].startswith("data:")]
    case.equal(page, "h3", "the page's protocol")
    case.equal(len(resources), RESOURCES, "resources")
    case.equal({protocol for _, protocol in resources}, {"h3"}, "their protocols")
    case.equal(browser.evaluate("window.loaded"), RESOURCES // 10, "scripts that ran")
    case.equal(browser.evaluate("[...document.images].filter(i => !i.complete || !i.naturalWidth).length"), 0, "broken images")


@case("Chromium: a page and its hundred resources come over h3 on the first navigation", needs="chromium")
def page(case):
    server = case.serve(files=page_with_resources())
    check_page(case, server, Chromium(case, server.port, [case.world.certificates.pin("server")]))


@case("Chromium: the same with the certificate that quoll serve makes, and its pin", needs="chromium")
def own_certificate(case):
    server = case.serve(certificate=None, files=page_with_resources())
    check_page(case, server, Chromium(case, server.port, [pin_of(case, server)]))


def pin_of(case, server):
    """The pin that quoll serve prints."""
    words = server.process.text().replace("sha256//", " ").replace("sha256/", " ").split()
    pins = [word.strip(".,;()'\"") for word in words]
    pins = [word for word in pins if len(word) == 44 and word.endswith("=")]
    case.true(pins, "quoll serve prints no pin")
    return pins[0]


@case("Chromium: fetch uploads eight mebibytes, and gets an echo", needs="chromium")
def upload(case):
    server = case.handlers()
    browser = Chromium(case, server.port, [case.world.certificates.pin("server")])
    browser.load(server.url("/"))
    size, digest = browser.evaluate("""
        fetch('/upload', {method: 'POST', body: new Uint8Array(%d).map((_, i) => i %% 251)}).then(r => r.text())
        """ % UPLOAD_BYTES).split()
    body = (bytes(range(251)) * (UPLOAD_BYTES // 251 + 1))[:UPLOAD_BYTES]
    case.equal((size, digest), (str(UPLOAD_BYTES), sha256(body)), "what arrived")
    protocols = browser.protocols()
    case.equal([protocol for name, protocol in protocols[1] if name.endswith("/upload")], ["h3"], "the upload's protocol")
    echoed = browser.evaluate("""
        (async () => {
          const body = 'x'.repeat(300000);
          const answer = await fetch('/echo', {method: 'PUT', body});
          return (await answer.text()) === body;
        })()""")
    case.equal(echoed, True, "the echo")


@case("Chromium: a thousand requests from one page", needs="chromium")
def thousand(case):
    contents = random_bytes(1234)
    server = case.serve(files={"index.html": "<!doctype html><link rel=icon href=data:,>", "file.bin": contents})
    browser = Chromium(case, server.port, [case.world.certificates.pin("server")])
    browser.load(server.url("/"))
    sizes = browser.evaluate("""
        Promise.all([...Array(1000).keys()].map(
          i => fetch('/file.bin?' + i, {cache: 'no-store'}).then(r => r.arrayBuffer()).then(b => b.byteLength)))
        .then(all => [...new Set(all)])""", seconds=60)
    case.equal(sizes, [len(contents)], "sizes")


@case("Chromium: a certificate reload is survived, and new connections see the new key", needs="chromium")
def reload(case):
    certificate, key = case.file("chain.pem"), case.file("key.pem")

    def install(name):
        for source, target in zip(case.pair(name), (certificate, key)):
            with open(source, "rb") as file:
                case.file(target, file.read())

    install("server")
    server = case.serve("--cert", certificate, "--key", key, certificate=None,
                        files={"index.html": "<!doctype html><link rel=icon href=data:,>", "file.bin": "contents"})
    pin = case.world.certificates.pin
    browser = Chromium(case, server.port, [pin("server"), pin("second")])
    browser.load(server.url("/"))
    case.equal(browser.subject(server.url("/")), "server", "the certificate's name")
    install("second")
    server.process.signal(signal.SIGHUP)
    wait_for(lambda: case.get("-s", "--pin", pin("second"), server.url("/file.bin")).code == 0, "the new certificate")
    fetched = browser.evaluate("fetch('/file.bin', {cache: 'no-store'}).then(r => r.text())")
    case.equal(fetched, "contents", "a fetch on the old connection")
    browser.fresh_context()
    browser.load(server.url("/"))
    case.equal(browser.subject(server.url("/")), "second", "the new certificate's name")
    case.equal(browser.protocols()[0], "h3", "the page's protocol")
