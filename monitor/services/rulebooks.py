"""Vocabulary and level rules as admins change them: versions that are never overwritten, tried before they are saved."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import unified_diff
from time import perf_counter
from typing import Final, NamedTuple

from sqlalchemy.orm import Session

from monitor.core.citation import Abstract, AbstractSection, Citation, InlineXml
from monitor.core.faults import Fault, Faulty
from monitor.core.grading import Rules
from monitor.core.markup import escape_text, plain
from monitor.core.people import COMMAND_LINE, Actor
from monitor.core.proposal import Proposed, propose_all
from monitor.core.query import MeshTree
from monitor.core.screening import read_note
from monitor.core.vocabulary import Suggestion, Vocabulary
from monitor.errors import MonitorError, NotFound, UsageError
from monitor.formats.rulebook import rules_of, vocabulary_of
from monitor.resources import resource_dir
from monitor.services.ports import Clock
from monitor.services.slow_patterns import slow
from monitor.services.vocabulary import Vocabularies
from monitor.storage import citations, events, vocabulary
from monitor.storage.engine import Database
from monitor.storage.vocabulary import KINDS, Kind, Reception, Rulebook

NOISY_SHARE: Final = 0.4
NOISY_LEAST: Final = 30
"""A pattern is noisy when curators took it off more often than this share of at least so many showings."""
TRIED_MOST: Final = 500
"""Papers that one try reads at most."""
_PASTED: Final = 0
"""The PMID of a text that is no paper of ours."""


class Conflict(MonitorError):
    """Somebody saved another version meanwhile; what was written is not kept. `newest` is theirs."""

    def __init__(self, newest: Rulebook, based_on: int) -> None:
        by = newest.by or "somebody"
        super().__init__(
            f"{by} saved version {newest.version} since version {based_on} was opened; nothing was saved, "
            "and your text is still here"
        )
        self.newest = newest
        self.based_on = based_on


class DiffLine(NamedTuple):
    """A line of a difference: `kind` is added, removed, same, or gap where lines are left out."""

    kind: str
    text: str


class Difference(NamedTuple):
    """What a changed rulebook changes for one paper; tags as they would be offered."""

    pmid: int
    title: str
    added: tuple[Suggestion, ...]
    removed: tuple[Suggestion, ...]
    level: tuple[str, str] | None
    off_topic_added: tuple[str, ...]
    off_topic_removed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trial:
    """What a text of a rulebook would do: over how many papers, what it changes, and everything for a single one."""

    read: int
    changed: tuple[Difference, ...]
    milliseconds: float
    proposed: Proposed | None = None
    unknown: tuple[int, ...] = ()

    @property
    def added(self) -> int:
        return sum(len(each.added) for each in self.changed)

    @property
    def removed(self) -> int:
        return sum(len(each.removed) for each in self.changed)


@dataclass(frozen=True, slots=True)
class Sample:
    """Papers to try a rulebook on: a pasted text, PMIDs, or the newest so many."""

    title: str = ""
    abstract: str = ""
    pmids: tuple[int, ...] = ()
    newest: int = 0


class Rulebooks:
    """The one door for changing vocabulary and level rules. Every change is a new version and an event."""

    def __init__(
        self, database: Database, clock: Clock, mesh: Callable[[], MeshTree], vocabularies: Vocabularies
    ) -> None:
        self._database = database
        self._clock = clock
        self._mesh = mesh
        self._vocabularies = vocabularies

    def newest(self, kind: Kind) -> Rulebook:
        """Return the version in force; raises NotFound where none was loaded yet."""
        with self._database.read() as session:
            return _newest(session, kind)

    def history(self, kind: Kind) -> list[Rulebook]:
        """Return every version, the newest first."""
        with self._database.read() as session:
            return vocabulary.history(session, kind)

    def version(self, kind: Kind, number: int) -> Rulebook:
        """Return one version; raises NotFound for a number there is not."""
        with self._database.read() as session:
            return _version(session, kind, number)

    def difference(self, kind: Kind, older: int, newer: int) -> list[DiffLine]:
        """Return what one version changed of another, line by line."""
        with self._database.read() as session:
            return differ(_version(session, kind, older).text, _version(session, kind, newer).text)

    def check(self, kind: Kind, text: str) -> None:
        """Raise Faulty with everything that is wrong with a text, lines named, also patterns that could take for ever."""
        read = self._read(kind, _even(text))
        with self._database.read() as session:
            known = frozenset(_patterns(self._read(kind, _newest(session, kind).text)))
        fresh = [each for each in _patterns(read) if each not in known]
        if late := frozenset(slow(sorted(fresh))):
            what = "can take seconds on one abstract; give its repeats limits, such as [^.;]{0,60} for .*"
            raise Faulty([Fault((), f"the pattern “{each}” {what}", _line_of(text, each)) for each in sorted(late)])

    def save(
        self,
        kind: Kind,
        text: str,
        *,
        expected: int,
        reason: str | None = None,
        actor: Actor = COMMAND_LINE,
    ) -> Rulebook:
        """Store a text as the new version in force. Raises Faulty, UsageError where nothing changes, and Conflict where
        `expected` is no longer the newest version.
        """
        even = _even(text)
        why = read_note(reason)
        self.check(kind, even)
        now = self._clock.now()
        with self._database.write() as session:
            before = _newest(session, kind)
            if before.version != expected:
                raise Conflict(before, expected)
            if before.text == even:
                raise UsageError(f"version {before.version} says the same already; nothing was saved")
            number = vocabulary.add(session, kind, even, "lab", now, reason=why, person_id=actor.person_id)
            events.record(
                session,
                actor,
                f"{kind}.save",
                f"rulebook:{kind}",
                now,
                {"version": before.version},
                {"version": number, "reason": why},
            )
            return _version(session, kind, number)

    def restore(self, kind: Kind, number: int, *, expected: int, actor: Actor = COMMAND_LINE) -> Rulebook:
        """Save an older version again as the newest."""
        text = self.version(kind, number).text
        return self.save(kind, text, expected=expected, reason=f"version {number} again", actor=actor)

    def try_out(self, kind: Kind, text: str, sample: Sample) -> Trial:
        """Say what a text would propose for some papers, beside what is in force; nothing is kept. Raises Faulty."""
        even = _even(text)
        self.check(kind, even)
        with self._database.read() as session:
            standing = self._vocabularies.standing(session)
            papers = list(self._papers(session, sample))
        new_words = vocabulary_of(even) if kind == "vocabulary" else standing.vocabulary
        new_rules = rules_of(even) if kind == "levels" else standing.rules
        today, mesh = self._clock.now().date(), self._mesh()
        changed: list[Difference] = []
        last = None
        spent = 0.0
        for each in papers:
            before = propose_all(standing.vocabulary, standing.rules, each, mesh, today)
            started = perf_counter()
            last = propose_all(new_words, new_rules, each, mesh, today)
            spent += perf_counter() - started
            if (difference := _difference(each, before, last)) is not None:
                changed.append(difference)
        held = {each.pmid for each in papers}
        return Trial(
            len(papers),
            tuple(changed),
            1000 * spent / len(papers) if papers else 0.0,
            last if len(papers) == 1 else None,
            tuple(pmid for pmid in sample.pmids if pmid not in held),
        )

    def noisy(self) -> list[Reception]:
        """Return the patterns that curators take off too often, the worst first."""
        with self._database.read() as session:
            found = vocabulary.receptions(session, NOISY_LEAST)
        return sorted(
            (each for each in found if each.share_removed > NOISY_SHARE), key=lambda each: -each.share_removed
        )

    def received(self) -> list[Reception]:
        """Return how every pattern was received that was shown at all."""
        with self._database.read() as session:
            return vocabulary.receptions(session)

    def _read(self, kind: Kind, text: str) -> Vocabulary | Rules:
        return vocabulary_of(text) if kind == "vocabulary" else rules_of(text)

    def _papers(self, session: Session, sample: Sample) -> Iterator[Citation]:
        if sample.title.strip() or sample.abstract.strip():
            yield pasted(sample.title, sample.abstract)
        wanted = list(dict.fromkeys(sample.pmids))[:TRIED_MOST]
        if sample.newest > 0:
            wanted += vocabulary.newest_papers(session, min(sample.newest, TRIED_MOST))
        yield from citations.load_each(session, wanted)


def load_starter(session: Session, now: datetime) -> dict[Kind, str]:
    """Load the rulebooks that ship with us: `added` at first, `renewed` over an older starter, `kept` over a lab's own."""
    told: dict[Kind, str] = {}
    for kind in KINDS:
        text = starter(kind)
        held = vocabulary.newest(session, kind)
        if held is None or (held.origin == "starter" and held.text != text):
            vocabulary.add(session, kind, text, "starter", now)
            told[kind] = "added" if held is None else "renewed"
        elif held.text != text:
            told[kind] = "kept"
    return told


