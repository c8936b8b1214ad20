"""Asks PubMed for what is shown and not stored: counted, and the first failure is the last question.

Papers as lines to read, held or not: what is not in the library is fetched for the eye and not kept.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import TypeVar

from monitor.core.citation import Citation
from monitor.core.polling import SearchResult
from monitor.errors import IncompleteResponse, PubmedError, PubmedRefused, PubmedUnavailable, RecordError
from monitor.formats import nlm
from monitor.pubmed.parse import read_records
from monitor.services.ports import PubmedSource
from monitor.services.searching import WholeSet, search_whole
from monitor.storage import citations
from monitor.storage.engine import Database

log = logging.getLogger(__name__)
T = TypeVar("T")

NO_ADDRESS = "PubMed is not asked without a contact address: set MONITOR_NCBI_EMAIL"
FETCHED_AT_ONCE = 200


class Asking:
    """One person's questions to PubMed. After PubMed was out of reach it is not asked again; `why_not` says why.

    `requests` counts what was asked, `answered` what was answered; `refusals` are searches that PubMed cannot run.
    """

    def __init__(self, source: PubmedSource | None, tell: Callable[[int], object] = lambda _: None) -> None:
        self._source = source
        self._tell = tell
        self.requests = 0
        self.answered = 0
        self.why_not: str | None = NO_ADDRESS if source is None else None
        self.refusals: list[str] = []

    def search(self, query: str, *, limit: int = 0) -> SearchResult | None:
        """Run a search; None where PubMed could not be asked or cannot run it, which is noted."""
        if self._source is None or self.why_not is not None:
            return None
        return self._asked(partial(self._source.search, query, limit=limit))

    def whole(self, query: str, today: date) -> WholeSet | None:
        """Name every PMID that a search has; None as above."""
        if self._source is None or self.why_not is not None:
            return None
        found = self._asked(partial(search_whole, self._source, query, today))
        self.requests += found.slices - 1 if found is not None else 0
        return found

    def fetch(self, pmids: Sequence[int]) -> dict[int, Citation]:
        """Fetch records for the eye alone; those that PubMed has not, or that cannot be read, are absent."""
        found: dict[int, Citation] = {}
        for at in range(0, len(pmids), FETCHED_AT_ONCE):
            if self._source is None or self.why_not is not None:
                break
            batch = pmids[at : at + FETCHED_AT_ONCE]
            body = self._asked(partial(self._source.fetch, batch))
            if body is None:
                break
            try:
                read = list(read_records([body]))
            except IncompleteResponse as error:
                self.refusals.append(f"PubMed's answer cannot be read: {error}")
                continue
            of = [each for each in read if isinstance(each, Citation) and each.pmid in batch]
            found |= {each.pmid: each for each in sorted(of, key=lambda each: each.version)}
            for each in read:
                if isinstance(each, RecordError):
                    log.warning("%s", each)
        return found

    def _asked(self, ask: Callable[[], T]) -> T | None:
        self.requests += 1
        self._tell(self.requests)
        try:
            answer = ask()
        except (PubmedUnavailable, PubmedRefused) as error:
            self.why_not = f"PubMed did not answer: {error}"
        except PubmedError as error:
            self.answered += 1
            self.refusals.append(f"PubMed cannot run this search: {error}")
        else:
            self.answered += 1
            return answer
        return None


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper as a line to read; None where it is neither held nor to be had."""

    pmid: int
    citation: str | None
    title: str | None
    held: bool


@dataclass(frozen=True, slots=True)
class Shelf:
    """Citations by PMID in the order asked; None where one could not be had. `held` are those of the library."""

    citations: dict[int, Citation | None]
    held: frozenset[int]

    def papers(self) -> tuple[Paper, ...]:
        return tuple(as_paper(pmid, each, held=pmid in self.held) for pmid, each in self.citations.items())


def collect(database: Database, asking: Asking, pmids: Iterable[int]) -> Shelf:
    """Load what is held and fetch the rest."""
    wanted = list(dict.fromkeys(pmids))
    with database.read() as session:
        held = citations.load(session, wanted)
    missing = [pmid for pmid in wanted if pmid not in held]
    fetched = asking.fetch(missing) if missing else {}
    return Shelf({pmid: held.get(pmid) or fetched.get(pmid) for pmid in wanted}, frozenset(held))


def as_paper(pmid: int, citation: Citation | None, *, held: bool) -> Paper:
    if citation is None:
        return Paper(pmid, None, None, held)
    return Paper(pmid, nlm.cite(citation), nlm.full_title(citation) or None, held)
