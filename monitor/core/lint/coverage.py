"""Lines beside each other: doubled, dead, switched off, without a reason; lanes too long or blind on one eye."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from monitor.core.lint.covering import covers
from monitor.core.lint.findings import Finding, Repair, listed, shown
from monitor.core.lint.reading import Level, Operand, Reading
from monitor.core.query import And, MeshTree, Not, Or, Query, QuerySyntaxError, Term, children, ignored, parse, terms
from monitor.core.query.document import TEXT_FIELDS
from monitor.core.query.words import search_words
from monitor.core.strategy import INSERT, LANES, Block, Line, Strategy, all_lines, topic_of
from monitor.errors import UsageError

MOVED: Final = "topic-moved"
LONGEST: Final = 10_000
"""Characters of a lane beyond which nobody can read it or paste it into PubMed's page."""
MOST_TRUNCATED: Final = 256
"""Truncated words of a search that one checker of strategies takes for PubMed's limit; NLM states none."""
_TEXTS: Final = TEXT_FIELDS | {None}


def doubled(reading: Reading, beside: Sequence[Reading]) -> Iterator[Finding]:
    """A term that stands twice in one OR, or in an earlier line that finds all its papers already."""
    if reading.query is None or not reading.line.enabled:
        return
    earlier: dict[str, int] = {}
    for other in beside:
        if other.position < reading.position and other.line.enabled and other.level and _is_any(other.level):
            for operand in other.level.operands:
                earlier.setdefault(_key(other, operand), other.position)
    for level in reading.levels():
        if not _is_any(level):
            continue
        seen = set[str]()
        for at, operand in enumerate(level.operands):
            key = _key(reading, operand)
            elsewhere = earlier.get(key) if level is reading.level and len(level.operands) > 1 else None
            if key in seen or elsewhere is not None:
                where = "in this OR" if key in seen else f"in line {elsewhere}, which finds the same papers"
                yield reading.finding(
                    "duplicate-term",
                    "note",
                    operand.start,
                    f"{shown(reading.text[operand.start : operand.end])} stands already {where}.",
                    reading.repair("Remove it here", reading.without(level, at)),
                )
            seen.add(key)


def covered(readings: Sequence[Reading], blocks: Mapping[str, Block], tree: MeshTree) -> Iterator[Finding]:
    """Lines of one lane or block whose every branch other lines have; all that are named can go at once."""
    strategy = Strategy((), (), tuple(blocks.values()))
    queries = {each.position: query for each in readings if (query := _whole(strategy, each)) is not None}
    left = dict(queries)
    for reading in reversed(readings):
        query = left.get(reading.position)
        if query is None:
            continue
        others = {at: each for at, each in left.items() if at != reading.position}
        one = next((at for at, each in others.items() if covers(each, query, tree)), None)
        if one is None and (not others or not covers(_any([*others.values()]), query, tree)):
            continue
        del left[reading.position]
        same = one is not None and _same(queries[one], query)
        if one is None:
            parts = [
                at for at, each in others.items() if any(covers(each, branch, tree) for branch in _branches(query))
            ]
            message = f"Everything this line searches stands in lines {listed(map(str, parts))} already."
        elif same:
            message = f"This line is line {one} again."
        else:
            message = (
                f"Line {one} finds everything this line finds: every branch of this line stands there, or a wider one."
            )
        yield reading.finding(
            "duplicate-line" if same else "covered-line",
            "warning" if same else "note",
            0,
            message,
            Repair("Switch this line off", reading.line.query, False),
        )


