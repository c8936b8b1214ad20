"""Every SMTP phase meets every fault: the state is the documented one, the deadline holds, no socket is left open.

Nine phases, twelve faults: more than sixty cells. What is documented: a reply of 4yz means later (and a full mailbox, a
point against the address once all tries are used up), 5yz is judged by its enhanced code, a lost connection before the dot is safe to retry, after it is in doubt.
"""

from __future__ import annotations

import os
import ssl
import time
from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from monitor.core.delivery import Envelope, Fate, Verdict, judge
from monitor.mail.conversation import Deadlines
from monitor.mail.smtp import SmtpTransport
from monitor.services.delivering import Delivering
from monitor.storage.engine import Database
from tests.outbox import SECRET, SetClock, fill, rows
from tests.smtp_server import Relay, Script

ENVELOPE = Envelope("bounce+1.00@lab.example", "grace@lab.example", "1.00", "<1@lab.example>")
MESSAGE = b"Subject: invented\r\n\r\n" + b"Invented line of text.\r\n" * 4_000
LARGE = MESSAGE + b"Invented line of text.\r\n" * 800_000
"""More than two socket buffers hold, so that a relay that stops reading holds us up before the dot."""

DEADLINES = Deadlines(connect=0.4, setup=0.4, transaction=0.5, dot=0.5)
SLACK = 1.5
"""Seconds that two busy cores may add to the sum of the deadlines."""

LATER, SOON = Verdict.RETRY, Verdict.AWAY
RELAY_PHASES = ("connect", "ehlo", "tls", "auth")
LOST = ("close", "reset", "silence", "drip", "half", "garbage", "endless")


def documented(phase: str, fault: str) -> tuple[Fate, Verdict]:
    if fault in LOST:
        if phase == "dot":
            return Fate.IN_DOUBT, Verdict.IN_DOUBT
        return Fate.NOT_SENT, SOON if phase in RELAY_PHASES else LATER
    if fault.startswith("452 4.2.2") and phase in ("rcpt", "data", "body", "dot"):
        return Fate.NOT_SENT, Verdict.FULL
    if fault.startswith("4"):
        return Fate.NOT_SENT, SOON if phase in RELAY_PHASES else LATER
    if phase in RELAY_PHASES or fault.startswith("554 5.7.1"):
        return Fate.NOT_SENT, Verdict.OURS
    if fault.startswith("550 5.1.1"):
        return Fate.NOT_SENT, Verdict.HARD
    raise AssertionError(fault)


FAULTS = (
    *LOST,
    "421 4.3.2 closing",
    "450 4.2.0 try later",
    "452 4.2.2 mailbox full",
    "550 5.1.1 no such user",
    "554 5.7.1 not you",
)
CELLS = [
    (phase, fault)
    for phase in ("connect", "ehlo", "tls", "auth", "mail", "rcpt", "data", "body", "dot")
    for fault in FAULTS
]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


@pytest.fixture(scope="module")
def client_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def open_sockets() -> int:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("open sockets are counted in /proc")
    count = 0
    for each in folder.iterdir():
        try:
            count += os.readlink(each).startswith("socket:")
        except FileNotFoundError:
            continue
    return count


def transport(relay: Relay, phase: str, client_context: ssl.SSLContext) -> SmtpTransport:
    secure = phase in ("tls", "auth")
    return SmtpTransport(
        "localhost" if secure else "127.0.0.1",
        relay.port,
        security="starttls" if secure else "none",
        local_hostname="monitor.lab.example",
        user="ada" if phase == "auth" else None,
        password="invented" if phase == "auth" else None,
        context=client_context,
        deadlines=DEADLINES,
    )


@pytest.mark.parametrize(("phase", "fault"), CELLS)
def test_fault_leaves_the_documented_state(
    phase: str, fault: str, server_context: ssl.SSLContext, client_context: ssl.SSLContext
) -> None:
    script = Script(phase, fault, offer_tls=True, auth=("PLAIN", "LOGIN"), user=("ada", "invented"))
    before = open_sockets()
    dots: list[float] = []
    with Relay(script, server_context) as relay:
        started = time.monotonic()
        sender = transport(relay, phase, client_context)
        outcome = sender.send(ENVELOPE, LARGE if phase == "body" else MESSAGE, lambda: dots.append(time.monotonic()))
        taken = time.monotonic() - started
        sender.close()
        assert relay.wait_until_all_closed()
        fate, verdict = documented(phase, fault)
        assert (outcome.fate, judge(outcome)) == (fate, verdict), outcome
        assert outcome.phase == phase, outcome
        assert outcome.text
        assert bool(dots) == (phase == "dot")
        # A mail the relay may have is never called unsent.
        assert not relay.accepted or fate is Fate.IN_DOUBT
        assert taken <= DEADLINES.connect + DEADLINES.setup + DEADLINES.transaction + DEADLINES.dot + SLACK
    assert open_sockets() == before


def test_there_are_at_least_sixty_cells() -> None:
    assert len(set(CELLS)) >= 60


def test_a_port_where_nobody_listens_is_away() -> None:
    with Relay() as relay:
        port = relay.port
    sender = SmtpTransport("127.0.0.1", port, security="none", local_hostname="x.example", deadlines=DEADLINES)
    outcome = sender.send(ENVELOPE, MESSAGE, _unexpected)
    assert (outcome.fate, outcome.phase, judge(outcome)) == (Fate.NOT_SENT, "connect", Verdict.AWAY)


def _unexpected() -> None:
    raise AssertionError("nothing may be written")


def test_an_exception_before_the_dot_leaves_the_relay_without_the_mail() -> None:
    class Lost(Exception):
        pass

    def lose() -> None:
        raise Lost

    with Relay() as relay:
        sender = SmtpTransport("127.0.0.1", relay.port, security="none", local_hostname="x.example")
        with pytest.raises(Lost):
            sender.send(ENVELOPE, MESSAGE, lose)
        assert relay.wait_until_all_closed()
        assert relay.accepted == []


@pytest.mark.parametrize(
    ("phase", "sent", "stopped"),
    [
        ("connect", 0, True),
        ("ehlo", 0, True),
        ("mail", 0, True),
        ("rcpt", 2, False),
        ("data", 2, False),
        ("dot", 2, False),
    ],
)
def test_a_refusal_of_us_stops_the_run_before_rcpt_and_postpones_one_domain_from_there(
    sqlite_database: Database, phase: str, sent: int, stopped: bool
) -> None:
    ids = fill(sqlite_database, ["a@blocked.example", "b@blocked.example", "c@good.example", "d@good.example"])
    script = Script(phase, "554 5.7.1 not you", domain="" if stopped else "blocked.example")
    clock = SetClock()
    with Relay(script) as relay:
        sender = SmtpTransport(
            "127.0.0.1", relay.port, security="none", local_hostname="x.example", deadlines=DEADLINES
        )
        report = Delivering(
            sqlite_database, sender, clock, secret=SECRET, domain="lab.example", owner="test", jitter=lambda: 0.0
        ).run()
    assert (report.retried, report.sent, report.stopped is not None) == (1, sent, stopped)
    waiting = [rows(sqlite_database)[id].next_at - clock.at for id in ids[:2]]
    assert waiting == [timedelta(minutes=1), timedelta(minutes=0 if stopped else 1)]
