"""What a search of PubMed asks and answers, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class SearchResult:
    """PubMed's answer to one search. `count` is PubMed's own; it may exceed `len(pmids)` and then more is to fetch.

    `unknown_phrases` are texts PubMed did not know and dropped or split: quoted phrases, phrases, field names.
    """

    pmids: tuple[int, ...]
    count: int
    translation: str
    unknown_phrases: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Window:
    """Days searched, both ends included; `until=None` leaves the end open, as NLM advises (`:3000`)."""

    since: date
    until: date | None = None
