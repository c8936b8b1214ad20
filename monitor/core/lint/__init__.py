"""Read a search strategy as PubMed will, and say where that is not what was meant.

Every code, with the reason and an example, stands in `docs/linter.md`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from monitor.core.lint import booleans, coverage, headings, limits, syntax, terms
from monitor.core.lint.coverage import MOVED
from monitor.core.lint.findings import WEIGHTS, Finding, Repair, Weight, apply, as_json, summary
from monitor.core.lint.phrases import UNCHECKED, phrases_of, unindexed
from monitor.core.lint.reading import Reading
from monitor.core.query import MeshTree
from monitor.core.strategy import LANES, Block, Strategy, all_lines, topic_of

__all__ = [
    "CODES",
    "MOVED",
    "UNCHECKED",
    "WEIGHTS",
    "Finding",
    "Repair",
    "Weight",
    "apply",
    "as_json",
    "lint",
    "phrases_of",
    "summary",
]

_CODES: Final = """
all-fields abstract-limit bare-acronym block-circle block-off block-unused boolean-in-phrase braces covered-line
date-limit dead-line duplicate-line duplicate-term earlier-search empty entry-term exploded exploded-trap
finds-nothing lane-empty lane-long lane-unreadable language-limit line-off lower-case-boolean many-truncations
mixed-booleans no-mesh-line no-reason no-text-line not not-animals ovid own-field phrase-unchecked phrase-unknown
renamed-heading short-stem single-quotes species-limit stopword subset-limit syntax topic-moved truncation-heading
truncation-in-phrase truncation-in-proximity truncation-in-word typographic ui-mismatch unknown-block unknown-field
unknown-heading unknown-subheading unquoted-phrase untagged untagged-hyphen wildcard wrong-ui
"""
CODES: Final = frozenset(_CODES.split())
"""Every code a finding may have."""

MOST_OF_A_KIND: Final = 20
"""Findings that one check tells of one line."""

_NOTHING_ASKED: Final[Mapping[tuple[str, str], bool]] = MappingProxyType({})


def lint(
    strategy: Strategy,
    tree: MeshTree,
    *,
    phrases: Mapping[tuple[str, str], bool] = _NOTHING_ASKED,
    found: Mapping[tuple[str, int], frozenset[int]] | None = None,
    moved: Collection[str] = (),
) -> tuple[Finding, ...]:
    """Return what there is to know about a strategy, in the order of its lines.

    `phrases` says of (phrase in lower case, field) whether PubMed knew it when last asked. `found` holds the PMIDs of
    the library that each line (lane, position) finds. Lines of another topic, inserted as {T:topic}, are linted there;
    `moved` names topics that search otherwise now than the lines of theirs that this strategy holds.
    """
    blocks = {block.name: block for block in strategy.blocks}
    order: dict[str, int] = {lane: at for at, lane in enumerate(LANES)}
    order |= {block.name: len(LANES) + at for at, block in enumerate(strategy.blocks)}
    readings = [Reading(*each) for each in all_lines(strategy) if topic_of(each[0]) is None]
    findings = [finding for reading in readings for finding in _of_line(reading, blocks, tree, phrases)]
    for name in order:
        beside = [each for each in readings if each.block == name]
        block = blocks.get(name)
        gone: set[int] = set()
        if block is None or block.joined == "any":
            spare = [*coverage.covered(beside, blocks, tree)]
            findings += spare
            gone |= {each.position for each in spare}
        if block is None and found is not None:
            # What is to go already vouches for no other line: whoever follows every finding loses no paper.
            idle = [*coverage.dead(name, [each for each in beside if each.position not in gone], found)]
            findings += idle
            gone |= {each.position for each in idle if each.repair is not None}
        if block is None or block.joined == "any":
            kept = [each for each in beside if each.position not in gone]
            for reading in beside:
                findings += _first(coverage.doubled(reading, [] if reading.position in gone else kept))
    findings += coverage.inserted(strategy)
    findings += coverage.moved(strategy, moved)
    broken = any(each.weight == "error" for each in findings)
    findings += (each for each in coverage.lanes(strategy) if each.code != "lane-unreadable" or not broken)
    return tuple(sorted(findings, key=lambda each: (order[each.block], each.position, each.column or 0, each.code)))


def _of_line(
    reading: Reading, blocks: Mapping[str, Block], tree: MeshTree, known: Mapping[tuple[str, str], bool]
) -> Iterator[Finding]:
    yield from coverage.lines(reading)
    if not reading.line.enabled:
        return
    yield from syntax.unreadable(reading)
    yield from syntax.typographic(reading)
    odd = [*syntax.braces(reading, blocks)]
    yield from odd
    if any(each.code == "braces" for each in odd):  # what stands in wrong braces is no term to judge
        return
    for check in (
        booleans.mixed(reading),
        booleans.lower_case(reading),
        booleans.excluding(reading),
        terms.truncation(reading),
        terms.tags(reading),
        terms.quotation(reading),
        terms.stopwords(reading),
        terms.acronyms(reading, blocks),
        limits.limits(reading, blocks),
        headings.explosion(reading, tree),
        headings.names(reading, tree),
        unindexed(reading, known),
    ):
        yield from _first(check)


def _first(check: Iterator[Finding]) -> Iterator[Finding]:
    """Stop after the first of many findings: a line with hundreds is repaired from the left, and linted again."""
    for number, finding in enumerate(check, 1):
        if number == MOST_OF_A_KIND:
            yield finding._replace(message=f"{finding.message} There may be more like this further on in the line.")
            return
        yield finding