def dead(lane: str, readings: Sequence[Reading], found: Mapping[tuple[str, int], frozenset[int]]) -> Iterator[Finding]:
    """Lines that find nothing in the library, or nothing that other lines do not find; all of these can go at once."""
    lines = {each.position: each for each in readings if each.line.enabled and (lane, each.position) in found}
    left = {at: found[lane, at] for at in lines}
    for at in sorted(lines, reverse=True):
        pmids, reading = left[at], lines[at]
        others = {each: left[each] for each in left if each != at}
        if not pmids:
            yield reading.finding(
                "finds-nothing",
                "note",
                0,
                "This line finds nothing in the library. That may be right for a young term; otherwise look for a slip.",
            )
            continue
        holders = [each for each, theirs in others.items() if theirs & pmids]
        one = next((each for each in holders if pmids <= others[each]), None)
        if one is None and not pmids <= frozenset().union(*others.values()):
            continue
        del left[at]
        number = f"{'The one paper' if len(pmids) == 1 else f'All {len(pmids)} papers'}"
        who = f"line {one}, which finds {len(others[one])}" if one is not None else f"lines {listed(map(str, holders))}"
        yield reading.finding(
            "dead-line",
            "note",
            0,
            f"{number} that this line finds in the library {'is' if len(pmids) == 1 else 'are'} also found by {who}.",
            Repair("Switch this line off", reading.line.query, False),
        )


def lines(reading: Reading) -> Iterator[Finding]:
    """Lines that are off, and lines that nobody gave a reason."""
    if not reading.line.enabled:
        yield reading.finding(
            "line-off",
            "note",
            None,
            "This line is switched off: it is kept and finds nothing.",
            Repair("Switch it on", reading.line.query) if reading.query is not None else None,
        )
    if not reading.line.reason.strip():
        yield reading.finding(
            "no-reason",
            "warning",
            None,
            "This line has no reason. Whoever reads it in a year cannot tell whether it may go.",
        )


def lanes(strategy: Strategy) -> Iterator[Finding]:
    """What is wrong with a lane as a whole."""
    if not any(line.enabled for line in strategy.core):
        yield Finding(
            "lane-empty", "error", "core", 0, None, "No line of the core lane is on: the topic would find nothing."
        )
    for lane in LANES:
        try:
            text = strategy.query(lane)
            query = None if text is None else _parsed(text)
        except (UsageError, QuerySyntaxError) as error:
            yield Finding(
                "lane-unreadable", "error", lane, 0, None, f"The {lane} lane cannot be put together: {error}."
            )
            continue
        if text is None or query is None:
            continue
        if len(text) > LONGEST:
            yield Finding(
                "lane-long",
                "note",
                lane,
                0,
                None,
                f"The {lane} lane is {len(text):,} characters long. PubMed is asked by POST and takes it, but nobody can read it "
                "whole or paste it into PubMed's page. A topic of its own may be better.",
            )
        truncated = sum(isinstance(leaf, Term) and search_words(leaf.text).truncated for leaf in terms(query))
        if truncated > MOST_TRUNCATED:
            yield Finding(
                "many-truncations",
                "note",
                lane,
                0,
                None,
                f"The {lane} lane has {truncated} truncated words. Some say that PubMed expands at most {MOST_TRUNCATED} in one "
                "search; NLM states no limit. Compare PubMed's count with the lines' own.",
            )
        yield from _one_eyed(lane, query)


def inserted(strategy: Strategy) -> Iterator[Finding]:
    """Blocks that no line inserts, or only lines that are off; blocks that see with one eye only."""
    live = _inserted_by(strategy, lambda line: line.enabled)
    named = _inserted_by(strategy, lambda line: True)
    for block in strategy.blocks:
        if block.name not in named:
            message = f"No line inserts {{{block.name}}}: it finds nothing and will not be stored with this strategy."
            yield Finding("block-unused", "note", block.name, 0, None, message)
        elif block.name not in live:
            message = f"{{{block.name}}} is inserted only by lines that are switched off."
            yield Finding("block-unused", "note", block.name, 0, None, message)
        elif block.joined == "any" and topic_of(block.name) is None and _is_part(strategy, block.name):
            text = " OR ".join(f"({line.query})" for line in block.lines if line.enabled)
            try:
                query = _parsed(strategy.line_query(Line(text, "")))
            except (UsageError, QuerySyntaxError):
                continue
            yield from _one_eyed(block.name, query)


