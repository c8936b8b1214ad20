"""How far two people who judged the same papers without seeing each other's verdicts agree; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Pair(NamedTuple):
    """Two verdicts on one paper: who gave them, the lower person first, and what they were."""

    first: int
    second: int
    verdicts: tuple[str, str]

    @property
    def agreed(self) -> bool:
        return self.verdicts[0] == self.verdicts[1]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Of so many papers judged twice, how many verdicts were the same.

    `percent` is None where nothing was judged twice. `kappa` (Cohen 1960) is 1 for perfect agreement and 0 for what
    chance alone would bring; None where chance alone would bring perfect agreement, as when all verdicts are one.
    """

    papers: int
    agreed: int
    kappa: float | None

    @property
    def percent(self) -> float | None:
        return 100 * self.agreed / self.papers if self.papers else None


def agreement(pairs: Iterable[Pair]) -> Agreement:
    """Measure the agreement of all pairs.

    Chance is reckoned for each two people by their own habits (how often either says keep, maybe, dismiss) and weighed
    by the papers they share; for two people alone that is Cohen's kappa.
    """
    by_people = between(pairs)
    papers = sum(len(each) for each in by_people.values())
    agreed = sum(each.agreed for shared in by_people.values() for each in shared)
    chance = sum(_by_chance(shared) for shared in by_people.values())
    kappa = (agreed - chance) / (papers - chance) if papers and chance < papers else None
    return Agreement(papers, agreed, kappa)


def between(pairs: Iterable[Pair]) -> Mapping[tuple[int, int], Sequence[Pair]]:
    """Return the pairs by the two people who gave them."""
    found: dict[tuple[int, int], list[Pair]] = {}
    for each in pairs:
        found.setdefault((each.first, each.second), []).append(each)
    return found


def _by_chance(shared: Sequence[Pair]) -> float:
    """Return how many of these papers two people with the same habits would agree on by chance."""
    first = Counter(each.verdicts[0] for each in shared)
    second = Counter(each.verdicts[1] for each in shared)
    return sum(number * second[verdict] for verdict, number in first.items()) / len(shared)
