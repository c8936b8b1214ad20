"""What a try of a search shows: changed lines, failing parts, matches in their context, phrases that would have found it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final, Literal, NamedTuple, TypeVar

from monitor.core.citation import Citation
from monitor.core.polling import DaySlice
from monitor.core.query import (
    And,
    Document,
    Match,
    MeshTree,
    Not,
    Proximity,
    Query,
    Term,
    ignored,
    matches,
    parse,
    render,
    terms,
)
from monitor.core.query.words import STOPWORDS, search_words, split_words
from monitor.core.strategy import LANES, Lane, Line, Strategy
from monitor.errors import QuerySyntaxError, UsageError

T = TypeVar("T")

NEWEST, OTHERS = 20, 10
"""Papers that a comparison shows: the newest, and others from all over the rest."""
BAR_YEARS: Final = 12
_CONTEXT: Final = 40
"""Characters before and after a match that an excerpt shows."""
_LONGEST_PART: Final = 160
_LONGEST_PHRASE: Final = 4
_TEXT_FIELDS: Final = frozenset({None, "ti", "tiab", "tw", "all", "ot"})
_JOINED: Final = re.compile(r"[\s\-\u2010-\u2015/]{0,2}\Z")
"""What may stand between two words of one phrase; a full stop or a comma begins another."""
_WITHIN: Final = frozenset({"of", "in", "and", "the", "for", "with", "to", "a"})
"""Stopwords that a name may hold; the others begin another part of the sentence."""


class Bar(NamedTuple):
    """One bar of a preview: the label, and the part of the search that it counts."""

    label: str
    part: DaySlice


class Changed(NamedTuple):
    """A line that one strategy has and the other has not, as it is searched."""

    position: int
    line: Line
    query: str


class Shown(NamedTuple):
    """A match with a little of the text around it; both sides are empty where the whole text is the match."""

    term: str
    place: str
    before: str
    words: str
    after: str


class Candidate(NamedTuple):
    """Words of a paper, or a heading of it, that a line could search for; `near` is the share of them that are the
    topic's own."""

    words: str
    kind: Literal["phrase", "heading"]
    near: float = 1.0

    @property
    def single(self) -> bool:
        """Say whether it is one word of a text, which as a line easily means too much."""
        return self.kind == "phrase" and len(self.words.split()) == 1 and "-" not in self.words

    @property
    def everyday(self) -> bool:
        """Say whether it is one word that looks like any other: no digit, no capital within."""
        return self.single and not any(at.isdigit() for at in self.words) and self.words[1:] == self.words[1:].lower()

    def query(self, *, indexed: bool = True) -> str:
        """Write the line; a phrase that PubMed does not index is searched by proximity, which needs no index."""
        if self.kind == "heading":
            return f'"{self.words}"[Mesh:NoExp]'
        several = len(split_words(self.words)[0]) > 1
        return f'"{self.words}"[tiab]' if indexed or not several else f'"{self.words}"[tiab:~0]'


def bars(today: date) -> tuple[Bar, ...]:
    """Return the bars of a preview, by Create Date: all before, then the last years, the last one without an end."""
    first = today.year - BAR_YEARS + 1
    years = [DaySlice("crdt", date(year, 1, 1), date(year, 12, 31)) for year in range(first, today.year)]
    return (
        Bar(f"before {first}", DaySlice("crdt", until=date(first - 1, 12, 31))),
        *(Bar(str(each.since.year), each) for each in years),
        Bar(str(today.year), DaySlice("crdt", date(today.year, 1, 1))),
    )


def year_label(created: date | None, today: date) -> str | None:
    """Return the label of the bar that a day falls under."""
    if created is None:
        return None
    first = today.year - BAR_YEARS + 1
    return f"before {first}" if created.year < first else str(min(created.year, today.year))


