"""Gets the whole set of PMIDs that a search has, in slices where PubMed gives only the beginning of it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

from monitor.core.polling import DaySlice, PmidSlice, SearchResult, adds_up
from monitor.errors import IncompleteResponse
from monitor.services.ports import PubmedSource

log = logging.getLogger(__name__)

AT_ONCE = 3

SLICE_FIELDS = ("crdt", "dp")
"""NLM's advice for large sets is to divide by date; Create Date is on every record, Publication Date on nearly all."""


@dataclass(frozen=True, slots=True)
class WholeSet:
    """All PMIDs of a search; `result` is PubMed's answer to the undivided search.

    `complete` is False when PubMed counted a few more than it named, as it does while its base is being renewed.
    """

    result: SearchResult
    pmids: tuple[int, ...]
    slices: int = 1

    @property
    def complete(self) -> bool:
        return len(self.pmids) >= self.result.count


def search_whole(source: PubmedSource, query: str, today: date) -> WholeSet:
    """Run a search and return every PMID it has.

    Of one search PubMed names 9,999 at most. Above that the days, and where a day is too much the PMIDs, are halved
    until each slice comes whole; the slices must add up to what the undivided search counts.
    Raises IncompleteResponse when they do not, even after another try.
    """
    for again in (False, True):
        result = source.search(query)
        if len(result.pmids) >= result.count:
            return WholeSet(result, result.pmids)
        for field in SLICE_FIELDS:
            found = _Slices(source, query, today, result.count)
            found.divide(DaySlice.of_all_times(field))
            if adds_up(found.counted, result.count) and adds_up(len(found.pmids), result.count):
                return WholeSet(result, tuple(found.pmids), found.number)
            log.warning("slices by [%s] hold %d of %d PMIDs", field, found.counted, result.count)
        found = _Slices(source, query, today, result.count)
        found.divide([PmidSlice()])
        if adds_up(found.counted, result.count) and adds_up(len(found.pmids), result.count):
            return WholeSet(result, tuple(found.pmids), found.number)
        log.warning(
            "slices by [uid] hold %d of %d PMIDs%s", found.counted, result.count, "" if again else "; once more"
        )
    raise IncompleteResponse(
        f"PubMed counts {result.count} and names {len(found.pmids)}, however the search is divided"
    )


class _Slices:
    def __init__(self, source: PubmedSource, query: str, today: date, whole: int) -> None:
        self._source = source
        self._query = query
        self._today = today
        self._whole = whole
        self.pmids: dict[int, None] = {}
        self.counted = 0
        self.number = 0

    def divide(self, parts: Iterable[DaySlice | PmidSlice]) -> None:
        """Search the parts, a few at a time, and halve those that PubMed does not name whole, until all are."""
        waiting = list(parts)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            while waiting:
                results = list(pool.map(self._source.search, [part.applied(self._query) for part in waiting]))
                too_large: list[DaySlice | PmidSlice] = []
                for part, result in zip(waiting, results, strict=True):
                    halves = self._halves(part) if len(result.pmids) < result.count else None
                    if halves is not None:
                        too_large += halves
                    elif len(result.pmids) < result.count and isinstance(part, DaySlice):
                        self._divide_day(part)
                    else:
                        self.number += 1
                        self.counted += result.count
                        self.pmids.update(dict.fromkeys(result.pmids))
                waiting = too_large

    def _divide_day(self, day: DaySlice) -> None:
        """More on one day than PubMed names: divide that day by PMID."""
        inner = _Slices(self._source, day.applied(self._query), self._today, self._whole)
        inner.divide([PmidSlice()])
        self.number += inner.number
        self.counted += inner.counted
        self.pmids.update(inner.pmids)

    def _halves(self, part: DaySlice | PmidSlice) -> tuple[DaySlice | PmidSlice, ...] | None:
        return part.halves(self._today) if isinstance(part, DaySlice) else part.halves()
