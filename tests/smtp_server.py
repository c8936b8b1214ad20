"""A relay on loopback that misbehaves as told: one fault at one phase, raw sockets, a thread a connection."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass, field

PHASES = ("connect", "ehlo", "tls", "auth", "mail", "rcpt", "data", "body", "dot")


@dataclass
class Accepted:
    """A mail the relay took, or read whole and then spoilt the answer to."""

    sender: str
    recipient: str
    octets: bytes
    mail_command: str
    rcpt_command: str


@dataclass
class Script:
    """What to do at one phase instead of answering well; `times` bounds how often, None is always.

    `domain` bounds a fault at RCPT or later to recipients there. `fault`: a reply such as `450 4.2.0 later`, or `close`, `reset`, `silence`, `drip`, `half`, `garbage`, `endless`.
    """

    phase: str = ""
    fault: str = ""
    times: int | None = None
    domain: str = ""
    features: tuple[str, ...] = ("PIPELINING", "SIZE 50000000", "DSN", "SMTPUTF8", "ENHANCEDSTATUSCODES")
    offer_tls: bool = False
    auth: tuple[str, ...] = ()
    user: tuple[str, str] | None = None


@dataclass
class Relay:
    """Start with `with Relay(script) as relay`; speaks plain, STARTTLS or TLS from the first octet on."""

    script: Script = field(default_factory=Script)
    server_context: ssl.SSLContext | None = None
    tls_first: bool = False

    def __post_init__(self) -> None:
        self.accepted: list[Accepted] = []
        self.commands: list[str] = []
        self.connections = 0
        self.open_now = 0
        self.used = 0
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Relay:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept)
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._acceptor.join()
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def wait_until_all_closed(self, seconds: float = 5.0) -> bool:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with self._lock:
                if self.open_now == 0:
                    return True
            time.sleep(0.005)
        return False

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                sock, _ = self._listener.accept()
            except TimeoutError:
                continue
            with self._lock:
                self.connections += 1
                self.open_now += 1
            thread = threading.Thread(target=self._serve, args=[sock])
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        talk = _Talk(self, sock)
        try:
            talk.run()
        except (OSError, ssl.SSLError, _Bye, ValueError):
            pass
        finally:
            with contextlib.suppress(OSError):
                talk.sock.close()
            with self._lock:
                self.open_now -= 1

    def fault_at(self, phase: str, rcpt: str = "") -> str | None:
        with self._lock:
            if self.script.domain and f"@{self.script.domain}>" not in rcpt:
                return None
            if self.script.phase != phase or (self.script.times is not None and self.used >= self.script.times):
                return None
            self.used += 1
            return self.script.fault

    @property
    def over(self) -> threading.Event:
        return self._over


class _Bye(Exception):
    pass


class _Talk:
    def __init__(self, relay: Relay, sock: socket.socket) -> None:
        self.relay = relay
        self.sock: socket.socket = sock
        self.held = b""
        sock.settimeout(0.05)

    def run(self) -> None:
        if self.relay.tls_first:
            self.secure()
        self.answer("connect", "220 relay.lab.example ready")
        mail = rcpt = ""
        encrypted = self.relay.tls_first
        while True:
            line = self.line()
            verb = line[:4].upper()
            self.relay.commands.append(line)
            if verb == "EHLO":
                features = ["relay.lab.example", *self.relay.script.features]
                if self.relay.script.offer_tls and not encrypted:
                    features.append("STARTTLS")
                if self.relay.script.auth and encrypted:
                    features.append("AUTH " + " ".join(self.relay.script.auth))
                self.answer(
                    "ehlo", "\r\n".join(f"250{'-' if each is not features[-1] else ' '}{each}" for each in features)
                )
            elif verb == "STAR":
                self.answer("tls", "220 go ahead")
                self.secure()
                encrypted = True
            elif verb == "AUTH":
                self.authenticate(line)
            elif verb == "MAIL":
                mail = line
                self.answer("mail", "250 2.1.0 ok")
            elif verb == "RCPT":
                rcpt = line
                self.answer("rcpt", "250 2.1.5 ok", rcpt)
            elif verb == "DATA":
                if self.answer("data", "354 go on", rcpt):
                    self.take(mail, rcpt)
            elif verb == "RSET":
                self.send("250 2.0.0 forgotten")
            elif verb == "QUIT":
                self.send("221 2.0.0 bye")
                raise _Bye
            else:
                self.send("500 5.5.1 what?")

    def take(self, mail: str, rcpt: str) -> None:
        fault = self.relay.fault_at("body", rcpt)
        if fault is not None:
            self.octets(100)
            if fault[:1].isdigit():
                # A relay that refuses in the middle of the body says so, hears the rest out and hangs up.
                self.send(fault)
                self.drain(0.3)
                raise _Bye
            self.misbehave(fault, deaf=True)
        body = b""
        while not body.endswith(b"\r\n.\r\n") and body != b".\r\n":
            body += self.octets(65536)
        octets = body[:-3].replace(b"\r\n..", b"\r\n.")
        octets = octets[1:] if octets.startswith(b"..") else octets
        fault = self.relay.fault_at("dot", rcpt)
        if fault is None or not fault[:1].isdigit() or fault.startswith("2"):
            sender, recipient = (re.search("<(.*?)>", each)[1] for each in (mail, rcpt))
            self.relay.accepted.append(Accepted(sender, recipient, octets, mail, rcpt))
        if fault is None:
            self.send("250 2.0.0 taken")
        else:
            self.misbehave(fault)

    def answer(self, phase: str, well: str, rcpt: str = "") -> bool:
        fault = self.relay.fault_at(phase, rcpt)
        if fault is None:
            self.send(well)
            return True
        self.misbehave(fault)
        return False

    def misbehave(self, fault: str, *, deaf: bool = False) -> None:
        if fault == "close":
            raise _Bye
        if fault == "reset":
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise _Bye
        if fault == "silence":
            if deaf:
                self.relay.over.wait(1.5)
                raise _Bye
            while not self.relay.over.is_set():
                self.octets(65536)
        if fault == "drip":
            # One line now and then: every read succeeds, the reply never ends.
            while not self.relay.over.is_set():
                self.send("250-wait")
                self.relay.over.wait(0.05)
        if fault == "half":
            self.sock.sendall(b"25")
            raise _Bye
        if fault == "garbage":
            self.sock.sendall(b"\x00\xff\xfe<html>\r\n")
            return
        if fault == "endless":
            while not self.relay.over.is_set():
                self.sock.sendall(b"2" * 4096)
        self.send(fault)
        if fault.startswith("421"):
            raise _Bye

    def authenticate(self, line: str) -> None:
        import base64

        if line.upper().startswith("AUTH PLAIN "):
            given = base64.b64decode(line[11:]).decode().split("\0")[1:]
        else:
            self.send("334 VXNlcm5hbWU6")
            given = [base64.b64decode(self.line()).decode()]
            self.send("334 UGFzc3dvcmQ6")
            given.append(base64.b64decode(self.line()).decode())
        fault = self.relay.fault_at("auth")
        if fault is not None:
            self.misbehave(fault)
        elif tuple(given) == self.relay.script.user:
            self.send("235 2.7.0 welcome")
        else:
            self.send("535 5.7.8 wrong")

    def secure(self) -> None:
        assert self.relay.server_context is not None
        self.sock.settimeout(2)
        self.sock = self.relay.server_context.wrap_socket(self.sock, server_side=True)
        self.sock.settimeout(0.05)

    def send(self, reply: str) -> None:
        self.sock.sendall(reply.encode() + b"\r\n")

    def line(self) -> str:
        while b"\r\n" not in self.held:
            self.held += self.read(4096)
        line, _, self.held = self.held.partition(b"\r\n")
        return line.decode()

    def drain(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with contextlib.suppress(TimeoutError):
                if not self.sock.recv(65536):
                    return

    def octets(self, limit: int) -> bytes:
        if self.held:
            held, self.held = self.held, b""
            return held
        return self.read(limit)

    def read(self, limit: int) -> bytes:
        while not self.relay.over.is_set():
            try:
                found = self.sock.recv(limit)
            except TimeoutError:
                continue
            if not found:
                raise _Bye
            return found
        raise _Bye
