"""A relay as a transport: one mail in, what we know of it out, "not sent" and "perhaps sent" never confused.

`smtplib.SMTP.sendmail` is not used, because it raises the same exception whether a connection broke before or after
the final dot, and its timeout starts anew with every packet.
"""

from __future__ import annotations

import ipaddress
import re
import ssl
from collections.abc import Callable

from monitor.core.delivery import Envelope, Outcome
from monitor.mail.conversation import Conversation, Deadlines, Lost, Refused

_BARE_LINE_END = re.compile(rb"\r\n|\r|\n")


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
        self._talk: Conversation | None = None

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
            except Lost:
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
        except Refused as refusal:
            self._after_refusal()
            return refusal.outcome
        except Lost as lost:
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

    def _connected(self) -> Conversation:
        if self._talk is None:
            talk = Conversation(self._deadlines)
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
        except (Lost, Refused):
            self._drop()

    def _drop(self) -> None:
        if self._talk is not None:
            self._talk.drop()
            self._talk = None


def ehlo_name(host: str) -> str:
    """Return the name to say EHLO with: the host of the public URL, or an address literal (RFC 5321 section 4.1.3)."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return f"[{address}]" if address.version == 4 else f"[IPv6:{address}]"


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
