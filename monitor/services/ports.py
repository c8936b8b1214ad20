"""The edges as the services see them; everything else is called directly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from monitor.core.delivery import Envelope, Outcome
from monitor.core.polling import SearchResult


class Clock(Protocol):
    """The only source of "now"."""

    def now(self) -> datetime:
        """Return the current moment, aware, in UTC."""
        ...


class PubmedSource(Protocol):
    """PubMed as polls need it. Safe to call from several threads at once; paced and retried inside.

    Raises PubmedError (never works), PubmedRefused (stop, tell the admin) or PubmedUnavailable (try again later).
    """

    def search(self, query: str, *, start: int = 0, limit: int = 9999) -> SearchResult:
        """Run one esearch; at most 9,999 PMIDs of one query can ever be had."""
        ...

    def fetch(self, pmids: Sequence[int]) -> bytes:
        """Return the complete efetch XML of these PMIDs, checked to be whole; unknown PMIDs are simply absent."""
        ...


class MailTransport(Protocol):
    """One way out for mail, kept open between mails. Not shared between threads."""

    def send(self, envelope: Envelope, message: bytes, before_dot: Callable[[], None]) -> Outcome:
        """Hand over one mail. Faults of network and relay are the outcome, never an exception.

        `before_dot` is called when only the step remains after which a failure leaves the mail in doubt. If it
        raises, the mail is not sent and the exception passes on.
        """
        ...

    def close(self) -> None:
        """Take leave of the relay; safe at any time, and `send` may be called again after it."""
        ...
