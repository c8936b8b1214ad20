"""What the linter says of a strategy: findings with their repairs, as values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final, Literal, NamedTuple

from monitor.core.draft import line_at, lines_of, with_lines
from monitor.core.strategy import Strategy
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

    @property
    def place(self) -> str:
        return f"{self.block} line {self.position}" if self.position else self.block


def apply(strategy: Strategy, finding: Finding, repair: Repair | None = None) -> Strategy:
    """Return the strategy after a finding's repair, or after the one given; raises UsageError where there is none."""
    repair = repair or finding.repair
    if repair is None:
        raise UsageError(f"nothing can be repaired by itself here; change the line: {finding.message}")
    line = line_at(strategy, finding.block, finding.position)
    lines = list(lines_of(strategy, finding.block))
    lines[finding.position - 1] = line._replace(query=repair.query, enabled=repair.enabled)
    return with_lines(strategy, finding.block, lines)


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
