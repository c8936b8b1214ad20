"""One paper with all that stands around it, a reader's marks on papers, and papers fetched by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from monitor.core.citation import Citation, Reference, ReferenceList
from monitor.core.people import Actor
from monitor.core.pmid import read_pmid
from monitor.core.query import MeshTree, Or, Query, Term
from monitor.core.relations import relation
from monitor.core.samples import RegistryNumber, registry_numbers
from monitor.core.screening import Decision
from monitor.errors import NotFound, UsageError
from monitor.services.importing import Importing, ImportReport
from monitor.services.library import Record, record
from monitor.services.ports import Clock
from monitor.storage import citations, corrections, events, marks, papers, provenance, screening, search
from monitor.storage.corrections import Happened, Reach
from monitor.storage.engine import Database
from monitor.storage.marks import MARKS
from monitor.storage.papers import PaperLine
from monitor.storage.provenance import FoundBy, LevelGiven

FAMILY_MOST = 20
_GROUPS = {
    "integrity": ("Retract", "ExpressionOfConcern", "Erratum", "Corrected"),
    "comments": ("Comment",),
    "versions": ("Update", "Republished", "Reprint"),
}
"""The lists that links stand in, by how their RefTypes begin; all others are `other`."""
GROUPS = (*_GROUPS, "other")


@dataclass(frozen=True, slots=True)
class Linked:
    """A paper that PubMed links this one with; `words` introduce it, `line` is ours where we hold it."""

    group: str
    words: str
    pmid: int | None
    source: str
    line: PaperLine | None
    seen_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Said:
    """A decision, and by whom: None for the command line. `undone` decisions were taken back."""

    decision: Decision
    name: str | None
    undone: bool


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper as its page shows it. `said` has the newest decision first, `links` only what stands or once stood.

    `registry` are numbers of trials, `family` the other papers that name one of them, `cited` its
    references as far as they are kept here.
    """

    record: Record
    line: PaperLine
    found: tuple[FoundBy, ...]
    said: tuple[Said, ...]
    level_given: LevelGiven | None
    happened: tuple[Happened, ...]
    links: tuple[Linked, ...]
    registry: tuple[RegistryNumber, ...]
    family: tuple[PaperLine, ...]
    cited: tuple[PaperLine, ...]
    reach: Reach
    told: Reach
    marks: frozenset[str]
    stars: int

    @property
    def citation(self) -> Citation:
        return self.record.citation

    def linked(self, group: str) -> tuple[Linked, ...]:
        return tuple(each for each in self.links if each.group == group)


