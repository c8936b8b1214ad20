"""Delivery: a digest of about 100 KB to a null sink on one connection, outbox commits included, against build-each."""

from __future__ import annotations

import smtplib
import statistics
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from monitor.core.delivery import Envelope, Fate
from monitor.mail.bounces import envelope_id, return_path
from monitor.mail.message import Marks, splice
from monitor.mail.smtp import SmtpTransport
from monitor.services.delivering import Delivering
from monitor.storage.engine import Database, connect, sqlite_url
from monitor.storage.migrations import upgrade
from tests import outbox, processes
from tests.benchmarks.harness import Row
from tests.letters import TOKEN, UNSUBSCRIBE, letter, template
from tests.outbox import SECRET, RealClock, fill

LETTERS = 2000
PEERS = 150
BODY = "Invented natural killer cells carried an invented receptor and killed β-invented targets. " * 540
MESSAGE = template(body=BODY)


@contextmanager
def null_sink() -> Iterator[int]:
    process, connection = processes.start(processes.sink, "/dev/null")
    try:
        yield connection.recv()
    finally:
        process.kill()
        process.join()
        connection.close()


@contextmanager
def filled(folder: str, letters: int) -> Iterator[Database]:
    database = connect(sqlite_url(Path(folder) / "bench.db"))
    upgrade(database)
    fill(database, [f"reader{number}@lab.example" for number in range(letters)], message=MESSAGE, at=datetime.now(UTC))
    yield database
    database.dispose()


def prepare(rounds: int) -> float:
    """CPU milliseconds a recipient for everything before the first SMTP command."""
    moment = datetime.now(UTC)
    started = time.process_time()
    for number in range(rounds):
        mail = splice(MESSAGE, Marks(f"reader{number}@lab.example", TOKEN, f"<{number}@lab.example>", moment))
        zlib.crc32(mail)
        return_path(SECRET, number, "lab.example")
        envelope_id(SECRET, number)
    return (time.process_time() - started) / rounds * 1000


def ours(port: int, letters: int) -> tuple[float, float]:
    """Wall and CPU seconds a letter through the whole outbox on SQLite, two commits and an attempt row each."""
    with tempfile.TemporaryDirectory() as folder, filled(folder, letters) as database:
        transport = SmtpTransport(
            "127.0.0.1", port, security="none", local_hostname="monitor.lab.example", reuse=letters
        )
        sender = Delivering(database, transport, RealClock(), secret=SECRET, domain="lab.example", owner="bench")
        started, cpu = time.perf_counter(), time.process_time()
        report = sender.run()
        wall, cpu = time.perf_counter() - started, time.process_time() - cpu
        assert report.sent == letters
        assert {row.state for row in outbox.rows(database).values()} == {"sent"}
    return wall / letters, cpu / letters


def spliced(port: int, letters: int) -> tuple[float, float]:
    """Like `build_each` without an outbox, but the letter built once and filled in for each recipient."""
    transport = SmtpTransport(
        "127.0.0.1", port, security="none", local_hostname="monitor.lab.example", reuse=letters + 1
    )
    moment = datetime.now(UTC)
    started, cpu = time.perf_counter(), time.process_time()
    for number in range(letters):
        marks = Marks(f"reader{number}@lab.example", TOKEN, f"<{number}@lab.example>", moment)
        envelope = Envelope(
            return_path(SECRET, number, "lab.example"), marks.recipient, envelope_id(SECRET, number), marks.message_id
        )
        outcome = transport.send(envelope, splice(MESSAGE, marks), lambda: None)
        assert outcome.fate is Fate.SENT
    transport.close()
    return (time.perf_counter() - started) / letters, (time.process_time() - cpu) / letters


def build_each(port: int, letters: int) -> tuple[float, float]:
    """The usual way: an EmailMessage a recipient and `send_message`, one connection, no outbox at all."""
    content = letter(body=BODY)
    started, cpu = time.perf_counter(), time.process_time()
    with smtplib.SMTP("127.0.0.1", port, local_hostname="monitor.lab.example") as relay:
        for number in range(letters):
            mail = EmailMessage()
            mail["Message-ID"] = f"<{number}@lab.example>"
            mail["Subject"] = content.subject
            mail["From"] = "Evidence Monitor <digest@lab.example>"
            mail["To"] = f"reader{number}@lab.example"
            mail["List-Unsubscribe"] = f"<{UNSUBSCRIBE}>"
            mail.set_content(content.text)
            mail.add_alternative(content.html, subtype="html")
            relay.send_message(mail)
    return (time.perf_counter() - started) / letters, (time.process_time() - cpu) / letters


def rows(*, large: bool) -> list[Row]:
    """Three rounds in turn; `large` changes nothing here."""
    size = len(MESSAGE) / 1000
    prepare(200)
    before_smtp = prepare(2000)
    with null_sink() as port:
        build_each(port, 20)
        spliced(port, 50)
        ours(port, 100)
        runs = [(ours(port, LETTERS // 3), spliced(port, PEERS), build_each(port, PEERS)) for _ in range(3)]
    # The median of three, because this machine may be doing something else at the same time.
    (wall, cpu), (splice_wall, splice_cpu), (peer_wall, peer_cpu) = (
        (statistics.median(run[each][0] for run in runs), statistics.median(run[each][1] for run in runs))
        for each in range(3)
    )
    ratio = peer_cpu / splice_cpu
    return [
        Row(
            f"one recipient before SMTP, {size:.0f} KB mail, CPU",
            f"{before_smtp:.3f} ms",
            "<= 0.3 ms",
            before_smtp <= 0.3,
        ),
        Row(
            "outbox to null sink, one connection, commits included",
            f"{1 / wall:.0f} mails/s",
            ">= 400 mails/s",
            wall <= 1 / 400,
        ),
        Row("  the same, CPU of the sender a mail", f"{cpu * 1000:.2f} ms"),
        Row("splice and send, no outbox", f"{1 / splice_wall:.0f} mails/s, {splice_cpu * 1000:.2f} ms CPU"),
        Row(
            "build each with EmailMessage + send_message, no outbox",
            f"{1 / peer_wall:.0f} mails/s, {peer_cpu * 1000:.2f} ms CPU",
        ),
        Row("splice and send against build-each, CPU", f"{ratio:.1f}x", ">= 6x", ratio >= 6),
        Row("whole outbox against build-each without one, CPU", f"{peer_cpu / cpu:.1f}x"),
    ]
