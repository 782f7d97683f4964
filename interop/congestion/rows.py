"""The table of what is measured: each row has a link, files to carry over it, a value, and what each controller is to reach."""

from dataclasses import dataclass, field

import values
from files import KB, MB
from testcases import TestCase

PACKET = 1500  # bytes: what a place in a queue may hold
LOSS_BASED = ("cubic", "newreno")
CONTROLLERS = ("cubic", "newreno", "bbr2", "bbr3")
_UP_AT, _BACK_AT = 10.0, 7.0  # seconds: when the link of a row is fast, or there, again
SPREAD = 1.0  # seconds by which such an event comes later, at most: timers may be in any phase then


@dataclass(frozen=True)
class Goal:
    """Bounds of a value for some controllers. It is the runs' median that counts, or with `worst` the largest."""

    value: str
    low: float = float("-inf")
    high: float = float("inf")
    controllers: tuple = CONTROLLERS
    worst: bool = False


@dataclass(frozen=True)
class Row:
    """`link` are quoll_link's arguments, or a function that makes them of the seconds by which its events come later. `value` is
    shown first, in `unit`, of what `measure` gives. `sizes_of`: other files for some controllers, which would take minutes. `tcp`:
    a TCP connection of the kernel can be measured alone, too."""

    name: str
    title: str
    link: object
    sizes: tuple
    value: str
    unit: str
    goals: tuple = ()
    measure: object = None
    sizes_of: dict = field(default_factory=dict)
    client: str = "transfer"
    server: str = "transfer"
    seconds: int = 180
    cross_traffic: str = ""
    tcp: bool = True
    quick: bool = False
    rate: float = 0.0  # bit/s of the link

    def sizes_for(self, sender):
        return self.sizes_of.get(sender, self.sizes)

    def later(self, seed):
        """Seconds, the same for all senders."""
        return SPREAD * (seed % 1000) / 1000 if callable(self.link) else 0.0

    def link_for(self, seed):
        return self.link(self.later(seed)) if callable(self.link) else self.link

    def test(self, sender, seed):
        return TestCase(self.name, self.name, self.title, self.server, self.client, self.sizes_for(sender), (),
                        scenario=self.link_for(seed), seconds=self.seconds, cross_traffic=self.cross_traffic)


def goodput(row, packets, size, began, tcp):
    return {"goodput": values.goodput(packets, size, tcp), "seconds": values.end(packets, tcp) - values.begin(packets, tcp)}


def share(row, packets, size, began, tcp):
    return {**goodput(row, packets, size, began, tcp), "share": 100 * values.share_beside_tcp(packets, size)}


def outage(row, packets, size, began, tcp):
    return {**goodput(row, packets, size, began, tcp),
            "resumed": values.seconds_to_data(packets, began + _BACK_AT, tcp),
            "back": values.seconds_to_rate(packets, began + _BACK_AT, row.rate, tcp)}


def rate_step(row, packets, size, began, tcp):
    return {**goodput(row, packets, size, began, tcp), "back": values.seconds_to_rate(packets, began + _UP_AT, row.rate, tcp)}


def _link(rate, one_way, queue, kind="simple-p2p", *more):
    return (kind, "--bandwidth=" + rate, "--delay=" + one_way, "--queue=%d" % queue, *more)


def _loss(percent, burst):
    return ("--rate_to_server=" + percent, "--rate_to_client=" + percent, "--burst_to_server=%d" % burst,
            "--burst_to_client=%d" % burst)


def _bdp(rate, seconds, share=1.0):
    """Bandwidth-delay products in packets."""
    return round(share * rate * seconds / 8 / PACKET)


_USUAL = _link("10Mbps", "15ms", 25)
_USUAL_TITLE = "10 Mbit/s, 30 ms, queue 25, "
_BBR = ("bbr2", "bbr3")


def _long(name, title, share, *loss, **more):
    queue = _bdp(100e6, 0.1, share)
    link = _link("100Mbps", "50ms", queue, "drop-rate" if loss else "simple-p2p", *loss)
    return Row(name, "100 Mbit/s, 100 ms, " + title, link, (100 * MB,), "goodput", "kbit/s", rate=100e6, **more)


def _random(percent, bbr, cubic, size):
    return _long("random-" + percent, "queue 1 BDP, %s %% loss, 100 MB" % percent, 1, *_loss(percent, 1), tcp=False,
                 sizes_of={name: (size,) for name in LOSS_BASED},
                 goals=(Goal("goodput", low=bbr, controllers=_BBR), Goal("goodput", low=cubic, controllers=("cubic",))),
                 measure=goodput)


def _outage_link(later):
    return _link("10Mbps", "15ms", 25, "blackhole", "--on=%.3fs" % (_BACK_AT - 2 + later), "--off=2s")


def _phased_link(later):
    # Where queues are full and ACKs pace, the delay modulo a packet's time (1.2 ms, of a round trip) says whose packets come
    # to the queue just before the others' and whose just after: 15 ms is one case of many.
    return _link("10Mbps", "%.3fms" % (14.7 + 0.6 * later / SPREAD), 25)


