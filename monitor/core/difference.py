"""What a new version of a topic changes, line by line and in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final, Literal, NamedTuple

from monitor.core.draft import lines_of
from monitor.core.strategy import LANES, Block, Line, Strategy, Topic

_ALIKE: Final = 0.6
"""From here on a line that goes and one that comes in its place are told as one that was changed."""


class LineChange(NamedTuple):
    """One line that comes, goes, is changed or only moves; `where` is `core`, `wide` or a block.

    `position` is its number now, in the older version for a line that is lost; `was` the number of one that moves.
    """

    kind: Literal["gained", "lost", "changed", "moved"]
    where: str
    position: int
    before: Line | None = None
    after: Line | None = None
    was: int | None = None

    @property
    def words(self) -> str:
        place = f"{self.where} {self.position}"
        if self.before is None or self.after is None:
            line = self.after or self.before
            assert line is not None  # noqa: S101  one of the two is there
            return f"{'+' if self.before is None else '-'} {place}: {_told(line)}"
        parts = [f"moved from {self.was}"] if self.kind == "moved" else []
        if self.before.query != self.after.query:
            parts.append(f"{self.before.query}  becomes  {self.after.query}")
        if self.before.enabled != self.after.enabled:
            parts.append("switched on" if self.after.enabled else "switched off")
        if self.before.reason != self.after.reason:
            parts.append(f"reason now: {self.after.reason}")
        if self.before.owner != self.after.owner:
            parts.append(f"owner now: {self.after.owner}")
        same = "" if self.before.query != self.after.query else f"{self.after.query}  "
        return f"~ {place}: {same}{'; '.join(parts)}"


@dataclass(frozen=True, slots=True)
class Difference:
    """Everything that differs between two versions of a topic; false when nothing does.

    `lines` leaves out those of blocks that come or go whole; `blocks` are sentences about those that stay.
    """

    title: tuple[str, str] | None = None
    lines: tuple[LineChange, ...] = ()
    blocks: tuple[str, ...] = ()
    blocks_gained: tuple[Block, ...] = ()
    blocks_lost: tuple[Block, ...] = ()
    sentinels_gained: tuple[int, ...] = ()
    sentinels_lost: tuple[int, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.title or self.strategy or self.sentinels_gained or self.sentinels_lost)

    @property
    def strategy(self) -> bool:
        """Whether it takes a new version: titles and sentinels have none."""
        return bool(self.lines or self.blocks or self.blocks_gained or self.blocks_lost)

    @property
    def words(self) -> tuple[str, ...]:
        """The difference as a person reads it, a line each."""
        found = [f"title: {self.title[0]}  becomes  {self.title[1]}"] if self.title else []
        found += [each.words for each in self.lines]
        found += self.blocks
        found += [f"+ block {_named(each)}" for each in self.blocks_gained]
        found += [f"- block {_named(each)}" for each in self.blocks_lost]
        found += [f"+ sentinel {pmid}" for pmid in self.sentinels_gained]
        found += [f"- sentinel {pmid}" for pmid in self.sentinels_lost]
        return tuple(found)

    @property
    def summary(self) -> str:
        """How many lines come, go and change, in one sentence."""
        counts = [
            f"{sum(each.kind == kind for each in self.lines)} {kind}"
            for kind in ("gained", "lost", "changed", "moved")
            if any(each.kind == kind for each in self.lines)
        ]
        parts = [f"lines: {', '.join(counts)}"] if counts else []
        blocks = [f"+{each.name}" for each in self.blocks_gained] + [f"-{each.name}" for each in self.blocks_lost]
        parts += [f"blocks {' '.join(blocks)}"] if blocks else []
        parts += ["how a block is joined or explained"] if self.blocks else []
        parts += ["title changed"] if self.title else []
        sentinels = [f"+{each}" for each in self.sentinels_gained] + [f"-{each}" for each in self.sentinels_lost]
        parts += [f"sentinels {' '.join(sentinels)}"] if sentinels else []
        return "; ".join(parts) or "no change"


def difference(old: Topic | None, new: Topic) -> Difference:
    """Return what `new` changes; with no old one everything is gained."""
    had = old if old is not None else Topic(new.id, new.title, Strategy(()))
    before = {each.name: each for each in had.strategy.blocks}
    after = {each.name: each for each in new.strategy.blocks}
    both = sorted({*before} & {*after})
    changes = [
        change
        for where in (*LANES, *both)
        for change in _lines(where, lines_of(had.strategy, where), lines_of(new.strategy, where))
    ]
    blocks = []
    for name in both:
        if before[name].joined != after[name].joined:
            blocks.append(f"~ block {name}: lines are joined with {'OR' if after[name].joined == 'any' else 'AND'} now")
        if before[name].reason != after[name].reason:
            blocks.append(f"~ block {name}: reason now: {after[name].reason or 'none'}")
    return Difference(
        None if had.title == new.title else (had.title, new.title),
        tuple(changes),
        tuple(blocks),
        tuple(after[name] for name in sorted({*after} - {*before})),
        tuple(before[name] for name in sorted({*before} - {*after})),
        tuple(sorted({*new.sentinels} - {*had.sentinels})),
        tuple(sorted({*had.sentinels} - {*new.sentinels})),
    )


def _lines(where: str, old: Sequence[Line], new: Sequence[Line]) -> list[LineChange]:
    matcher = SequenceMatcher(None, [each.query for each in old], [each.query for each in new], autojunk=False)
    lost: list[int] = []
    gained: list[int] = []
    pairs: list[tuple[int, int]] = []
    instead: list[tuple[int, int]] = []
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            pairs += [(i, j) for i, j in zip(range(a, b), range(c, d), strict=True) if old[i] != new[j]]
        else:
            lost += range(a, b)
            gained += range(c, d)
            if b - a == d - c == 1:
                instead.append((a, c))
    changes = []
    for j in list(gained):
        at = next((i for i in lost if old[i].query == new[j].query), None)
        if at is not None:
            lost.remove(at)
            gained.remove(j)
            changes.append(LineChange("moved", where, j + 1, old[at], new[j], at + 1))
    for i in list(lost):
        for j in gained:
            if (i, j) in instead or _alike(old[i].query, new[j].query):
                lost.remove(i)
                gained.remove(j)
                pairs.append((i, j))
                break
    changes += [LineChange("changed", where, j + 1, old[i], new[j]) for i, j in pairs]
    changes += [LineChange("gained", where, j + 1, None, new[j]) for j in gained]
    changes += [LineChange("lost", where, i + 1, old[i], None) for i in lost]
    order = {"lost": 0, "changed": 1, "moved": 2, "gained": 3}
    return sorted(changes, key=lambda each: (each.position, order[each.kind]))


def _alike(old: str, new: str) -> bool:
    if old in new or new in old:
        return True
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return matcher.quick_ratio() >= _ALIKE and matcher.ratio() >= _ALIKE


def _told(line: Line) -> str:
    return f"{line.query}{'' if line.enabled else '  (off)'}  ({line.reason})"


def _named(block: Block) -> str:
    lines = f"{len(block.lines)} line{'' if len(block.lines) == 1 else 's'}"
    return f"{block.name}, {lines}{f': {block.reason}' if block.reason else ''}"
