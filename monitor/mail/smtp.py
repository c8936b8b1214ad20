"""The SMTP conversation, phase by phase, so that "not sent" and "perhaps sent" are never confused.

`smtplib.SMTP` reads and writes single commands; its `sendmail` is not used, because it raises the same exception
whether a connection broke before or after the final dot. Every phase has a total deadline, where smtplib's own
timeout starts anew with every packet.
"""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import re
import smtplib
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from monitor.core.delivery import Envelope, Fate, Outcome, enhanced_code

_BARE_LINE_END = re.compile(rb"\r\n|\r|\n")
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


class SmtpTransport:
    """One relay, one connection kept for up to `reuse` mails. Not shared between threads."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        security: str,
        local_hostname: str,
        user: str | None = None,
        password: str | None = None,
        context: ssl.SSLContext | None = None,
        deadlines: Deadlines | None = None,
        reuse: int = 50,
    ) -> None:
        if security not in ("tls", "starttls", "none"):
            raise ValueError(f"{security!r} is not a mode of TLS")
        if security == "none" and user is not None:
            raise ValueError("a password is never sent without TLS")
        self._context = context or ssl.create_default_context()
        if self._context.verify_mode is not ssl.CERT_REQUIRED or not self._context.check_hostname:
            raise ValueError("the TLS context does not verify certificates")
        self._host, self._port, self._security = host, port, security
        self._user, self._password = user, password
        self._local_hostname = local_hostname
        self._deadlines = deadlines or Deadlines()
        self._reuse = reuse
        self._talk: _Conversation | None = None

    def send(self, envelope: Envelope, message: bytes, before_dot: Callable[[], None]) -> Outcome:
        """Hand over one mail. `before_dot` is called when all but the final dot is written.

        If it raises, the connection is dropped without the dot, so the relay discards the mail, and the exception
        passes on. Network and protocol faults never raise; they are the outcome.
        """
        octets = _on_the_wire(message)
        fresh = self._talk is None
        try:
            talk = self._connected()
            try:
                talk.mail(envelope, len(octets))
            except _Lost:
                if fresh:
                    raise
                # A relay may close an idle connection at any time; nothing of this mail has been said yet.
                self._drop()
                talk = self._connected()
                talk.mail(envelope, len(octets))
            talk.rcpt(envelope)
            talk.body(octets)
            before_dot()
            outcome = talk.dot()
        except _Refused as refusal:
            self._after_refusal()
            return refusal.outcome
        except _Lost as lost:
            self._drop()
            return lost.outcome
        except BaseException:
            self._drop()
            raise
        if talk.sent >= self._reuse:
            self.close()
        return outcome

    def close(self) -> None:
        """Say QUIT and close; safe at any time."""
        if self._talk is not None:
            talk, self._talk = self._talk, None
            talk.quit()

    def _connected(self) -> _Conversation:
        if self._talk is None:
            talk = _Conversation(self._deadlines)
            try:
                talk.open(self._host, self._port, self._local_hostname, self._security, self._context)
                if self._user is not None and self._password is not None:
                    talk.log_in(self._user, self._password)
            except BaseException:
                talk.drop()
                raise
            self._talk = talk
        return self._talk

    def _after_refusal(self) -> None:
        if self._talk is None:
            return
        try:
            self._talk.reset()
        except (_Lost, _Refused):
            self._drop()

    def _drop(self) -> None:
        if self._talk is not None:
            self._talk.drop()
            self._talk = None


class _Refused(Exception):
    """The relay answered no; the connection still stands."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.text)
        self.outcome = outcome


class _Lost(Exception):
    """The connection is of no more use."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.text)
        self.outcome = outcome


class _Reader:
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


class _Conversation:
    """One connection to a relay, each method one phase."""

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._smtp = smtplib.SMTP(local_hostname="localhost")
        self._sock: socket.socket | None = None
        self._reader: _Reader | None = None
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
                raise _Lost(Outcome(Fate.NOT_SENT, "tls", text="the relay does not offer STARTTLS"))
            with self._phase("tls"):
                self._expect(self._smtp.docmd("STARTTLS"), "tls", 220)
            if self._reader is not None and self._reader.holds_more:
                # Whatever came in the clear behind the 220 may be an attacker's (CVE-2011-0411).
                raise _Lost(Outcome(Fate.NOT_SENT, "tls", text="the relay went on talking in the clear after STARTTLS"))
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
                raise _Lost(Outcome(Fate.NOT_SENT, "auth", text=text))

    def mail(self, envelope: Envelope, size: int) -> None:
        """MAIL FROM with SIZE, SMTPUTF8 and DSN parameters where the relay offers them."""
        features = self._smtp.esmtp_features
        options = ""
        if "size" in features:
            limit = features["size"].strip()
            if limit.isdigit() and 0 < int(limit) < size:
                text = f"the mail has {size} octets, the relay takes {limit}"
                raise _Refused(Outcome(Fate.NOT_SENT, "mail", enhanced="5.3.4", text=text))
            options += f" SIZE={size}"
        self._smtp.command_encoding = "ascii"
        if not envelope.recipient.isascii():
            if "smtputf8" not in features:
                text = "the address needs SMTPUTF8, which the relay does not offer"
                raise _Refused(Outcome(Fate.NOT_SENT, "mail", enhanced="5.6.7", text=text))
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
            raise _Lost(Outcome(Fate.IN_DOUBT, "dot", text=_reason(error))) from error
        text = _tidy(raw.decode("utf-8", "replace"))
        if code == 250:
            self.sent += 1
            return Outcome(Fate.SENT, "dot", code, enhanced_code(text), text)
        outcome = Outcome(Fate.NOT_SENT, "dot", code, enhanced_code(text), text)
        if 400 <= code < 600 and code != 421:
            raise _Refused(outcome)
        if code == 421:
            raise _Lost(outcome)
        raise _Lost(Outcome(Fate.IN_DOUBT, "dot", code if code > 0 else None, text=text or "an unreadable reply"))

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
        self._reader = _Reader(sock)
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
            raise _Lost(Outcome(Fate.NOT_SENT, phase, text=text))
        outcome = Outcome(Fate.NOT_SENT, phase, code, enhanced_code(text), text)
        # After 421 the relay hangs up (RFC 5321 section 3.8); before MAIL there is nothing to go back to.
        # In the middle of a body no command can follow.
        if code == 421 or phase in ("connect", "ehlo", "tls", "auth", "body"):
            raise _Lost(outcome)
        raise _Refused(outcome)

    @contextlib.contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        try:
            if self._reader is not None:
                self._reader.arm()
            yield
        except (OSError, smtplib.SMTPException, UnicodeError, ValueError) as error:
            raise _Lost(Outcome(Fate.NOT_SENT, name, text=_reason(error))) from error


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


def _on_the_wire(message: bytes) -> bytes:
    """CRLF throughout, dots stuffed, one line end at the end: no other sequence may end the mail (SMTP smuggling)."""
    ends = message.count(b"\r\n")
    if message.count(b"\r") != ends or message.count(b"\n") != ends:
        message = _BARE_LINE_END.sub(b"\r\n", message)
    if not message.endswith(b"\r\n"):
        message += b"\r\n"
    if message.startswith(b"."):
        message = b"." + message
    return message.replace(b"\r\n.", b"\r\n..")


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


def ehlo_name(host: str) -> str:
    """Return the name to say EHLO with: the host of the public URL, or an address literal (RFC 5321 section 4.1.3)."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return f"[{address}]" if address.version == 4 else f"[IPv6:{address}]"