def _stepping_link(later):
    return _link("40Mbps", "25ms", _bdp(40e6, 0.05), "simple-p2p",
                 "--rate-steps=10Mbps@%.3fs,40Mbps@%.3fs" % (_UP_AT - 5 + later, _UP_AT + later))


_LONG_GOALS = (Goal("goodput", low=90e3), Goal("queue_p95", high=30.0, controllers=_BBR))

ROWS = (
    Row("usual", _USUAL_TITLE + "10 MB", _USUAL, (10 * MB,), "goodput", "kbit/s", measure=goodput, rate=10e6,
        goals=(Goal("goodput", low=9450), Goal("queue_p95", high=15.0, controllers=_BBR)), quick=True),
    Row("beside-cubic", _USUAL_TITLE + "25 MB beside TCP CUBIC", _USUAL, (25 * MB,), "share", "%", measure=share, tcp=False,
        goals=(Goal("share", 45, 55, LOSS_BASED), Goal("share", 40, 60, _BBR)), cross_traffic="cubic"),
    Row("beside-phase", "10 Mbit/s, 29.4 to 30.6 ms, queue 25, 25 MB beside TCP CUBIC", _phased_link, (25 * MB,), "share", "%",
        measure=share, tcp=False, goals=(Goal("share", 45, 55, LOSS_BASED), Goal("share", 40, 60, _BBR)), cross_traffic="cubic"),
    Row("beside-bbr", _USUAL_TITLE + "25 MB beside TCP BBR", _USUAL, (25 * MB,), "share", "%", measure=share, tcp=False,
        sizes_of={name: (5 * MB,) for name in LOSS_BASED}, cross_traffic="bbr"),
    Row("bursts-2", _USUAL_TITLE + "2 % loss, bursts ≤ 3, 2 MB", _link("10Mbps", "15ms", 25, "drop-rate", *_loss("2", 3)),
        (2 * MB,), "seconds", "s", measure=goodput, tcp=False, quick=True,
        goals=(Goal("seconds", high=1.9, controllers=_BBR), Goal("seconds", high=3.9, controllers=("cubic",)))),
    Row("connections-30", _USUAL_TITLE + "30 % loss, 50 connections of 1 KB",
        _link("10Mbps", "15ms", 25, "drop-rate", *_loss("30", 3)), (KB,) * 50, "seconds", "s", measure=goodput, tcp=False,
        client="multiconnect", server="multiconnect", seconds=300, goals=(Goal("seconds", high=45.0),)),
    Row("outage", _USUAL_TITLE + "2 s outage at 5 s, 10 MB", _outage_link,
        (10 * MB,), "resumed", "s", measure=outage, rate=10e6, quick=True,
        goals=(Goal("resumed", high=0.1), Goal("resumed", high=0.3, worst=True))),
    _long("long-half", "queue 0.5 BDP, 100 MB", 0.5, measure=goodput, goals=_LONG_GOALS),
    _long("long-1", "queue 1 BDP, 100 MB", 1, measure=goodput, goals=_LONG_GOALS),
    _long("long-4", "queue 4 BDP, 100 MB", 4, measure=goodput, goals=_LONG_GOALS),
    _random("0.1", 88e3, 15e3, 40 * MB),
    _random("1", 85e3, 2.9e3, 10 * MB),
    Row("satellite", "20 Mbit/s, 600 ms, queue 1 BDP, 20 MB", _link("20Mbps", "300ms", _bdp(20e6, 0.6)), (20 * MB,),
        "seconds", "s", measure=goodput, goals=(Goal("seconds", high=11.0),), rate=20e6),
    Row("shallow", "100 Mbit/s, 20 ms, queue of 10, 25 MB", _link("100Mbps", "10ms", 10), (25 * MB,), "goodput", "kbit/s",
        measure=goodput, rate=100e6, quick=True,
        goals=(Goal("goodput", low=86e3, controllers=_BBR), Goal("goodput", low=60e3, controllers=("cubic",)))),
    Row("small-files", "40 Mbit/s, 50 ms, queue 1 BDP, 20 × 15 KB at once", _link("40Mbps", "25ms", _bdp(40e6, 0.05)),
        (15 * KB,) * 20, "seconds", "s", measure=goodput, tcp=False, goals=(Goal("seconds", high=0.26),), rate=40e6, quick=True),
    Row("rate-step", "40 → 10 → 40 Mbit/s, 50 ms, queue 1 BDP, back to 80 %",
        _stepping_link, (50 * MB,), "back", "s", measure=rate_step, rate=40e6,
        goals=(Goal("back", high=0.2, controllers=("cubic",)), Goal("back", high=0.5, controllers=_BBR))),
)


def select(text, quick=False):
    """The rows of a comma-separated list of names, in the table's order. Raises KeyError."""
    rows = {row.name: row for row in ROWS if not quick or row.quick or text}
    if not text:
        return list(rows.values())
    for name in text.split(","):
        if name not in rows:
            raise KeyError(name)
    return [row for name, row in rows.items() if name in text.split(",")]
