"""What the linter says of a strategy: findings with their repairs, as values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final, Literal, NamedTuple

from monitor.core.strategy import Line, Strategy
from monitor.errors import UsageError

Weight = Literal["error", "warning", "note"]
WEIGHTS: Final[tuple[Weight, ...]] = ("error", "warning", "note")
"""error: PubMed does something else than is written. warning: it does, and papers are lost or others flood in.
note: worth knowing."""


class Repair(NamedTuple):
    """What can be done about a finding: in words, the whole line after it, and whether the line is then on."""

    words: str
    query: str
    enabled: bool = True


class Finding(NamedTuple):
    """One thing to know about a strategy.

    `block` is `core`, `wide` or the name of a block; `position` the line's number in it from 1, 0 for all of it;
    `column` counts the line's characters from 1. `alternative` is a repair for another meaning of what was written.
    """

    code: str
    weight: Weight
    block: str
    position: int
    column: int | None
    message: str
    repair: Repair | None = None
    alternative: Repair | None = None


def apply(strategy: Strategy, finding: Finding, repair: Repair | None = None) -> Strategy:
    """Return the strategy after a finding's repair, or after the one given; raises UsageError where there is none."""
    repair = repair or finding.repair
    if repair is None:
        raise UsageError(f"nothing can be repaired by itself here; change the line: {finding.message}")
    if finding.block in {"core", "wide"}:
        lines = strategy.core if finding.block == "core" else strategy.wide
        changed = _with(lines, finding, repair)
        core, wide = (changed, strategy.wide) if finding.block == "core" else (strategy.core, changed)
        return Strategy(core, wide, strategy.blocks)
    if all(each.name != finding.block for each in strategy.blocks):
        raise UsageError(f"this strategy has no block {finding.block}; lint it again")
    blocks = tuple(
        each._replace(lines=_with(each.lines, finding, repair)) if each.name == finding.block else each
        for each in strategy.blocks
    )
    return Strategy(strategy.core, strategy.wide, blocks)


def summary(findings: Iterable[Finding]) -> dict[Weight, int]:
    """Count the findings of each weight, heaviest first."""
    counted = Counter(each.weight for each in findings)
    return {weight: counted[weight] for weight in WEIGHTS}


def as_json(finding: Finding) -> dict[str, Any]:
    """Return a finding as a mapping that JSON can carry."""
    return {
        **finding._asdict(),
        "repair": finding.repair and finding.repair._asdict(),
        "alternative": finding.alternative and finding.alternative._asdict(),
    }


def shown(text: str, longest: int = 60) -> str:
    """Cut a text for a message."""
    text = " ".join(text.split())
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def listed(names: Iterable[str], most: int = 5, apart: str = ", ") -> str:
    """Name some things in a sentence, and how many more there are."""
    kept = [*names]
    more = len(kept) - most
    if more > 1:
        return f"{apart.join(kept[:most])} and {more} more"
    return kept[0] if len(kept) == 1 else f"{apart.join(kept[:-1])} and {kept[-1]}"


def _with(lines: tuple[Line, ...], finding: Finding, repair: Repair) -> tuple[Line, ...]:
    if not 1 <= finding.position <= len(lines):
        raise UsageError(f"{finding.block} has no line {finding.position}; lint it again")
    at = finding.position - 1
    return (*lines[:at], lines[at]._replace(query=repair.query, enabled=repair.enabled), *lines[at + 1 :])
