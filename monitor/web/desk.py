"""What the desk shows: where in the queue somebody is, and one paper with everything that is decided on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Final, NamedTuple, Self
from urllib.parse import urlencode

from monitor.core.citation import Citation
from monitor.core.highlights import Layer
from monitor.core.lanes import Lane, Listing, read_lane, read_order
from monitor.core.markup import plain
from monitor.core.proposal import Proposed
from monitor.core.rewording import Rewording
from monitor.core.samples import RegistryNumber, number
from monitor.core.screening import OFF_TOPIC, REASONS
from monitor.core.vocabulary import DESIGN, Suggestion, Vocabulary
from monitor.core.vocabulary.terms import COMPARATOR
from monitor.errors import UsageError
from monitor.services.votes import Standing
from monitor.storage.papers import PaperLine
from monitor.web.abstracts import AbstractView

BADGES: Final = 9
"""Suggested tags that a digit toggles."""
LAYERED: Final[Mapping[Layer, str]] = {"therapy": "therapy", "outcome": "outcome", "safety": "safety"}
"""The layers of highlights that are facets of the vocabulary."""
NOT_DOUBLY: Final = Standing(0, None)
_FILTERS: Final = ("topic", "level", "design", "words", "tag", "later")
_REGISTERED: Final = {
    "ClinicalTrials.gov": "https://clinicaltrials.gov/study/{number}",
    "ISRCTN": "https://www.isrctn.com/{number}",
    "PROSPERO": "https://www.crd.york.ac.uk/prospero/display_record.php?RecordID={digits}",
    "jRCT": "https://jrct.niph.go.jp/latest-detail/{number}",
    "DRKS": "https://drks.de/search/en/trial/{number}",
    "CRIS": "https://cris.nih.go.kr/cris/search/detailSearch.do?search_lang=E&searchWord={number}",
    "ACTRN": "https://www.anzctr.org.au/{number}.aspx",
}
_OTHERS_FIRST: Final = ("not-primary", "wrong-intervention", "wrong-population", "duplicate", "language", "other")


@dataclass(frozen=True, slots=True)
class Where:
    """A place in the queue as its address names it: lane, order, and what the list is narrowed down to."""

    lane: Lane = Lane.NEW
    order: str = "level"
    seed: int = 0
    topic: str | None = None
    level: str | None = None
    design: str | None = None
    words: str | None = None
    tag: str | None = None
    later: bool = False

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Self:
        """Read the parameters of an address; raises UsageError for a lane or an order that there is not."""
        text = {
            name: given[name].strip() or None for name in ("topic", "level", "design", "words", "tag") if name in given
        }
        seed = given.get("seed", "")
        return cls(
            lane=read_lane(given.get("lane") or Lane.NEW),
            order=read_order(given.get("order") or "level"),
            seed=int(seed) if seed.isdigit() and len(seed) < 10 else 0,
            later=given.get("later") == "1",
            **text,
        )

    @property
    def listing(self) -> Listing:
        return Listing(
            order=read_order(self.order),
            seed=self.seed,
            topic=self.topic,
            level=self.level,
            design=self.design,
            words=self.words,
            tag=self.tag,
            later=self.later,
        )

    @property
    def narrowed(self) -> int:
        """How many filters are on."""
        return sum(bool(getattr(self, name)) for name in _FILTERS if name != "later")

    def pairs(self, without: Sequence[str] = ()) -> list[tuple[str, str]]:
        """Return the parameters that differ from the usual ones, for addresses and hidden fields."""
        held = [(each.name, getattr(self, each.name), each.default) for each in fields(self)]
        return [
            (name, "1" if value is True else str(value))
            for name, value, usual in held
            if value != usual and name not in without
        ]

    def query(self, **more: object) -> str:
        """Write the address of this place, with more parameters or others."""
        return urlencode({**dict(self.pairs()), **{name: value for name, value in more.items() if value is not None}})

    def only(self, *, lane: Lane) -> str:
        """Write the address of a lane with nothing narrowed down, in the same order."""
        return Where(lane=lane, order=self.order, seed=self.seed).query()


class Row(NamedTuple):
    """One paper in the list; `tags` are the best three, those that stand before those that are proposed."""

    line: PaperLine
    place: str
    age_days: int
    held_by: str | None
    why: str
    tags: tuple[str, ...]


class Chip(NamedTuple):
    """A tag that may be put on the paper or stands on it; `place` numbers it on the page, `badge` is its digit."""

    tag: str
    label: str
    checked: bool
    confirmed: bool
    place: int
    badge: int | None = None
    polarity: str | None = None
    comparator: bool = False
    reasons: tuple[Any, ...] = ()
    implied_by: str | None = None


class Group(NamedTuple):
    """Tags of one facet."""

    label: str
    chips: tuple[Chip, ...]


class Choice(NamedTuple):
    """A topic that the paper may be kept in; `likely` where its search finds the paper, or it stands in it."""

    id: str
    title: str
    checked: bool
    likely: bool


class Dismissal(NamedTuple):
    """A reason to dismiss; `words` are those in the paper that speak for it."""

    id: str
    label: str
    words: str | None = None


class Sample(NamedTuple):
    """How many people took part, as a rule has read it, and in which sentences."""

    n: int
    places: tuple[int, ...]
    told: str | None


class Registered(NamedTuple):
    number: str
    href: str | None


class Before(NamedTuple):
    """The verdict that stands already."""

    verdict: str
    by: str | None
    at: datetime
    topics: tuple[str, ...]
    reason: str | None
    note: str | None
    until: date | None = None
    asked: str | None = None


class Happened(NamedTuple):
    """Something that befell a paper after it was kept or sent."""

    words: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Record:
    """One paper at the desk with everything that is decided on it; `place` is where it stands in the list."""

    line: PaperLine
    abstract: AbstractView
    topics: tuple[Choice, ...]
    groups: tuple[Group, ...]
    hidden: tuple[Chip, ...]
    reasons: tuple[Dismissal, ...]
    expected: int | None = None
    place: str | None = None
    held_by: str | None = None
    saved: bool = False
    level: str | None = None
    proposed: Any = None
    level_usual: str = ""
    level_chosen: str = ""
    sample: Sample | None = None
    registry: tuple[Registered, ...] = ()
    note: str = ""
    note_version: int = 0
    mesh: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    rewording: Rewording | None = None
    before: Before | None = None
    events: tuple[Happened, ...] = ()
    upto: int | None = None
    ballot: Standing = NOT_DOUBLY
    standing: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    wrong: str | None = None
    more: str = ""

    @property
    def blind(self) -> bool:
        """Whether what is said here is a vote that the other does not see."""
        return self.ballot.state == "open"


def chips(
    vocabulary: Vocabulary,
    proposed: Proposed | None,
    standing: Iterable[str],
    language: str,
    *,
    touched: bool,
) -> tuple[tuple[Group, ...], tuple[Chip, ...]]:
    """Return the tags of a paper by facet, and those hidden under "more".

    Those that stand are confirmed. Suggestions are preselected until somebody has judged the paper (`touched`); the
    nine best that do not stand yet have a digit.
    """
    held = list(dict.fromkeys(standing))
    offered = proposed.tags if proposed is not None else ()
    hidden = proposed.hidden if proposed is not None else ()
    best = [each for each in offered if each.tag not in held][:BADGES]
    badges = {each.tag: n for n, each in enumerate(sorted(best, key=lambda e: _position(vocabulary, e.facet)), 1)}
    place = 0

    def chip(each: Suggestion) -> Chip:
        nonlocal place
        place += 1
        confirmed = each.tag in held
        return Chip(
            each.tag,
            _label(vocabulary, each.tag, language),
            confirmed or (each.preselected and not touched),
            confirmed,
            place,
            badges.get(each.tag),
            each.polarity,
            each.role == COMPARATOR,
            each.reasons,
            vocabulary.label(each.implied_by, language) if each.implied_by else None,
        )

    groups = []
    known = {each.tag for each in offered}
    for facet in vocabulary.facets:
        found = [chip(each) for each in offered if each.facet == facet.id]
        for tag in held:
            term = vocabulary.term(tag)
            if tag not in known and term is not None and term.facet == facet.id:
                place += 1
                found.append(_standing(vocabulary, tag, place, language))
        if found:
            groups.append(Group(facet.zh if language.startswith("zh") else facet.en, tuple(found)))
    loose = []
    for tag in held:
        if tag not in known and vocabulary.term(tag) is None:
            place += 1
            loose.append(_standing(vocabulary, tag, place, language))
    if loose:
        groups.append(Group("", tuple(loose)))
    return tuple(groups), tuple(chip(each) for each in hidden if each.tag not in held)


def best_tags(vocabulary: Vocabulary, line: PaperLine, proposed: Proposed | None, language: str) -> tuple[str, ...]:
    """Return what the three tags are called that say most of a paper."""
    offered = (
        [each.tag for each in proposed.tags if each.implied_by is None and each.facet != DESIGN]
        if proposed is not None
        else []
    )
    told = dict.fromkeys(vocabulary.label(tag, language) for tag in (*line.tags, *offered))
    return tuple(told)[:3]


def dismissals(vocabulary: Vocabulary, proposed: Proposed | None, language: str) -> tuple[Dismissal, ...]:
    """Return every reason to dismiss: first those that something in the paper speaks for, then the general ones."""
    found = {each.id: each for each in (proposed.off_topic if proposed is not None else ())}
    order = [*found, *_OTHERS_FIRST, *(each for each in OFF_TOPIC if each not in found)]
    told = {
        each.id: each.zh if language.startswith("zh") else each.en
        for each in (*vocabulary.off_topic, *vocabulary.general)
    }
    return tuple(
        Dismissal(
            each,
            told.get(each, REASONS[each]),
            next((reason.words for reason in found[each].reasons), None) if each in found else None,
        )
        for each in dict.fromkeys(order)
        if each in REASONS
    )


def registered(numbers: Iterable[RegistryNumber]) -> tuple[Registered, ...]:
    """Return registry numbers with the pages that show what is registered there."""
    return tuple(
        Registered(
            each.number,
            pattern.format(number=each.number, digits="".join(filter(str.isdigit, each.number)))
            if (pattern := _REGISTERED.get(each.registry))
            else None,
        )
        for each in dict.fromkeys(numbers)
    )


def sample_of(proposed: Proposed | None, abstract: AbstractView) -> Sample | None:
    """Return the sample size with the sentences that say it, or that give the groups which add up to it."""
    found = proposed.sample if proposed is not None else None
    if found is None or found.n is None:
        return None
    shown = {line.number for block in abstract.blocks for line in block.lines}
    read = [(number(words), sentence) for words, sentence in zip(found.words, found.sentences, strict=True)]
    said = [sentence for n, sentence in read if n == found.n] or [sentence for _, sentence in read]
    places = [each for each in dict.fromkeys(said) if each in shown]
    arms = " + ".join(map(str, found.arms))
    return Sample(found.n, tuple(places[:3]), arms if len(found.arms) > 1 and found.arms_agree else None)


def indexing(citation: Citation) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return MeSH headings as PubMed prints them, keywords, and publication types."""
    headings = tuple(
        " / ".join(each.name + ("*" if each.major else "") for each in (heading.descriptor, *heading.qualifiers))
        for heading in citation.mesh_headings
    )
    keywords = tuple(plain(each.text) for several in citation.keyword_lists for each in several.keywords)
    return headings, keywords, tuple(each.name for each in citation.publication_types)


def read_pmids(values: Iterable[str]) -> tuple[int, ...]:
    """Return the PMIDs that were ticked; raises UsageError for what is none, and for none at all."""
    found = tuple(dict.fromkeys(int(each) for each in values if each.isascii() and each.isdigit() and len(each) < 10))
    if not found:
        raise UsageError("no paper was selected; tick some in the list first")
    return found


def _label(vocabulary: Vocabulary, tag: str, language: str) -> str:
    """Name a tag; its role is told beside it."""
    label = vocabulary.label(tag, language)
    return label.removesuffix(f" ({COMPARATOR})") if tag.endswith(f"/{COMPARATOR}") else label


def _position(vocabulary: Vocabulary, facet: str) -> int:
    return next((n for n, each in enumerate(vocabulary.facets) if each.id == facet), len(vocabulary.facets))


def _standing(vocabulary: Vocabulary, tag: str, place: int, language: str) -> Chip:
    qualifier = tag.partition("/")[2]
    return Chip(
        tag,
        _label(vocabulary, tag, language),
        checked=True,
        confirmed=True,
        place=place,
        polarity=qualifier if qualifier in ("reported", "absent", "mentioned") else None,
        comparator=qualifier == COMPARATOR,
    )
