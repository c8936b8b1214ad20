"""Limits that look harmless and drop papers: species, age, language, dates, abstracts, subsets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from monitor.core.lint.findings import Finding, shown
from monitor.core.lint.reading import Level, Operand, Reading
from monitor.core.query import And, DateRange, Flag, Leaf, Not, Or, Query, Recent, Term, children
from monitor.core.query.filters import OUT_OF_REACH, filter_key, filter_search, subset_test
from monitor.core.query.words import heading_key
from monitor.core.strategy import Block

_PEOPLE: Final = frozenset(
    heading_key(name)
    for name in (
        *(
            "Humans",
            "Animals",
            "Male",
            "Female",
            "Infant",
            "Infant, Newborn",
            "Child",
            "Child, Preschool",
            "Adolescent",
        ),
        *("Adult", "Young Adult", "Middle Aged", "Aged", "Aged, 80 and over"),
    )
)
"""The headings of PubMed's species, sex and age filters."""

_COSTS: Final = {
    "species-limit": "finds only papers that are indexed with MeSH: everything fresh and everything that never gets MeSH "
    "is lost",
    "language-limit": "drops papers in every other language, among them Chinese trials with an English abstract",
    "abstract-limit": "drops letters, corrections, retraction notices and papers whose abstract comes later",
    "subset-limit": "finds only part of PubMed; a paper that enters the subset later is never new again",
}


def limits(reading: Reading, blocks: Mapping[str, Block]) -> Iterator[Finding]:
    """Say what a limit joined with AND costs, and that dates are added by the poll."""
    block = blocks.get(reading.block)
    all_joined = block is not None and block.joined == "all" and len(block.lines) > 1
    excluded = list[Level]()
    for level, at in reading.operands():
        operand = level.operands[at]
        inside = any(level is each for each in excluded)
        if operand.level is not None and (inside or (at and level.operators[at - 1].name == "NOT")):
            excluded.append(operand.level)
        if inside:  # what is taken away is no limit, and told as NOT
            continue
        text = shown(reading.text[operand.start : operand.end])
        if operand.placed is not None and isinstance(operand.placed.leaf, DateRange | Recent):
            yield reading.finding(
                "date-limit",
                "warning",
                operand.start,
                f"{text}: every poll adds its own window of days, so a date in a line only hides papers, and old ones that "
                "are backfilled.",
                reading.repair("Remove the date", reading.without(level, at)),
            )
            continue
        kinds = set(_kinds(operand))
        names = [each.name for each in level.operators]
        if not names:
            narrows = all_joined and level is reading.level
        else:
            narrows = names[at - 1] == "AND" if at else names[0] == "AND" and "OR" not in names
        if len(kinds) == 1 and (kind := kinds.pop()) is not None and narrows:
            yield reading.finding(
                kind,
                "warning",
                operand.start,
                f"The limit {text} {_COSTS[kind]}.",
                reading.repair("Remove the limit", reading.without(level, at)),
            )


def limit_kind(leaf: Leaf) -> str | None:
    """Say which kind of limit a term is; None for a term of its own."""
    if isinstance(leaf, Flag):
        return "abstract-limit" if leaf.name in {"hasabstract", "hasstructuredabstract"} else None
    if not isinstance(leaf, Term):
        return None
    if leaf.field == "mh":
        return "species-limit" if heading_key(leaf.text) in _PEOPLE else None
    if leaf.field == "la":
        return "language-limit"
    if leaf.field != "sb":
        return None
    key = filter_key(leaf.text)
    search = filter_search(key)
    if search is not None:
        return "language-limit" if search.field == "la" else "species-limit"
    if key == "fha":
        return "abstract-limit"
    return "subset-limit" if key in OUT_OF_REACH or subset_test(key) is not None else None


def is_limit(query: Query) -> bool:
    """Say whether a part of a search only limits it: people, language, dates, abstracts, subsets."""
    if isinstance(query, And | Or | Not):
        return all(is_limit(part) for part in children(query))
    return isinstance(query, DateRange | Recent) or limit_kind(query) is not None


def _kinds(operand: Operand) -> Iterator[str | None]:
    if operand.placed is not None:
        yield limit_kind(operand.placed.leaf)
    elif operand.level is None or any(each.name == "NOT" for each in operand.level.operators):
        yield None
    else:
        for each in operand.level.operands:
            yield from _kinds(each)
