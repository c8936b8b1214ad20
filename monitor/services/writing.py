"""Letters that one person waits for, sent at once and not through the outbox: who waits can ask again."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from monitor.core.delivery import Envelope, Fate
from monitor.errors import MailUnavailable
from monitor.mail.message import Letter, Sender, build_single, make_message_id
from monitor.services.ports import Clock, MailTransport


class Writing:
    """Sends single letters. Each opens a way out of its own, so that several may be sent at once."""

    def __init__(self, transport: Callable[[], MailTransport], sender: Sender, clock: Clock, secret: bytes) -> None:
        self._transport = transport
        self._sender = sender
        self._clock = clock
        self._secret = secret

    def send(self, recipient: str, letter: Letter) -> None:
        """Hand a letter to the relay; raises MailUnavailable with the reason when it was not taken for sure."""
        domain = self._sender.address.rpartition("@")[2]
        message_id = make_message_id(self._secret, domain, "single", secrets.token_hex(8))
        message = build_single(letter, self._sender, recipient, message_id, self._clock.now())
        envelope = Envelope(self._sender.address, recipient, message_id.strip("<>"), message_id)
        transport = self._transport()
        try:
            outcome = transport.send(envelope, message, lambda: None)
        finally:
            transport.close()
        if outcome.fate is Fate.IN_DOUBT:
            raise MailUnavailable(
                f"the relay broke off at the very end, so the mail to {recipient} may have left or not"
            )
        if outcome.fate is not Fate.SENT:
            said = " ".join(str(each) for each in (outcome.code, outcome.text) if each)
            raise MailUnavailable(f"the mail to {recipient} was not taken: {said or 'the relay did not answer'}")
