"""What a search asks of the database: a Boolean tree over leaves of the index and conditions on what stands beside it.

A leaf that the index answers only roughly makes two trees of a search: what may match, and what surely does. About the
citations between them `core.query` decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from monitor.core.query import And, Leaf, MeshTree, Not, Or, PmidRange, Pmids, Proximity, Query, Term
from monitor.core.query.fields import OWN_DATE_FIELDS, OWN_FIELDS
from monitor.core.query.own import fits
from monitor.core.query.words import search_words
from monitor.storage import lookup
from monitor.storage.lookup import Near, Phrase, Token

_FEW_PMIDS = 100
_WHOLE = frozenset({"ti", "tiab"})
"""Fields of proximity that are whole columns of the index."""
_OWN_TERMS = OWN_FIELDS - OWN_DATE_FIELDS


@dataclass(frozen=True, slots=True)
class Between:
    """PMIDs of a range, both ends included."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Betweens:
    """PMIDs of two or more ranges that do not meet, lowest first."""

    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Among:
    pmids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """One of these values stands for a citation in a field of ours."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class All:
    """All of the parts; without any it is every citation."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of the parts; without any it is none."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Except:
    base: Node
    excluded: Node


Condition = Between | Betweens | Among | Standing
Indexed = Phrase | Near | Token
Node = All | Some | Except | Indexed | Condition

EVERY = All(())
NONE = Some(())


@dataclass(frozen=True, slots=True)
class Plan:
    """`most` finds at least what matches, `least` at most; where they are equal, exactly that."""

    most: Node
    least: Node


def plan(
    query: Query,
    tree: MeshTree,
    today: date | None,
    values: Callable[[str], Iterable[str]],
    decided: Callable[[Indexed], bool],
    within: Callable[[Near], Node],
) -> Plan:
    """Turn a search into what the database is asked.

    `values` gives all there are in a field of ours, `decided` whether the database at hand can answer a leaf exactly,
    `within` what surely stands near within one text. A search of nothing but ignored words finds nothing.
    """
    planner = _Planner(tree, today, values, decided, within)
    most, least = planner.node(query, True), planner.node(query, False)
    return Plan(NONE if most is None else most, NONE if least is None else least)


def every(parts: Iterable[Node]) -> Node:
    """Join with AND, flat and each part once; ranges of PMIDs become one."""
    kept: dict[Node, None] = {}
    for part in parts:
        if part == NONE:
            return NONE
        kept.update(dict.fromkeys(part.parts) if isinstance(part, All) else {part: None})
    ranges = [part for part in kept if isinstance(part, Between)]
    if len(ranges) > 1:
        low, high = max(each.low for each in ranges), min(each.high for each in ranges)
        if low > high:
            return NONE
        kept = dict.fromkeys([*(part for part in kept if not isinstance(part, Between)), Between(low, high)])
    return next(iter(kept)) if len(kept) == 1 else All(tuple(kept))


def some(parts: Iterable[Node]) -> Node:
    """Join with OR, flat and each part once; ranges of PMIDs, lists of them and values of one field become one."""
    kept: dict[Node, None] = {}
    for part in parts:
        if part == EVERY:
            return EVERY
        kept.update(dict.fromkeys(part.parts) if isinstance(part, Some) else {part: None})
    if sum(isinstance(part, Condition) for part in kept) > 1:
        kept = dict.fromkeys(_united(kept))
    return next(iter(kept)) if len(kept) == 1 else Some(tuple(kept))


def _united(parts: Iterable[Node]) -> Iterator[Node]:
    ranges: list[tuple[int, int]] = []
    listed: set[int] = set()
    standing: dict[str, set[str]] = {}
    for part in parts:
        if isinstance(part, Between):
            ranges.append((part.low, part.high))
        elif isinstance(part, Betweens):
            ranges += part.ranges
        elif isinstance(part, Among):
            listed.update(part.pmids)
        elif isinstance(part, Standing) and part.field != "decision":
            standing.setdefault(part.field, set()).update(part.values)
        else:
            yield part
    apart = _apart(ranges)
    if len(apart) == 1:
        yield Between(*apart[0])
    elif apart:
        yield Betweens(apart)
    if listed:
        yield Among(tuple(sorted(listed)))
    for field, values in standing.items():
        yield Standing(field, tuple(sorted(values)))


