"""Reading the library: citations as text, one citation whole, and exports of any size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from monitor.core.citation import Citation
from monitor.errors import NotFound, UsageError
from monitor.formats.registry import FORMATS, STYLES
from monitor.storage import citations
from monitor.storage.citations import Held, KeptLink, Totals, Version
from monitor.storage.engine import Database

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Record:
    """A citation with how it stands, how it came to be so, and what PubMed links it with."""

    citation: Citation
    held: Held
    versions: tuple[Version, ...]
    relations: tuple[KeptLink, ...]


@dataclass(frozen=True, slots=True)
class Cited:
    """Citations as text in the order asked; `unknown` are PMIDs that are not in the library."""

    lines: tuple[str, ...]
    unknown: tuple[int, ...]


class Library:
    """Reads what is kept. Every method is one snapshot."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def cite(self, pmids: Sequence[int], style: str = "nlm") -> Cited:
        """Write each citation in a style of `formats.registry.STYLES`; raises UsageError for another one."""
        write = _choose(style, STYLES, "style")
        with self._database.read() as session:
            found = citations.load(session, pmids)
        wanted = dict.fromkeys(pmids)
        return Cited(
            tuple(write(found[pmid]) for pmid in wanted if pmid in found),
            tuple(pmid for pmid in wanted if pmid not in found),
        )

    def record(self, pmid: int) -> Record:
        """Return one citation whole; raises NotFound."""
        with self._database.read() as session:
            found = citations.load(session, [pmid])
            if pmid not in found:
                raise NotFound(f"PMID {pmid} is not in the library; monitor import fetches it from a list of PMIDs")
            return Record(
                found[pmid],
                citations.held(session, [pmid])[pmid],
                tuple(citations.versions(session, pmid)),
                tuple(citations.relations(session, [pmid])),
            )

    def unknown(self, pmids: Iterable[int]) -> tuple[int, ...]:
        """Return those PMIDs that are not in the library, in the order given."""
        wanted = tuple(dict.fromkeys(pmids))
        with self._database.read() as session:
            known = citations.known(session, wanted, fetched=False)
        return tuple(pmid for pmid in wanted if pmid not in known)

    def totals(self) -> Totals:
        """Count what is kept."""
        with self._database.read() as session:
            return citations.totals(session)

    def export(self, format_name: str, pmids: Sequence[int] | None = None) -> Iterator[str]:
        """Yield the library, newest first, or these PMIDs in their order, as text to be stored as UTF-8 unchanged.

        Raises UsageError for an unknown format before anything is read.
        """
        return self._export(_choose(format_name, FORMATS, "format").write, pmids)

    def _export(
        self, write: Callable[[Iterable[Citation]], Iterator[str]], pmids: Sequence[int] | None
    ) -> Iterator[str]:
        with self._database.read() as session:
            yield from write(citations.everything(session) if pmids is None else citations.load_each(session, pmids))


def _choose(name: str, among: Mapping[str, T], what: str) -> T:
    if name not in among:
        raise UsageError(f"{name!r} is no {what}; choose from {', '.join(among)}")
    return among[name]
