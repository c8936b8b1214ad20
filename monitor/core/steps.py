"""What somebody did at the desk in one go, and what of it can be taken back; pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Generic, Literal, NamedTuple

from monitor.core.screening import Tagging, Undoable, not_taken_back

Kind = Literal["decide", "label", "vote", "acknowledge"]

OUT_OF_ORDER: Final = timedelta(hours=24)
"""So long a step may be taken back from the history, whatever was done after it on other papers."""


@dataclass(frozen=True, slots=True)
class Step:
    """One deed at the desk, however many papers it touched: one key, one decision, one undo.

    `on` and `off` are terms by facet that it put on and took off. `undone_at` stands while it is taken back;
    `passed_at` since undo came to it and could take nothing back, because others have gone on from it.
    """

    id: int
    person_id: int
    name: str
    kind: Kind
    at: datetime
    pmids: tuple[int, ...]
    verdict: str | None = None
    topics: tuple[str, ...] = ()
    reason: str | None = None
    note: str | None = None
    until: str | None = None
    asked: int | None = None
    on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    off: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    undone_at: datetime | None = None
    passed_at: datetime | None = None

    def may_be_taken_back(self, now: datetime) -> bool:
        """Say whether the history offers to take it back; whether others have gone on from it is seen then."""
        return self.undone_at is None and now - self.at <= OUT_OF_ORDER


@dataclass(frozen=True, slots=True)
class Left:
    """A paper that was not touched when a step was taken back or repeated, and why."""

    pmid: int
    why: str


@dataclass(frozen=True, slots=True)
class Done:
    """A step that was taken back or repeated: on which papers, and which were left as they are.

    When all were left nothing has changed, and the next undo or redo goes on to the step beyond.
    """

    step: Step
    pmids: tuple[int, ...]
    left: tuple[Left, ...] = ()


@dataclass(frozen=True, slots=True)
class Taking(Generic[Undoable]):
    """Rows to be taken back, the last first, or to be repeated; or the row that stands in the way."""

    rows: tuple[Undoable, ...] = ()
    blocked_by: Undoable | None = None


def taking(rows: Iterable[Undoable], step_id: int) -> Taking[Undoable]:
    """Return what of a step can be taken back of one paper, or of one term on it. `rows` are all there are, in order."""
    left = not_taken_back(rows)
    first = next((at for at, each in enumerate(left) if each.step_id == step_id), None)
    if first is None:
        return Taking()
    if left[-1].step_id != step_id or any(each.step_id != step_id for each in left[first:]):
        return Taking(blocked_by=next(each for each in reversed(left) if each.step_id != step_id))
    return Taking(tuple(reversed(left[first:])))


def repeating(rows: Iterable[Undoable], step_id: int, person_id: int) -> Taking[Undoable]:
    """Return what of a step can be repeated: what it took back of itself, unless another has gone on from there."""
    all_rows = list(rows)
    undone_by = {each.undoes: each for each in all_rows if each.undoes is not None}
    last: list[Undoable] = []
    taken_back = False
    for each in all_rows:
        if each.step_id == step_id:
            if each.undoes is None:
                if taken_back:
                    last.clear()
                last.append(each)
            taken_back = each.undoes is not None
    again = [each for each in last if each.id in undone_by and undone_by[each.id].step_id == step_id]
    if not again:
        return Taking()
    since = max(undone_by[each.id].id for each in again)
    others = [each for each in not_taken_back(all_rows) if each.id > since and each.person_id != person_id]
    return Taking(tuple(again)) if not others else Taking(blocked_by=others[-1])


class Relabelled(NamedTuple):
    """A term to be put on, or off, when a step is taken back or repeated; `undoes` is the tagging that goes."""

    term: str
    added: bool
    undoes: int | None = None


def relabelled(rows: Iterable[Tagging], back: Sequence[Tagging]) -> list[Relabelled]:
    """Return what stands again of one unit when these of its rows are taken back: what the rows left over say."""
    gone = {each.id for each in back}
    left = {each.term: each.added for each in not_taken_back(rows) if each.id not in gone}
    return [Relabelled(each.term, left.get(each.term, False), each.id) for each in back]


def labelled_again(rows: Iterable[Tagging], again: Sequence[Tagging]) -> list[Relabelled]:
    """Return what a unit needs for these of its rows to hold again; of levels, only one stands then."""
    stands = {each.term: each.added for each in rows}
    wanted = {each.term: each.added for each in again}
    if any(each.facet == "level" for each in again):
        wanted = {**{term: False for term, on in stands.items() if on}, **wanted}
    return [Relabelled(term, on) for term, on in sorted(wanted.items(), key=lambda each: each[1])]


def told(step: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a stored step tells, as arguments of `Step`."""
    known = {name: value for name, value in step.items() if name in _TOLD}
    for name in ("pmids", "topics"):
        known[name] = tuple(known.get(name, ()))
    for name in ("on", "off"):
        known[name] = {facet: tuple(terms) for facet, terms in known.get(name, {}).items()}
    return known


_TOLD: Final = frozenset({"pmids", "verdict", "topics", "reason", "note", "until", "asked", "on", "off"})