def _apart(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """Join the ranges that meet."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if found and low <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(high, found[-1][1])
        else:
            found.append((low, high))
    return tuple(found)


def without(base: Node, excluded: Node) -> Node:
    if excluded == EVERY or base == NONE:
        return NONE
    if excluded == NONE:
        return base
    if isinstance(excluded, Except) and excluded.base == base:  # what is doubtful of a search, asked for once
        return every((base, excluded.excluded))
    if isinstance(base, Except):
        return Except(base.base, some((base.excluded, excluded)))
    return Except(base, excluded)


def children(node: Node) -> tuple[Node, ...]:
    if isinstance(node, All | Some):
        return node.parts
    return (node.base, node.excluded) if isinstance(node, Except) else ()


def rebuilt(node: Node, parts: Iterable[Node]) -> Node:
    """Return the node with other children."""
    if isinstance(node, All):
        return every(parts)
    if isinstance(node, Some):
        return some(parts)
    base, excluded = parts
    return without(base, excluded)


def depth(node: Node) -> int:
    return 1 + max(map(depth, children(node)), default=0)


def indexed(node: Node) -> bool:
    """Say whether the index alone answers this node."""
    if isinstance(node, All | Some | Except):
        return all(map(indexed, children(node)))
    return isinstance(node, Phrase | Near | Token)


def words(node: Node) -> list[Node]:
    """Return the words and phrases by which what a node finds may be ranked."""
    if isinstance(node, Except):
        return words(node.base)
    if isinstance(node, Phrase | Near):
        return [node]
    return [word for part in children(node) for word in words(part)]


class _Planner:
    def __init__(
        self,
        tree: MeshTree,
        today: date | None,
        values: Callable[[str], Iterable[str]],
        decided: Callable[[Indexed], bool],
        within: Callable[[Near], Node],
    ) -> None:
        self.tree = tree
        self.today = today
        self.values = values
        self.decided = decided
        self.within = within

    def node(self, query: Query, most: bool) -> Node | None:
        """Return at least (`most`) or at most what a part finds; None where PubMed ignores it."""
        if isinstance(query, And):
            known = self.known(query.parts, most)
            return every(known) if known else None
        if isinstance(query, Or):
            known = self.known(query.parts, most)
            return some(known) if known else None
        if isinstance(query, Not):
            base = self.node(query.base, most)
            excluded = self.known(query.excluded, not most)
            if base is None and not excluded:
                return None
            return without(EVERY if base is None else base, some(excluded))
        return self.leaf(query, most)

    def known(self, parts: tuple[Query, ...], most: bool) -> list[Node]:
        return [node for each in parts if (node := self.node(each, most)) is not None]

    def leaf(self, leaf: Leaf, most: bool) -> Node | None:
        if isinstance(leaf, PmidRange):
            return Between(leaf.low, leaf.high)
        if isinstance(leaf, Pmids) and len(leaf.values) > _FEW_PMIDS:
            return Among(tuple(sorted(set(leaf.values))))
        if isinstance(leaf, Term) and leaf.field in _OWN_TERMS:
            return self.standing(leaf)
        found = lookup.look_up(leaf, self.tree, self.today)
        if found is None:
            return None
        wanted = found.wanted
        if not most and isinstance(leaf, Proximity) and leaf.field in _WHOLE and isinstance(wanted, Near):
            return self.within(wanted) if wanted.words == search_words(leaf.text).words else NONE
        return self.wanted(wanted, found.exact, most)

    def standing(self, term: Term) -> Node:
        field = term.field or ""
        if field == "decision":
            return Standing(field, (term.text.lower(),))
        fitting = fits(term.text, self.values(field), field)
        return Standing(field, tuple(sorted(fitting))) if fitting else NONE

    def wanted(self, wanted: lookup.Wanted, exact: bool, most: bool) -> Node:
        if not most and not (exact and self.all_decided(wanted)):
            return NONE
        return self.read(wanted)

    def all_decided(self, wanted: lookup.Wanted) -> bool:
        if isinstance(wanted, lookup.AnyOf | lookup.AllOf):
            return all(map(self.all_decided, wanted.parts))
        return not isinstance(wanted, Phrase | Near | Token) or self.decided(wanted)

    def read(self, wanted: lookup.Wanted) -> Node:
        if wanted == lookup.EVERY:
            return EVERY
        if isinstance(wanted, lookup.Nothing):
            return NONE
        if isinstance(wanted, lookup.AllOf):
            return every(map(self.read, wanted.parts))
        if isinstance(wanted, lookup.AnyOf):
            return some(map(self.read, wanted.parts))
        return wanted