def starter(kind: Kind) -> str:
    """Return the text of a rulebook that ships with us."""
    return (resource_dir("db") / "seed" / f"{kind}.yaml").read_text(encoding="utf-8")


def pasted(title: str, abstract: str) -> Citation:
    """Return a citation of a title and abstract that somebody pasted; `<sup>` and its like are read as markup."""
    sections = (AbstractSection(_inline(abstract)),)
    return Citation(pmid=_PASTED, title=_inline(title), abstract=Abstract(sections))


def differ(older: str, newer: str) -> list[DiffLine]:
    """Return the lines that differ, with three around them."""
    kinds = {"+": "added", "-": "removed", " ": "same", "@": "gap"}
    lines = list(unified_diff(older.splitlines(), newer.splitlines(), lineterm="", n=3))[2:]
    return [DiffLine(kinds[each[0]], "" if each[0] == "@" else each[1:]) for each in lines]


_TAGS: Final = re.compile(r"&lt;(/?(?:sup|sub|i|b|u))&gt;")


def _inline(text: str) -> InlineXml:
    return InlineXml(_TAGS.sub(r"<\1>", escape_text(text.strip())))


def _even(text: str) -> str:
    """Return a text as it is kept: a browser sends lines that end otherwise."""
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip() + "\n"