def taken(found: Sequence[T], newest: int = NEWEST, others: int = OTHERS) -> tuple[T, ...]:
    """Return the first ones, and others evenly over the rest; the same for the same set."""
    rest = found[newest:]
    if len(rest) <= others:
        return tuple(found)
    return (*found[:newest], *(rest[(2 * each + 1) * len(rest) // (2 * others)] for each in range(others)))


def changed_lines(old: Strategy, new: Strategy, lane: Lane) -> tuple[tuple[Changed, ...], tuple[Changed, ...]]:
    """Return the lines that only the new strategy searches, and those that only the old one does, blocks inserted."""
    before, after = _searched(old, lane), _searched(new, lane)
    queries_before, queries_after = {each.query for each in before}, {each.query for each in after}
    return (
        tuple(each for each in after if each.query not in queries_before),
        tuple(each for each in before if each.query not in queries_after),
    )


def _searched(strategy: Strategy, lane: Lane) -> list[Changed]:
    lines = strategy.lines(lane)
    return [Changed(at, lines[at - 1], " ".join(query.split())) for at, query in strategy.searched(lane).items()]


def blocks_as_trees(strategy: Strategy) -> dict[Query, str]:
    """Return each block's tree with the name by which lines insert it; what cannot be read is left out."""
    found: dict[Query, str] = {}
    for block in strategy.blocks:
        try:
            found[parse(strategy.line_query(Line(f"{{{block.name}}}", "")))] = f"{{{block.name}}}"
        except (QuerySyntaxError, UsageError):
            continue
    return found


def failing(
    query: Query, document: Document, tree: MeshTree, today: date, blocks: Mapping[Query, str]
) -> tuple[str, ...]:
    """Return the parts of a search that a citation fails, named by their blocks; nothing when it matches, and nothing
    when the search has no part that it meets."""
    if matches(query, document, tree, today):
        return ()
    if isinstance(query, And):
        wanted = [part for part in query.parts if not all(map(ignored, terms(part)))]
        return tuple(_named(part, blocks) for part in wanted if not matches(part, document, tree, today))
    if isinstance(query, Not) and matches(query.base, document, tree, today):
        return tuple(f"NOT {_named(part, blocks)}" for part in query.excluded if matches(part, document, tree, today))
    return failing(query.base, document, tree, today, blocks) if isinstance(query, Not) else ()


def _named(query: Query, blocks: Mapping[Query, str]) -> str:
    text = blocks.get(query) or render(query)
    return text if len(text) <= _LONGEST_PART else text[: _LONGEST_PART - 1] + "…"


def shown(found: Iterable[Match], document: Document) -> tuple[Shown, ...]:
    """Return matches with what stands around them, each term once in each text."""
    texts = {(each.place, each.part): each.text for each in document.index(None).sources}
    first: dict[tuple[str, str, int], Shown] = {}
    for match in found:
        term = render(match.term)
        if (term, match.place, match.part) in first:
            continue
        text = texts.get((match.place, match.part), "")
        before = after = ""
        if text[match.start : match.end] == match.words:
            start, end = max(match.start - _CONTEXT, 0), match.end + _CONTEXT
            before = ("…" if start else "") + text[start : match.start]
            after = text[match.end : end] + ("…" if end < len(text) else "")
        first[term, match.place, match.part] = Shown(
            term, match.place, _one_line(before), _one_line(match.words), _one_line(after)
        )
    return tuple(first.values())


def _one_line(text: str) -> str:
    return re.sub(r"\s", " ", text)


class Concepts(NamedTuple):
    """What a topic is about, in single words and stems, and the headings it searches."""

    words: frozenset[str]
    stems: tuple[str, ...]
    headings: frozenset[tuple[str, ...]]

    def touch(self, words: Sequence[str]) -> int:
        """Count the words that are the topic's."""
        return sum(word in self.words or (bool(self.stems) and word.startswith(self.stems)) for word in words)


def concepts(strategy: Strategy) -> Concepts:
    """Collect the words of every line that is on, blocks inserted."""
    words: set[str] = set()
    stems: set[str] = set()
    headings: set[tuple[str, ...]] = set()
    for lane in LANES:
        for query in strategy.searched(lane).values():
            try:
                leaves = terms(parse(query))
            except QuerySyntaxError:
                continue
            for leaf in leaves:
                if isinstance(leaf, Proximity) or (isinstance(leaf, Term) and leaf.field in _TEXT_FIELDS):
                    found, truncated = search_words(leaf.text)
                    words.update(found)
                    stems.update(found[-1:] if truncated else ())
                elif isinstance(leaf, Term) and leaf.field in {"mh", "majr"}:
                    headings.add(tuple(split_words(leaf.text)[0]))
    return Concepts(frozenset(words) - STOPWORDS, tuple(sorted(stems)), frozenset(headings))


def candidates(citation: Citation, document: Document, about: Concepts, limit: int) -> tuple[Candidate, ...]:
    """Return phrases and headings of a citation that touch the topic, those that look best first.

    A phrase is one to four words on end in title, abstract or author keywords, not begun or ended by a stopword.
    """
    best: dict[tuple[str, ...], tuple[tuple[int, int, int], Candidate]] = {}
    for source in document.index("tiab").sources:
        weight = 0 if source.place in {"title", "keyword"} else 1
        for key, text in _phrases(source.text):
            touched = about.touch(key)
            if touched:
                rank = (weight, -touched, -len(key) if len(key) > 1 else 1)
                if key not in best or rank < best[key][0]:
                    best[key] = (rank, Candidate(text, "phrase", touched / len(key)))
    for heading in citation.mesh_headings:
        words = tuple(split_words(heading.descriptor.name)[0])
        if words in about.headings or about.touch(words):
            best["", *words] = ((0, -9, 0), Candidate(heading.descriptor.name, "heading"))
    ordered = sorted(best.items(), key=lambda item: (item[1][0], item[0]))
    return tuple(candidate for _, (_, candidate) in ordered[:limit])


def _phrases(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    words, spans = split_words(text)
    for first in range(len(words)):
        if words[first] in STOPWORDS:
            continue
        for last in range(first, min(first + _LONGEST_PHRASE, len(words))):
            if last > first and not _JOINED.match(text[spans[last - 1][1] : spans[last][0]]):
                break
            if words[last] in STOPWORDS - _WITHIN:
                break
            if words[last] not in STOPWORDS:
                yield tuple(words[first : last + 1]), _one_line(text[spans[first][0] : spans[last][1]])


def standing_among(good: int, total: int) -> float:
    """Rank what was seen little below what was seen often: the share of good ones after two more of either kind."""
    return (good + 1) / (total + 3)
