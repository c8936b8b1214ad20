"""Papers as lines to read, held or not: what is not in the library is fetched for the eye and not kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.core.citation import Citation
from monitor.formats import nlm
from monitor.services.asking import Asking
from monitor.storage import citations
from monitor.storage.engine import Database


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