def moved(strategy: Strategy, topics: Collection[str]) -> Iterator[Finding]:
    """Lines of another topic that were taken when this one was saved, and are others there now."""
    for block in strategy.blocks:
        name = topic_of(block.name)
        if name is not None and name in topics:
            message = (
                f"Topic {name} searches otherwise now than when its lines were inserted here, and {{{block.name}}} goes on "
                f"with the older ones. Look at both, and take them as they are now with `monitor topic lint TOPIC --fix "
                f"{MOVED}`."
            )
            yield Finding(MOVED, "note", block.name, 0, None, message)


def _one_eyed(block: str, query: Query) -> Iterator[Finding]:
    """Indexing comes late and errs, words have synonyms: every concept has a MeSH line and a text line."""
    leaves = [leaf for leaf in terms(query) if not ignored(leaf)]
    mesh = any(isinstance(leaf, Term) and leaf.field in {"mh", "majr"} for leaf in leaves)
    others = any(isinstance(leaf, Term) and leaf.field in {"pt", "nm", "sh", "rn", "pa"} for leaf in leaves)
    words = any(not isinstance(leaf, Term) or leaf.field in _TEXTS for leaf in leaves)
    where = f"The {block} lane" if block in LANES else f"{{{block}}}"
    if mesh and not words:
        message = f"{where} searches MeSH only: papers that are not indexed yet, or never will be, are not found. Give it a text line."
        yield Finding("no-text-line", "note", block, 0, None, message)
    elif words and not mesh and not others:
        message = (
            f"{where} searches words only: papers that say it in other words are not found. Where MeSH has a heading for it, give "
            "it a MeSH line."
        )
        yield Finding("no-mesh-line", "note", block, 0, None, message)


def _is_part(strategy: Strategy, name: str) -> bool:
    """Say whether a block stands for a concept within a longer line; alone, it is only part of what inserts it."""
    return any(
        f"{{{name}}}" in line.query and line.query.strip() != f"{{{name}}}"
        for _, _, line in all_lines(strategy)
        if line.enabled
    )


def _inserted_by(strategy: Strategy, counts: Callable[[Line], bool]) -> set[str]:
    blocks = {block.name: block for block in strategy.blocks}
    waiting = [line for line in (*strategy.core, *strategy.wide) if counts(line)]
    names = set[str]()
    while waiting:
        line = waiting.pop()
        for found in INSERT.finditer(line.query):
            if found[1] not in names and found[1] in blocks:
                waiting += [each for each in blocks[found[1]].lines if counts(each)]
            names.add(found[1])
    return names


@lru_cache(maxsize=512)
def _parsed(text: str) -> Query:
    """Parse a line or lane with its blocks; a strategy is linted again after every keystroke that matters."""
    return parse(text)


def _whole(strategy: Strategy, reading: Reading) -> Query | None:
    if reading.query is None or not reading.line.enabled:
        return None
    try:
        return _parsed(strategy.line_query(reading.line))
    except (UsageError, QuerySyntaxError):
        return None


def _any(queries: Sequence[Query]) -> Query:
    parts = tuple(branch for query in queries for branch in _branches(query))
    return Or(parts) if len(parts) > 1 else parts[0]


def _branches(query: Query) -> tuple[Query, ...]:
    return query.parts if isinstance(query, Or) else (query,)


def _same(one: Query, other: Query) -> bool:
    """Say whether two searches are one but for the order of what is joined."""
    return _canonical(one) == _canonical(other)


def _canonical(query: Query) -> object:
    if isinstance(query, And | Or):
        return type(query).__name__, frozenset(_canonical(part) for part in query.parts)
    if isinstance(query, Not):
        return "Not", tuple(_canonical(part) for part in children(query))
    if isinstance(query, Term):
        return query.text.lower(), query.field, query.quoted, query.explode
    return query


def _is_any(level: Level) -> bool:
    return all(each.name == "OR" for each in level.operators)


def _key(reading: Reading, operand: Operand) -> str:
    return " ".join(reading.text[operand.start : operand.end].lower().split())
