"""One connection to a relay: each method a phase, each phase with a total deadline.

`smtplib.SMTP` reads and writes single commands here, nothing more.
"""

from __future__ import annotations

import base64
import contextlib
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass

from monitor.core.delivery import Envelope, Fate, Outcome, enhanced_code

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\s]+")
_MAX_REPLY = 64 * 1024
_QUIT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds for whole phases, however slowly a server drips. `dot` is what RFC 5321 section 4.5.3.2.6 asks for."""

    connect: float = 30.0
    setup: float = 60.0
    transaction: float = 180.0
    dot: float = 600.0


class Refused(Exception):
    """The relay answered no; the connection still stands."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.text)
        self.outcome = outcome


class Lost(Exception):
    """The connection is of no more use."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.text)
        self.outcome = outcome


class Reader:
    """Stands in for smtplib's file: reads lines until one deadline, not one timeout a packet."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._held = b""
        self._read = 0
        self.until = 0.0

    def begin(self, seconds: float) -> None:
        self.until = time.monotonic() + seconds
        self._read = 0
        self._sock.settimeout(seconds)

    def arm(self) -> None:
        """Set the socket's timeout to what is left of the deadline."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)

    @property
    def holds_more(self) -> bool:
        return bool(self._held)

    def spoke_early(self) -> bool:
        """Whether something is there to read, be it the end of the connection; does not wait."""
        if self._held:
            return True
        self._sock.settimeout(0)
        try:
            self._held = self._sock.recv(8192)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        finally:
            self.arm()
        return True

    def readline(self, limit: int) -> bytes:
        while b"\n" not in self._held and len(self._held) < limit:
            self.arm()
            more = self._sock.recv(8192)
            if not more:
                # Half a line is no reply: a cut "250" must not count as accepted.
                self._held = b""
                break
            self._read += len(more)
            if self._read > _MAX_REPLY:
                raise OSError("the reply does not end")
            self._held += more
        end = self._held.find(b"\n") + 1 or len(self._held)
        end = min(end, limit)
        line, self._held = self._held[:end], self._held[end:]
        return line

    def close(self) -> None:
        self._held = b""


class Conversation:
    """One connection to a relay, each method one phase."""

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._smtp = smtplib.SMTP(local_hostname="localhost")
        self._sock: socket.socket | None = None
        self._reader: Reader | None = None
        self.sent = 0

    def open(self, host: str, port: int, local_hostname: str, security: str, context: ssl.SSLContext) -> None:
        """Connect, read the greeting, say EHLO, and turn on TLS as the mode says; never opportunistic."""
        with self._phase("connect"):
            sock = _connect(host, port, self._deadlines.connect)
            # Without it the dot waits for a delayed ACK, and a crash in that time leaves the mail in doubt.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._use(sock, self._deadlines.setup)
        if security == "tls":
            self._encrypt(context, host)
        with self._phase("connect"):
            self._expect(self._smtp.getreply(), "connect", 220)
        self._greet(local_hostname)
        if security == "starttls":
            if not self._smtp.has_extn("starttls"):
                raise Lost(Outcome(Fate.NOT_SENT, "tls", text="the relay does not offer STARTTLS"))
            with self._phase("tls"):
                self._expect(self._smtp.docmd("STARTTLS"), "tls", 220)
            if self._reader is not None and self._reader.holds_more:
                # Whatever came in the clear behind the 220 may be an attacker's (CVE-2011-0411).
                raise Lost(Outcome(Fate.NOT_SENT, "tls", text="the relay went on talking in the clear after STARTTLS"))
            self._encrypt(context, host)
            self._greet(local_hostname)

    def log_in(self, user: str, password: str) -> None:
        """AUTH PLAIN (RFC 4616), else LOGIN; only ever called on an encrypted connection."""
        offered = self._smtp.esmtp_features.get("auth", "").upper().split()
        with self._phase("auth"):
            if "PLAIN" in offered:
                secret = base64.b64encode(f"\0{user}\0{password}".encode()).decode("ascii")
                self._expect(self._smtp.docmd("AUTH", f"PLAIN {secret}"), "auth", 235)
            elif "LOGIN" in offered:
                self._expect(self._smtp.docmd("AUTH", "LOGIN"), "auth", 334)
                for each in (user, password):
                    reply = self._smtp.docmd(base64.b64encode(each.encode()).decode("ascii"))
                    self._expect(reply, "auth", 334 if each is user else 235)
            else:
                known = " ".join(offered) or "nothing"
                text = f"the relay offers {_tidy(known)} for AUTH; PLAIN or LOGIN is needed"
                raise Lost(Outcome(Fate.NOT_SENT, "auth", text=text))

    def mail(self, envelope: Envelope, size: int) -> None:
        """MAIL FROM with SIZE, SMTPUTF8 and DSN parameters where the relay offers them."""
        features = self._smtp.esmtp_features
        options = ""
        if "size" in features:
            limit = features["size"].strip()
            if limit.isdigit() and 0 < int(limit) < size:
                text = f"the mail has {size} octets, the relay takes {limit}"
                raise Refused(Outcome(Fate.NOT_SENT, "mail", enhanced="5.3.4", text=text))
            options += f" SIZE={size}"
        self._smtp.command_encoding = "ascii"
        if not envelope.recipient.isascii():
            if "smtputf8" not in features:
                text = "the address needs SMTPUTF8, which the relay does not offer"
                raise Refused(Outcome(Fate.NOT_SENT, "mail", enhanced="5.6.7", text=text))
            options += " SMTPUTF8"
            self._smtp.command_encoding = "utf-8"
        if "dsn" in features:
            options += f" RET=HDRS ENVID={envelope.envid}"
        self._begin(self._deadlines.transaction)
        with self._phase("mail"):
            self._expect(self._smtp.docmd("MAIL", f"FROM:<{envelope.sender}>{options}"), "mail", 250)

    def rcpt(self, envelope: Envelope) -> None:
        """One recipient a transaction, so that no partial refusal can be."""
        options = " NOTIFY=FAILURE,DELAY" if self._smtp.has_extn("dsn") else ""
        with self._phase("rcpt"):
            self._expect(self._smtp.docmd("RCPT", f"TO:<{envelope.recipient}>{options}"), "rcpt", 250, 251)

    def body(self, octets: bytes) -> None:
        """DATA and everything but the final dot."""
        with self._phase("data"):
            self._expect(self._smtp.docmd("DATA"), "data", 354)
        with self._phase("body"):
            self._write(octets)
            if self._reader is not None and self._reader.spoke_early():
                # The relay refuses or has gone already; without this look the mail would be in doubt after the dot.
                self._expect(self._smtp.getreply(), "body")

    def dot(self) -> Outcome:
        """Write the dot and wait for the reply that decides; without one, nobody knows."""
        self._begin(self._deadlines.dot)
        try:
            self._write(b".\r\n")
            code, raw = self._smtp.getreply()
        except (OSError, smtplib.SMTPException) as error:
            raise Lost(Outcome(Fate.IN_DOUBT, "dot", text=_reason(error))) from error
        text = _tidy(raw.decode("utf-8", "replace"))
        if code == 250:
            self.sent += 1
            return Outcome(Fate.SENT, "dot", code, enhanced_code(text), text)
        outcome = Outcome(Fate.NOT_SENT, "dot", code, enhanced_code(text), text)
        if 400 <= code < 600 and code != 421:
            raise Refused(outcome)
        if code == 421:
            raise Lost(outcome)
        raise Lost(Outcome(Fate.IN_DOUBT, "dot", code if code > 0 else None, text=text or "an unreadable reply"))

    def reset(self) -> None:
        """Forget a refused transaction, so that the next one starts clean."""
        self._begin(self._deadlines.setup)
        with self._phase("mail"):
            self._expect(self._smtp.docmd("RSET"), "mail", 250)

    def quit(self) -> None:
        """Take leave; the relay has every mail already, so a failure here means nothing."""
        self._begin(_QUIT_SECONDS)
        with contextlib.suppress(OSError, smtplib.SMTPException):
            self._smtp.docmd("QUIT")
        self.drop()

    def drop(self) -> None:
        """Close the socket."""
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def _use(self, sock: socket.socket, seconds: float) -> None:
        self._sock = sock
        self._reader = Reader(sock)
        self._smtp.sock, self._smtp.file = sock, self._reader
        self._begin(seconds)

    def _begin(self, seconds: float) -> None:
        if self._reader is not None:
            self._reader.begin(seconds)

    def _write(self, octets: bytes) -> None:
        if self._sock is None or self._reader is None:
            raise OSError("the connection is closed")
        self._reader.arm()
        self._sock.sendall(octets)

    def _encrypt(self, context: ssl.SSLContext, host: str) -> None:
        with self._phase("tls"):
            if self._sock is None or self._reader is None:
                raise OSError("the connection is closed")
            self._reader.arm()
            left = self._reader.until - time.monotonic()
            self._use(context.wrap_socket(self._sock, server_hostname=host), max(left, 0.001))

    def _greet(self, local_hostname: str) -> None:
        self._smtp.esmtp_features.clear()
        with self._phase("ehlo"):
            code, raw = self._smtp.ehlo(local_hostname)
            if code != 250:
                self._expect((code, raw), "ehlo", 250)

    def _expect(self, reply: tuple[int, bytes], phase: str, *wanted: int) -> None:
        code, raw = reply
        if code in wanted:
            return
        text = _tidy(raw.decode("utf-8", "replace"))
        if not 400 <= code < 600:
            text = f"unexpected reply {code} {text}".strip()
            raise Lost(Outcome(Fate.NOT_SENT, phase, text=text))
        outcome = Outcome(Fate.NOT_SENT, phase, code, enhanced_code(text), text)
        # After 421 the relay hangs up (RFC 5321 section 3.8); before MAIL there is nothing to go back to.
        # In the middle of a body no command can follow.
        if code == 421 or phase in ("connect", "ehlo", "tls", "auth", "body"):
            raise Lost(outcome)
        raise Refused(outcome)

    @contextlib.contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        try:
            if self._reader is not None:
                self._reader.arm()
            yield
        except (OSError, smtplib.SMTPException, UnicodeError, ValueError) as error:
            raise Lost(Outcome(Fate.NOT_SENT, name, text=_reason(error))) from error


def _connect(host: str, port: int, seconds: float) -> socket.socket:
    """Try each address of the host in turn, all within one deadline."""
    until = time.monotonic() + seconds
    problem: OSError = OSError("the host has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(left)
            sock.connect(address)
        except OSError as error:
            sock.close()
            problem = error
        else:
            return sock
    raise problem


def _tidy(text: str) -> str:
    return _CONTROL.sub(" ", text).strip()[:500]


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPServerDisconnected) and isinstance(error.__context__, OSError):
        return _reason(error.__context__)
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the relay's certificate is not to be trusted: {_tidy(error.verify_message)}"
    if isinstance(error, ssl.SSLError):
        return f"TLS failed: {_tidy(error.reason or str(error))}"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "the relay closed the connection"
    if isinstance(error, smtplib.SMTPException):
        return "the relay's answer is not SMTP"
    if isinstance(error, OSError):
        return _tidy(error.strerror or str(error)) or type(error).__name__
    return "the relay's answer cannot be read"