def _newest(session: Session, kind: Kind) -> Rulebook:
    found = vocabulary.newest(session, kind)
    if found is None:
        raise NotFound(f"no {kind} has been loaded yet; run monitor init")
    return found


def _version(session: Session, kind: Kind, number: int) -> Rulebook:
    found = vocabulary.version(session, kind, number)
    if found is None:
        raise NotFound(f"there is no version {number} of the {kind}")
    return found


def _patterns(read: Vocabulary | Rules) -> list[tuple[str, bool]]:
    """Return every pattern of a rulebook and whether case counts."""
    return list(dict.fromkeys((each.text, each.cased) for each in read.patterns))


def _line_of(text: str, pattern: str) -> int | None:
    for needle in (pattern, pattern.replace("'", "''"), pattern.replace("\\", "\\\\")):
        at = text.find(needle)
        if at >= 0:
            return text.count("\n", 0, at) + 1
    return None


def _difference(citation: Citation, before: Proposed, after: Proposed) -> Difference | None:
    was, now = {each.tag: each for each in before.tags}, {each.tag: each for each in after.tags}
    off_was, off_now = [each.id for each in before.off_topic], [each.id for each in after.off_topic]
    level = (before.grade.level, after.grade.level) if before.grade.level != after.grade.level else None
    found = Difference(
        citation.pmid,
        plain(citation.title or citation.vernacular_title),
        tuple(each for tag, each in now.items() if tag not in was),
        tuple(each for tag, each in was.items() if tag not in now),
        level,
        tuple(each for each in off_now if each not in off_was),
        tuple(each for each in off_was if each not in off_now),
    )
    return found if any(found[2:]) else None


__all__ = ["Conflict", "DiffLine", "Difference", "Rulebooks", "Sample", "Trial"]
