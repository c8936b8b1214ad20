"""What is proposed for each paper by the vocabulary and level rules in force: made once, kept, and made again when behind."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

import structlog
from sqlalchemy.orm import Session

from monitor.core.faults import Faulty
from monitor.core.grading import Rules
from monitor.core.proposal import Proposed, propose_all
from monitor.core.query import MeshTree
from monitor.core.vocabulary import Suggestion, Vocabulary
from monitor.errors import DatabaseBehind
from monitor.formats.rulebook import rules_of, vocabulary_of
from monitor.services.ports import Clock
from monitor.storage import citations, screening, vocabulary
from monitor.storage.engine import Database
from monitor.storage.vocabulary import InForce, Use

BATCH: Final = 50
"""Papers read in one turn before anybody else may write."""
T = TypeVar("T")
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Standing:
    """The rulebooks in force, read, with their versions."""

    versions: InForce
    vocabulary: Vocabulary
    rules: Rules


class Vocabularies:
    """Proposes by what is in force. Safe from several threads; what is read of a version is kept for the next."""

    def __init__(self, database: Database, clock: Clock, mesh: Callable[[], MeshTree]) -> None:
        self._database = database
        self._clock = clock
        self._mesh = mesh
        self._lock = threading.Lock()
        self._standing: Standing | None = None

    def current(self, session: Session | None = None) -> Vocabulary:
        """Return the vocabulary in force."""
        return self.standing(session).vocabulary

    def standing(self, session: Session | None = None) -> Standing:
        """Return both rulebooks in force. Raises DatabaseBehind where none was loaded yet."""
        if session is None:
            with self._database.read() as opened:
                return self.standing(opened)
        wanted = vocabulary.in_force(session)
        if wanted is None:
            raise DatabaseBehind("no vocabulary has been loaded yet; run monitor init")
        with self._lock:
            held = self._standing
            if held is None or held.versions != wanted:
                # A version that this program cannot read any more is passed over, so that the desk stays open.
                of_words, words = _readable(session, "vocabulary", vocabulary_of)
                of_rules, rules = _readable(session, "levels", rules_of)
                held = self._standing = Standing(wanted, words, rules)
                if (of_words, of_rules) != wanted:
                    _log.warning("rulebook passed over", wanted=tuple(wanted), read=(of_words, of_rules))
        return held

    def propose(self, pmids: Iterable[int], session: Session | None = None) -> dict[int, Proposed]:
        """Return what is proposed for those of these citations that are held, making what is missing or behind.

        Without a session, what was made is also kept; with one it is not, because whoever reads may not write.
        """
        wanted = list(dict.fromkeys(pmids))
        if session is not None:
            return self._made(session, wanted, self.standing(session))[0]
        with self._database.read() as opened:
            standing = self.standing(opened)
            found, fresh = self._made(opened, wanted, standing)
        if fresh:
            with self._database.write() as opened:
                vocabulary.store(opened, fresh, standing.versions, self._clock.now())
        return found

    def of(self, session: Session | None, pmids: Iterable[int]) -> dict[int, Proposed]:
        """Do what `propose` does."""
        return self.propose(pmids, session)

    def refresh(self, limit: int = 2000, stopping: Callable[[], bool] = lambda: False) -> int:
        """Make what is missing or behind, the newest papers first; returns how many were made. Safe to break off."""
        made = 0
        while made < limit and not stopping():
            with self._database.read() as session:
                standing = self.standing(session)
                batch = vocabulary.stale(session, standing.versions, self._clock.now(), BATCH)
                fresh = self._read(session, batch, standing)
            if not fresh:
                return made
            with self._database.write() as session:
                vocabulary.store(session, fresh, standing.versions, self._clock.now())
            made += len(fresh)
        return made

    def received(self, session: Session, pmids: Iterable[int], step_id: int | None = None) -> None:
        """Note how the suggestions for papers that were just kept were received: which of them stand as tags now.

        A suggestion that was preselected and does not stand was taken off. Of a paper that is dismissed nothing is
        learnt about its tags, so call this for papers that are kept, after their tags. Nor is anything learnt of one
        without any tag: kept in bulk or at the command line, its suggestions were not looked at.
        """
        wanted = list(dict.fromkeys(pmids))
        proposed = self.propose(wanted, session)
        terms = screening.terms(session, wanted)
        uses: list[Use] = []
        for pmid, found in proposed.items():
            standing = {tag.partition("/")[0] for tag in terms.get(pmid, {}).get("tag", ())}
            for each in found.tags if standing else ():
                taken = each.tag.partition("/")[0] in standing
                patterns = dict.fromkeys(reason.pattern for reason in each.reasons)
                uses += [Use(pattern, each.term, pmid, taken, each.preselected and not taken) for pattern in patterns]
        vocabulary.record_use(session, uses, self._clock.now(), step_id)

    def _made(
        self, session: Session, pmids: Sequence[int], standing: Standing
    ) -> tuple[dict[int, Proposed], list[tuple[bytes, Proposed]]]:
        found = vocabulary.proposals(session, pmids, standing.versions, self._clock.now().date())
        fresh = self._read(session, [pmid for pmid in pmids if pmid not in found], standing)
        found.update({each.pmid: each for _, each in fresh})
        return {pmid: found[pmid] for pmid in pmids if pmid in found}, fresh

    def _read(self, session: Session, pmids: Sequence[int], standing: Standing) -> list[tuple[bytes, Proposed]]:
        if not pmids:
            return []
        hashes = vocabulary.hashes(session, pmids)
        today, mesh = self._clock.now().date(), self._mesh()
        return [
            (hashes[each.pmid], propose_all(standing.vocabulary, standing.rules, each, mesh, today))
            for each in citations.load_each(session, pmids)
        ]


def _readable(session: Session, kind: vocabulary.Kind, read: Callable[[str], T]) -> tuple[int, T]:
    """Return the newest version that this program can read; raises Faulty if it can read none."""
    fault: Faulty | None = None
    for each in vocabulary.history(session, kind, limit=20):
        try:
            return each.version, read(each.text)
        except Faulty as error:
            fault = error
    raise fault or DatabaseBehind(f"no {kind} has been loaded yet; run monitor init")


__all__ = ["Proposed", "Standing", "Suggestion", "Vocabularies"]
