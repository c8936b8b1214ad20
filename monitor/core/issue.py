"""What one issue of the digest carries, in what order, and why; pure.

Order: what changed in citations sent before, then retracted or questioned citations and their notices, then each topic
in its own order. Inside a topic what curators kept comes first, then what nobody has decided; in both the level of
evidence decides, then the publication type predicts importance (`RANKS`), then the newest comes first. What was
dismissed is never told, nor what stands below the reader's floor; both are counted.
A citation that several topics found appears once, under the first of them that it was kept in, else under the first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Literal, NamedTuple

from monitor.core.citation import Citation
from monitor.core.curation import ALL_SHOWN, UNTOUCHED, Curation, LeftOut
from monitor.core.polling import FINISHED, UNFINISHED
from monitor.core.ranking import INTEGRITY, newest, rank, seriousness

Kind = Literal["news", "quiet", "blind"]

MOST_WHY = 3
FRESH = timedelta(hours=36)
"""A daily search that has not succeeded for this long leaves its topic unwatched."""


class Topic(NamedTuple):
    """A topic as a reader sees it; `short` fits into a subject."""

    id: str
    title: str
    short: str


class Match(NamedTuple):
    """The plainest words of a search that stand in the citation, and where: title, abstract, keywords or mesh."""

    field: str
    text: str


class Found(NamedTuple):
    """A topic's search found the citation, with the numbers of its lines that match it, counted from 1."""

    topic: str
    lines: tuple[int, ...]
    match: Match | None = None


class Why(NamedTuple):
    """One reason: `title`, `abstract`, `keywords` or `mesh` with the words; `follow` a topic; `line` numbers.

    `kept` names who kept it, which may be empty, then a topic a line; `level` the level, then who confirmed it;
    `proposed` the level, then the rule's reason.
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A citation found as new for somebody; `version_id` names what is known of it now."""

    citation: Citation
    version_id: int
    found: tuple[Found, ...]
    flags: frozenset[str] = frozenset()
    curation: Curation = UNTOUCHED


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What happened to a citation after it was sent; `changes` most serious first, `sent_at` its first sending."""

    citation: Citation
    version_id: int
    changes: tuple[str, ...]
    sent_at: datetime
    flags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Run:
    """A finished search of a topic's core lane; `missing` papers PubMed counted were not to be had, or not to be read."""

    finished_at: datetime
    state: str
    error: str | None = None
    unknown_phrases: tuple[str, ...] = ()
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Health:
    """How the searches of one topic went since the last issue.

    `state`: fine; warned (it ran, but PubMed did not know a phrase, or some papers it counts could not be had); failed
    (the last run did); stale (the last success is too old); never. `runs` and `failures` count runs since then: a
    failure that a later run made up for stays fine. `missing` counts the papers that the last success did not get.
    """

    topic: str
    state: Literal["fine", "warned", "failed", "stale", "never"]
    succeeded_at: datetime | None = None
    runs: int = 0
    failures: int = 0
    unknown_phrases: tuple[str, ...] = ()
    error: str | None = None
    missing: int = 0

    @property
    def blind(self) -> bool:
        """Whether silence of this topic says nothing."""
        return self.state in ("failed", "stale", "never")


@dataclass(frozen=True, slots=True)
class Entry:
    """A citation as news, with its reasons; `card` when it is shown in full, otherwise a line.

    `kept`: curators kept it in the topic that it stands under.
    """

    candidate: Candidate
    topic: str
    why: tuple[Why, ...]
    card: bool
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    topic: Topic
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Issue:
    """A selection, complete and in order. Equal fingerprints read the same."""

    topics: tuple[Topic, ...]
    corrections: tuple[FollowUp, ...]
    integrity: tuple[Entry, ...]
    sections: tuple[Section, ...]
    health: tuple[Health, ...]
    kind: Kind
    news: int = field(default=0)
    left_out: LeftOut = ALL_SHOWN
    floor: str | None = None

    @property
    def entries(self) -> tuple[Entry, ...]:
        return (*self.integrity, *(entry for section in self.sections for entry in section.entries))


def select(
    topics: Sequence[Topic],
    candidates: Iterable[Candidate],
    follow_ups: Iterable[FollowUp],
    health: Sequence[Health],
    cards: int,
    floor: str | None = None,
    left_out: LeftOut = ALL_SHOWN,
) -> Issue:
    """Select and order what a reader of these topics, in this order, gets; at most `cards` shown in full.

    Cards go round the topics, the best of each first, so that a busy topic does not hide a quiet one; nothing that is
    undecided gets one before all that was kept. `left_out` is told as it is; what is left out here is not counted again.
    """
    position = {topic.id: number for number, topic in enumerate(topics)}
    titles = {topic.id: topic.title for topic in topics}
    integrity: list[tuple[Candidate, str]] = []
    by_topic: dict[str, list[Candidate]] = {topic.id: [] for topic in topics}
    reasons: dict[int, tuple[Why, ...]] = {}
    for candidate in candidates:
        curation = candidate.curation
        found = sorted(
            (f for f in candidate.found if f.topic in position),
            key=lambda f: (not curation.kept_in(f.topic), position[f.topic]),
        )
        if not found or curation.dismissed or not curation.reaches(floor):
            continue
        reasons[candidate.citation.pmid] = explain(found, titles, curation)
        if candidate.flags & INTEGRITY:
            integrity.append((candidate, found[0].topic))
        else:
            by_topic[found[0].topic].append(candidate)
    integrity.sort(key=lambda each: (seriousness(each[0].flags), *_order(each[0], each[1])))
    for topic, queue in by_topic.items():
        queue.sort(key=lambda each: _order(each, topic))
    chosen = _deal(by_topic, cards)
    sections = tuple(
        Section(
            topic,
            tuple(
                Entry(
                    each,
                    topic.id,
                    reasons[each.citation.pmid],
                    each.citation.pmid in chosen,
                    each.curation.kept_in(topic.id),
                )
                for each in by_topic[topic.id]
            ),
        )
        for topic in topics
        if by_topic[topic.id]
    )
    corrections = tuple(sorted(follow_ups, key=lambda each: (seriousness(each.flags), -each.citation.pmid)))
    flagged = tuple(
        Entry(each, topic, reasons[each.citation.pmid], False, each.curation.kept_in(topic))
        for each, topic in integrity
    )
    news = len(flagged) + sum(len(section.entries) for section in sections)
    kind: Kind = "news" if news or corrections else "blind" if any(each.blind for each in health) else "quiet"
    return Issue(tuple(topics), corrections, flagged, sections, tuple(health), kind, news, left_out, floor)