class Papers:
    """Reads papers for people and takes down what readers mark. Raises NotFound for what is not in the library."""

    def __init__(
        self, database: Database, clock: Clock, tree: Callable[[], MeshTree], importing: Callable[[], Importing]
    ) -> None:
        self._database = database
        self._clock = clock
        self._tree = tree
        self._importing = importing

    def one(self, pmid: int, person_id: int) -> Paper:
        """Return a paper as somebody sees it, in one snapshot."""
        with self._database.read() as session:
            found = record(session, pmid)
            happened = corrections.happened(session, pmids=[pmid])
            heard = corrections.told(session, happened[-1:], person_id)
            (line,) = papers.lines(session, [pmid])
            registry = registry_numbers(found.citation)
            return Paper(
                record=found,
                line=line,
                found=tuple(provenance.found_by(session, pmid)),
                said=tuple(_said(session, pmid)),
                level_given=provenance.level_given(session, pmid, line.level) if line.level is not None else None,
                happened=tuple(happened),
                links=tuple(_links(session, found)),
                registry=registry,
                cited=tuple(_cited(session, found.citation)),
                family=tuple(self._family(session, pmid, registry)),
                reach=corrections.reach(session, [pmid], person_id).get(pmid, Reach()),
                told=next(iter(heard.values()), Reach()),
                marks=marks.of(session, person_id, [pmid]).get(pmid, frozenset()),
                stars=marks.stars(session, [pmid]).get(pmid, 0),
            )

    def lines(self, pmids: Sequence[int]) -> list[PaperLine]:
        """Return a line for each of these that is held, in the order given."""
        with self._database.read() as session:
            return papers.lines(session, pmids)

    def marked(self, kind: str, person_id: int) -> list[int]:
        """Return what somebody marked, the last first."""
        _check(kind)
        with self._database.read() as session:
            return marks.marked(session, person_id, kind)

    def marks(self, pmids: Iterable[int], person_id: int) -> dict[int, frozenset[str]]:
        """Return somebody's marks on these papers, where there are any."""
        with self._database.read() as session:
            return marks.of(session, person_id, pmids)

    def mark(self, pmid: int, kind: str, actor: Actor, *, on: bool = True) -> None:
        """Put a mark on a paper or take it off; what stands so already stays."""
        _check(kind)
        if actor.person_id is None:
            raise UsageError("marks belong to people; nobody is named here")
        now = self._clock.now()
        with self._database.write() as session:
            if pmid not in screening.lock(session, [pmid]):
                raise NotFound(f"PMID {pmid} is not in this collection")
            if on:
                changed = marks.put(session, actor.person_id, pmid, kind, now)
            else:
                changed = marks.take(session, actor.person_id, pmid, kind)
            if changed:
                told = {"pmid": pmid, "mark": kind}
                subject = f"person:{actor.person_id}"
                if on:
                    events.record(session, actor, "mark.put", subject, now, after=told)
                else:
                    events.record(session, actor, "mark.take", subject, now, before=told)

    def fetch(self, pmid: int, actor: Actor) -> ImportReport:
        """Fetch a paper from PubMed by its PMID; the report says what came of it."""
        report = self._importing().fetch([pmid])
        if report.new or report.revised:
            with self._database.write() as session:
                events.record(session, actor, "citation.fetch", f"citation:{pmid}", self._clock.now())
        return report

    def _family(self, session: Session, pmid: int, registry: Sequence[RegistryNumber]) -> Iterator[PaperLine]:
        named = [Term(each.number, field, quoted=True) for each in registry for field in ("si", "tiab")]
        if not named:
            return
        query: Query = Or(tuple(named))
        found = search.page(session, query, self._tree(), self._clock.now().date(), limit=FAMILY_MOST + 1).pmids
        yield from papers.lines(session, [each for each in found if each != pmid][:FAMILY_MOST])


def _check(kind: str) -> None:
    if kind not in MARKS:
        raise UsageError(f"{kind!r} is no mark; choose from {', '.join(MARKS)}")


def _said(session: Session, pmid: int) -> Iterator[Said]:
    """Yield the decisions that somebody gave, the newest first; taking back only marks what was taken back."""
    every = screening.decisions(session, [pmid]).get(pmid, [])
    undone = {each.undoes for each in every if each.undoes is not None}
    names = provenance.names(session, {each.person_id for each in every if each.person_id is not None})
    for each in reversed(every):
        if each.undoes is None and each.judgement.verdict is not None:
            yield Said(each, names.get(each.person_id) if each.person_id is not None else None, each.id in undone)


def _links(session: Session, found: Record) -> Iterator[Linked]:
    """Yield each link once, however many sides state it; one that ended only where no other states it still."""
    pmid = found.citation.pmid
    told: dict[tuple[str, int | str], Linked] = {}
    others = [each.other_pmid if each.pmid == pmid else each.pmid for each in found.relations]
    lines = {line.pmid: line for line in papers.lines(session, [each for each in others if each is not None])}
    for each, other in zip(found.relations, others, strict=True):
        kind = each.kind if each.pmid == pmid else relation(each.kind).counterpart
        if kind is None:  # a dataset or a RefType of tomorrow, which has no word for the way back
            continue
        key = (kind, other if other is not None else each.source)
        if key in told and (told[key].ended_at is None or each.ended_at is not None):
            continue
        line = lines.get(other) if other is not None else None
        source = each.source if each.pmid == pmid else ""
        told[key] = Linked(_group(kind), relation(kind).words, other, source, line, each.seen_at, each.ended_at)
    yield from told.values()


def _cited(session: Session, citation: Citation) -> list[PaperLine]:
    named = [each.pmid for each in citation.corrections if each.kind == "Cites" and each.pmid is not None]
    for reference in _references(citation.reference_lists):
        found = next((each.value for each in reference.ids if each.kind == "pubmed"), "")
        if (pmid := read_pmid(found)) is not None:
            named.append(pmid)
    held = citations.known(session, dict.fromkeys(named), fetched=False)
    return papers.lines(session, [pmid for pmid in named if pmid in held])


def _references(lists: Sequence[ReferenceList]) -> Iterator[Reference]:
    for each in lists:
        yield from each.references
        yield from _references(each.lists)


def _group(kind: str) -> str:
    return next((name for name, begins in _GROUPS.items() if kind.startswith(begins)), "other")
