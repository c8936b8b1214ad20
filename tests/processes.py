"""What tests run in processes of their own; forked from a server that has imported everything already."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import socket
import threading
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from monitor.cli.serving import stopped_by_signals
from monitor.mail.smtp import SmtpTransport
from monitor.scheduler import Ticker
from monitor.services.delivering import Delivering, Rules
from monitor.services.working import Job, Working, daily
from monitor.storage import work
from monitor.storage.engine import connect
from tests.outbox import SECRET, RealClock

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.processes"])


def start(target: object, *arguments: object) -> tuple[BaseProcess, Connection]:
    """Run `target(connection, *arguments)` in a process of its own; return it and our end of the connection."""
    ours, theirs = _context.Pipe()
    process = _context.Process(target=target, args=(theirs, *arguments))
    process.start()
    theirs.close()
    return process, ours


def race(connection: Connection, url: str, owner: str, slots: int) -> None:
    """Try to take every slot; send those that were ours."""
    database = connect(url)
    connection.send("ready")
    connection.recv()
    taken = []
    for slot in range(slots):
        now = datetime.now(UTC)
        with database.write() as session:
            if work.take_slot(session, "race", f"{slot:05}", owner, now, stale=now - timedelta(minutes=5), retry=now):
                taken.append(slot)
                work.finish_slot(session, "race", f"{slot:05}", owner, now, None)
    connection.send(taken)


def worker(connection: Connection, url: str, port: int) -> None:
    """A worker with a poll and an outbox, until a signal; says when it polled and when it left."""
    database = connect(url)
    clock = RealClock()
    transport = SmtpTransport("127.0.0.1", port, security="none", local_hostname="monitor.lab.example")
    delivering = Delivering(database, transport, clock, secret=SECRET, domain="lab.example", owner="worker")
    jobs = [
        Job("poll", "poll", lambda turn: connection.send("polled"), daily(0, UTC)),
        Job("send", "mail", lambda turn: delivering.run(stop=turn.stopping) and None),
    ]
    ticker = Ticker(Working(database, clock, jobs), seconds=0.2)
    with stopped_by_signals() as stop:
        ticker.start()
        stop.wait()
        ticker.stop()
    connection.send("bye")


def sender(connection: Connection, url: str, port: int, owner: str, lease: float, cool_down: float) -> None:
    """Empty the outbox again and again until killed; says nothing, because a kill may cut any word."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    database = connect(url)
    transport = SmtpTransport("127.0.0.1", port, security="none", local_hostname="monitor.lab.example")
    rules = Rules(lease=timedelta(seconds=lease), cool_down=timedelta(seconds=cool_down), batch=5)
    delivering = Delivering(
        database, transport, RealClock(), secret=SECRET, domain="lab.example", owner=owner, rules=rules
    )
    connection.send("ready")
    while not connection.poll(0.01):
        delivering.run(stop=connection.poll)


def sink(connection: Connection, path: str) -> None:
    """Take every mail; its Message-ID is on disk before the reply is written."""
    listener = socket.create_server(("127.0.0.1", 0))
    connection.send(listener.getsockname()[1])
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    while True:
        accepted, _ = listener.accept()
        threading.Thread(target=_serve, args=(accepted, log), daemon=True).start()


def _serve(accepted: socket.socket, log: int) -> None:
    with contextlib.suppress(OSError), accepted:
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _converse(accepted, log)


def _converse(accepted: socket.socket, log: int) -> None:
    accepted.sendall(b"220 sink\r\n")
    held = b""
    while True:
        while b"\r\n" not in held:
            more = accepted.recv(65_536)
            if not more:
                return
            held += more
        command, held = held.split(b"\r\n", 1)
        if command.upper() == b"DATA":
            accepted.sendall(b"354 go on\r\n")
            message_id = _body(accepted)
            if message_id is None:
                return
            os.write(log, message_id + b"\n")
            accepted.sendall(b"250 2.0.0 taken\r\n")
        elif command.upper() == b"QUIT":
            accepted.sendall(b"221 bye\r\n")
            return
        else:
            accepted.sendall(b"250 2.0.0 ok\r\n")


def _body(accepted: socket.socket) -> bytes | None:
    """Read to the dot, keeping no more than is needed; return the Message-ID, which our mails begin with."""
    first = tail = b""
    while not tail.endswith(b"\r\n.\r\n"):
        more = accepted.recv(262_144)
        if not more:
            return None
        first = first if len(first) > 2000 else first + more
        tail = (tail + more)[-5:]
    return first.split(b"\r\n", 1)[0].removeprefix(b"Message-ID: ")
