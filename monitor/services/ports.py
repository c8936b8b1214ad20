"""The edges as the services see them; everything else is called directly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

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
