"""Chromium without a window, led through the DevTools protocol over a pipe."""

import fcntl
import json
import os
import select
import time

from harness import WAIT_SECONDS, Failure

START_SECONDS = 90  # it reads a few hundred megabytes first


def _high_pipe():
    """A pipe whose descriptors are none of 3 and 4, which are to be replaced."""
    ends = os.pipe()
    high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return high


class Chromium:
    """A browser with a fresh profile that uses HTTP/3 for one origin from the first packet on, and takes the certificates with
    these pins (Base64 of the SHA-256 of their keys) there."""

    def __init__(self, case, port, pins):
        to_browser, self._out = _high_pipe()
        self._in, from_browser = _high_pipe()
        case.cleanup.callback(os.close, self._out)
        case.cleanup.callback(os.close, self._in)
        options = [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
            "--disable-domain-reliability", "--no-proxy-server",
            "--host-resolver-rules=MAP localhost 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            "--user-data-dir=" + case.file("chromium"), "--origin-to-force-quic-on=localhost:%d" % port,
            "--ignore-certificate-errors-spki-list=" + ",".join(pins), "--remote-debugging-pipe", "about:blank"]
        # The browser reads commands from descriptor 3 and writes to 4; bash puts ours there.
        self.process = case.start(
            "chromium", "bash", "-c", 'exec "$@" 3<&%d 4>&%d' % (to_browser, from_browser), "chromium", case.tool("chromium"),
            *options, environment={"HOME": case.folder}, pass_fds=(to_browser, from_browser))
        os.close(to_browser)
        os.close(from_browser)
        self._buffer = bytearray()
        self._events = []
        self._number = 0
        self._session = None
        self._open_page()

    def _open_page(self, **context):
        self._session = None
        target = self.call("Target.createTarget", START_SECONDS, url="about:blank", **context)["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")
        self.call("Network.enable")

    def fresh_context(self):
        """Goes on in a page that shares no connection, ticket or cache with those before."""
        self._session = None
        context = self.call("Target.createBrowserContext")["browserContextId"]
        self._open_page(browserContextId=context)

    def call(self, method, seconds=WAIT_SECONDS, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + seconds
        while True:
            answer = self._message(end, method)
            if answer.get("id") != self._number:
                self._events.append(answer)
            elif "error" in answer:
                raise Failure("%s: %s" % (method, answer["error"]))
            else:
                return answer["result"]

    def _message(self, end, what):
        searched = 0
        while (mark := self._buffer.find(b"\0", searched)) < 0:
            searched = len(self._buffer)
            if not select.select([self._in], [], [], max(0, end - time.monotonic()))[0]:
                raise Failure("Chromium did not answer: " + what)
            data = os.read(self._in, 1 << 20)
            if not data:
                raise Failure("Chromium ended: " + what)
            self._buffer += data
        text = bytes(self._buffer[:mark])
        del self._buffer[:mark + 1]
        return json.loads(text)

    def _wait_event(self, method, seconds):
        end = time.monotonic() + seconds
        while True:
            for event in self._events:
                if event.get("method") == method:
                    self._events.remove(event)
                    return event["params"]
            self._events.append(self._message(end, method))

    def subject(self, url):
        """The common name in the certificate that the last load() of this URL was answered with."""
        for event in reversed(self._events):
            if event.get("method") == "Network.responseReceived" and event["params"]["response"]["url"] == url:
                return event["params"]["response"]["securityDetails"]["subjectName"]
        raise Failure("no response of " + url)

    def load(self, url, seconds=WAIT_SECONDS):
        """Goes to a page, until it and all that belongs to it is loaded."""
        self._events.clear()
        answer = self.call("Page.navigate", seconds, url=url)
        if "errorText" in answer:
            raise Failure("Chromium at %s: %s" % (url, answer["errorText"]))
        self._wait_event("Page.loadEventFired", seconds)

    def evaluate(self, script, seconds=WAIT_SECONDS):
        """The value of an expression in the page; a promise is waited for."""
        answer = self.call("Runtime.evaluate", seconds, expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise Failure("in the page: %s" % answer["exceptionDetails"])
        return answer["result"].get("value")

    def protocols(self):
        """The protocol that brought the page, and those of its resources with their names."""
        page = self.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol")
        resources = self.evaluate("performance.getEntriesByType('resource').map(e => [e.name, e.nextHopProtocol])")
        return page, resources