def explain(found: Sequence[Found], titles: Mapping[str, str], curation: Curation = UNTOUCHED) -> tuple[Why, ...]:
    """Give at most three reasons, plainest first: who kept it, its level, the words that match, topics, lines."""
    why = []
    kept = [titles[f.topic] for f in found if curation.kept_in(f.topic)]
    if kept:
        why.append(Why("kept", "\n".join((curation.by or "", *kept))))
        if curation.level is not None and not curation.proposed:
            why.append(Why("level", f"{curation.level}\n{curation.confirmed_by or ''}"))
        elif curation.level is not None and curation.rule is not None:
            why.append(Why("proposed", f"{curation.level}\n{curation.rule}"))
    match = min((f.match for f in found if f.match), key=lambda m: _FIELDS.index(m.field), default=None)
    if match is not None:
        why.append(Why(match.field, match.text))
    others = [titles[f.topic] for f in found[1:] if not kept or not curation.kept_in(f.topic)]
    if not kept:
        why.append(Why("follow", titles[found[0].topic]))
    if others:
        # Joined into one part, so that every topic is named and three parts suffice.
        why.append(Why("also", "\n".join(others)))
    elif found[0].lines:
        why.append(Why("line", ",".join(map(str, found[0].lines))))
    return tuple(why[:MOST_WHY])


_FIELDS = ("title", "abstract", "keywords", "mesh")


def health_of(
    topic: str,
    runs: Sequence[Run],
    since: datetime,
    at: datetime,
    fresh: timedelta = FRESH,
) -> Health:
    """Judge a topic's finished core searches, newest first."""
    good = next((run for run in runs if run.state in FINISHED), None)
    counted = [run for run in runs if run.finished_at > since]
    facts: dict[str, Any] = {
        "succeeded_at": good.finished_at if good else None,
        "runs": len(counted),
        "failures": sum(run.state in UNFINISHED for run in counted),
    }
    if not runs:
        return Health(topic, "never")
    if runs[0].state in UNFINISHED:
        return Health(topic, "failed", error=runs[0].error, **facts)
    if good is None or at - good.finished_at > fresh:
        return Health(topic, "stale", **facts)
    if good.state == "warned" or good.missing:
        return Health(topic, "warned", unknown_phrases=good.unknown_phrases, missing=good.missing, **facts)
    return Health(topic, "fine", **facts)


_values = attrgetter(*Curation.__slots__)


def fingerprint(issue: Issue, *settings: object) -> str:
    """Return what two selections share exactly when their readers would read the same."""
    told = [
        [list(topic) for topic in issue.topics],
        [[f.citation.pmid, f.version_id, list(f.changes), f.sent_at.isoformat()] for f in issue.corrections],
        [
            [e.candidate.citation.pmid, e.candidate.version_id, e.topic, e.card, e.why, *_values(e.candidate.curation)]
            for e in issue.entries
        ],
        [issue.floor, *issue.left_out],
        [
            [
                h.topic,
                h.state,
                h.succeeded_at and h.succeeded_at.isoformat(),
                h.runs,
                h.failures,
                h.unknown_phrases,
                h.error,
                h.missing,
            ]
            for h in issue.health
        ],
        [str(each) for each in settings],
    ]
    return hashlib.blake2b(json.dumps(told, ensure_ascii=True).encode(), digest_size=16).hexdigest()


def short_name(topic_id: str, title: str) -> str:
    """Name a topic for a subject: its id, spelt as the title spells it. `ipsc-nk` -> `iPSC-NK`, `cik` -> `CIK`."""
    at = title.casefold().find(topic_id.casefold())
    if at >= 0:
        return title[at : at + len(topic_id)]
    words = {word.casefold(): word for word in _words(title)}
    parts = []
    for part in topic_id.split("-"):
        spelt = words.get(part.casefold(), part)
        parts.append(spelt.upper() if spelt is part and len(part) <= 4 else spelt)
    return "-".join(parts)


def _words(text: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in text).split()


def _order(candidate: Candidate, topic: str) -> tuple[bool, int, int, bool, tuple[int, ...], int]:
    citation = candidate.citation
    return (
        not candidate.curation.kept_in(topic),
        candidate.curation.rank,
        rank(citation),
        "preprint" in candidate.flags,
        tuple(-each for each in newest(citation)),
        -citation.pmid,
    )


def _deal(by_topic: Mapping[str, Sequence[Candidate]], cards: int) -> set[int]:
    chosen: set[int] = set()
    for kept in (True, False):
        queues = [[e for e in queue if e.curation.kept_in(topic) is kept] for topic, queue in by_topic.items()]
        for turn in range(max(map(len, queues), default=0)):
            for queue in queues:
                if len(chosen) >= cards:
                    return chosen
                if turn < len(queue):
                    chosen.add(queue[turn].citation.pmid)
    return chosen
