"""The list of corrections: what happened to papers after they appeared, what they were in here, and who was told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from sqlalchemy.orm import Session

from monitor.core.citation import Citation
from monitor.core.query import MeshTree, parse
from monitor.core.relations import Notice, notices
from monitor.core.revision import Change
from monitor.core.screening import Verdict
from monitor.errors import UsageError
from monitor.services.ports import Clock
from monitor.storage import citations, corrections, marks, papers, screening, search
from monitor.storage.corrections import KINDS, Acknowledged, Happened, Reach
from monitor.storage.engine import Database
from monitor.storage.papers import PaperLine

PAGE = 50
MATTERS = ("all", "kept", "sent", "mine")
"""Which papers a list is about: all; kept by a curator; sent to anybody; sent to, or saved by, whoever asks."""
_FLAGGED = parse("isretracted OR hasconcern", own=True)
_LINKS = {
    "retracted": ("RetractionIn", "RetractedandRepublishedIn"),
    "concern": ("ExpressionOfConcernIn",),
    "erratum": ("ErratumIn", "CorrectedandRepublishedIn"),
}


@dataclass(frozen=True, slots=True)
class Correction:
    """One thing that happened to one paper. `known` says it already stood so when it was first seen here.

    `changes` are empty then. `notices` are the links to what was published about it.
    """

    version_id: int
    line: PaperLine
    at: datetime
    kinds: tuple[str, ...]
    changes: tuple[Change, ...]
    known: bool
    notices: tuple[Notice, ...]
    kept_in: tuple[str, ...]
    reach: Reach
    told: Reach
    saved: bool
    acknowledged: tuple[Acknowledged, ...]

    @property
    def pmid(self) -> int:
        return self.line.pmid


@dataclass(frozen=True, slots=True)
class CorrectionPage:
    """Some corrections of `total`, the last first; `next_before` leads on and is None at the end."""

    corrections: tuple[Correction, ...]
    total: int
    counts: dict[str, int]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class Lately:
    """The gravest corrections of some days, the last first among equals, and how many there were by their kind."""

    corrections: tuple[Correction, ...]
    counts: dict[str, int]


class Corrections:
    """Reads what was corrected. Every method is one snapshot."""

    def __init__(self, database: Database, clock: Clock, tree: Callable[[], MeshTree]) -> None:
        self._database = database
        self._clock = clock
        self._tree = tree

    def page(
        self,
        person_id: int | None,
        *,
        kind: str | None = None,
        matters: str = "all",
        before: int | None = None,
        limit: int = PAGE,
    ) -> CorrectionPage:
        """Return a page of what matters to somebody; raises UsageError for a kind or circle that there is none of."""
        if kind is not None and kind not in KINDS:
            raise UsageError(f"{kind!r} is no kind of correction; choose from {', '.join(KINDS)}")
        if matters not in MATTERS:
            raise UsageError(f"{matters!r} is no choice; choose from {', '.join(MATTERS)}")
        with self._database.read() as session:
            every = self._about(session, self._all(session), matters, person_id)
            counts = {name: sum(name in each.kinds for each, _ in every) for name in KINDS}
            wanted = [each for each in every if kind is None or kind in each[0].kinds]
            left = iter(wanted)
            if before is not None:
                for each, _ in left:
                    if each.version_id == before:
                        break
            shown = list(islice(left, limit + 1))
            told = tuple(_told(session, shown[:limit], person_id))
        return CorrectionPage(told, len(wanted), counts, told[-1].version_id if len(shown) > limit else None)

    def since(self, moment: datetime, person_id: int | None, limit: int) -> Lately:
        """Return what happened since then to papers that a topic found, or that were kept or sent."""
        with self._database.read() as session:
            seen = corrections.happened(session, since=moment)
            matter = corrections.ours(session, {each.pmid for each in seen})
            kept = [each for each in seen if each.pmid in matter]
            gravest = sorted(kept, key=lambda each: list(KINDS).index(each.kinds[0]))
            counts = Counter(each.kinds[0] for each in kept)
            told = tuple(_told(session, [(each, False) for each in gravest[:limit]], person_id))
        return Lately(told, {kind: counts[kind] for kind in KINDS if counts[kind]})

    def _all(self, session: Session) -> list[tuple[Happened, bool]]:
        """Return what was seen to happen, and what stood already when it was first seen; the last first."""
        seen = corrections.happened(session)
        told = {(each.pmid, kind) for each in seen for kind in each.kinds}
        today = self._clock.now().date()
        flagged = list(search.pmids(session, _FLAGGED, self._tree(), today))
        stands = citations.held(session, flagged)
        first = corrections.first_seen(session, flagged)
        already = []
        for pmid, held in stands.items():
            kinds = [kind for kind, holds in (("retracted", held.retracted), ("concern", held.concern)) if holds]
            if fresh := tuple(kind for kind in kinds if (pmid, kind) not in told):
                version, at = first[pmid]
                already.append((Happened(version, pmid, at, fresh, ()), True))
        every = [(each, False) for each in seen] + already
        return sorted(every, key=lambda each: (each[0].at, each[0].version_id), reverse=True)

    @staticmethod
    def _about(
        session: Session, every: list[tuple[Happened, bool]], matters: str, person_id: int | None
    ) -> list[tuple[Happened, bool]]:
        if matters == "all":
            return every
        pmids = list(dict.fromkeys(each.pmid for each, _ in every))
        if matters == "kept":
            decided = screening.standing(session, pmids)
            among = {pmid for pmid, each in decided.items() if each.judgement.verdict is Verdict.KEEP}
        else:
            reached = corrections.reach(session, pmids, person_id)
            among = {pmid for pmid, each in reached.items() if each.mine or (matters == "sent" and each.people)}
            if matters == "mine" and person_id is not None:
                among |= {pmid for pmid, own in marks.of(session, person_id, pmids).items() if "saved" in own}
        return [each for each in every if each[0].pmid in among]


def notices_of(citation: Citation, kinds: Iterable[str]) -> tuple[Notice, ...]:
    """Return the links to what was published when this happened to a paper."""
    wanted = {link for kind in kinds for link in _LINKS.get(kind, ())}
    return tuple(each for each in notices(citation) if each.link.kind in wanted)


def _told(session: Session, seen: Sequence[tuple[Happened, bool]], person_id: int | None) -> Iterator[Correction]:
    pmids = list(dict.fromkeys(each.pmid for each, _ in seen))
    lines = {line.pmid: line for line in papers.lines(session, pmids)}
    whole = citations.load(session, pmids)
    reached = corrections.reach(session, pmids, person_id)
    heard = corrections.told(session, [each for each, _ in seen], person_id)
    read = corrections.acknowledged(session, [each.version_id for each, _ in seen])
    saved = marks.of(session, person_id, pmids) if person_id is not None else {}
    decided = {pmid: decision.judgement for pmid, decision in screening.standing(session, pmids).items()}
    for each, known in seen:
        line = lines[each.pmid]
        yield Correction(
            version_id=each.version_id,
            line=line,
            at=each.at,
            kinds=each.kinds,
            changes=each.changes,
            known=known,
            notices=notices_of(whole[each.pmid], each.kinds),
            kept_in=decided[each.pmid].topics if each.pmid in decided else (),
            reach=reached.get(each.pmid, Reach()),
            told=heard.get(each.version_id, Reach()) if not known else Reach(),
            saved="saved" in saved.get(each.pmid, ()),
            acknowledged=tuple(read.get(each.version_id, ())),
        )
