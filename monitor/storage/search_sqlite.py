"""Searching on SQLite: a plan becomes one FTS5 expression, and conditions beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from sqlalchemy.orm import Session

from monitor.storage.fulltext import BOUNDARY, TABLE
from monitor.storage.lookup import Near, Phrase, Token
from monitor.storage.search_plan import (
    EVERY,
    NONE,
    All,
    Between,
    Condition,
    Except,
    Indexed,
    Node,
    Some,
    Standing,
    every,
    indexed,
    some,
    without,
    words,
)
from monitor.storage.search_sql import Statement, condition, standing

_PMID = f"{TABLE}.rowid"
MAX_DEPTH = 20
"""Levels of a tree that one statement takes: FTS5 holds three entries of its parser's stack of 100 for each."""

_SMALL = 2000
"""So many standing values are gathered at once; where there are more, each citation found is asked for its own."""

_WEIGHTS = "4.0, 1.0, 1.5, 0.5, 0.0"
"""Of title, body, terms, rest and facets when the best come first."""


def decided(leaf: Indexed) -> bool:
    """Say whether FTS5 answers a leaf exactly, as it does all of them."""
    return True


def within(near: Near) -> Node:
    """Return what finds words near each other that surely stand in one text: no boundary of texts is near them too."""
    if not near.distance:
        return near
    return without(near, Near(near.columns, (*near.words, BOUNDARY), near.distance - 1))


class SqliteSearch:
    """Asks SQLite for what a node finds. FTS5 keeps every place of every word, so that `most` and least are one."""

    certain = True

    def __init__(self, session: Session) -> None:
        self.session = session

    def newest(
        self, node: Node, limit: int, *, before: int | None = None, lowest: int | None = None, most: bool = True
    ) -> list[int]:
        """Return the highest PMIDs found below `before` and down to `lowest`."""
        if node == NONE:
            return []
        statement = Statement(sqlite=True)
        where = self._where(statement, node, few=True)
        if before is not None:
            where += f" AND {_PMID} < {statement.bind(before)}"
        if lowest is not None:
            where += f" AND {_PMID} >= {statement.bind(lowest)}"
        sql = f"SELECT rowid FROM {TABLE} WHERE {where} ORDER BY rowid DESC LIMIT {statement.bind(limit)}"  # noqa: S608
        return [pmid for (pmid,) in statement.run(self.session, sql)]

    def count(self, node: Node, *, most: bool = True) -> int:
        if node == NONE:
            return 0
        statement = Statement(sqlite=True)
        sql = f"SELECT count(*) FROM {TABLE} WHERE {self._where(statement, node, few=False)}"  # noqa: S608
        return int(statement.run(self.session, sql).scalar())

    def scores(self, node: Node, lowest: int) -> dict[int, float]:
        """Return how well the citations from PMID `lowest` on fit the words of a node, higher being better."""
        wanted = words(node)
        if not wanted:
            return {}
        led, _ = _parted(node)
        asked = led if len(words(led)) == len(wanted) else every((led, some(wanted)))
        statement = Statement(sqlite=True)
        sql = (
            f"SELECT rowid, -bm25({TABLE}, {_WEIGHTS}) FROM {TABLE}"  # noqa: S608
            f" WHERE {TABLE} MATCH {statement.bind(match(asked))} AND rowid >= {statement.bind(lowest)}"
        )
        return dict(statement.run(self.session, sql).all())

    def _where(self, statement: Statement, node: Node, *, few: bool) -> str:
        """Write the conditions. What the index alone must find leads, because it comes newest first."""
        led, beside = _parted(node)
        conditions = [f"{TABLE} MATCH {statement.bind(match(led))}"]
        conditions += [self._condition(statement, each, few and led != EVERY) for each in beside]
        return " AND ".join(conditions)

    def _condition(self, statement: Statement, node: Node, few: bool) -> str:
        if indexed(node):
            return f"{_PMID} IN (SELECT rowid FROM {TABLE} WHERE {TABLE} MATCH {statement.bind(match(node))})"  # noqa: S608
        if isinstance(node, All | Some):
            joined = " AND " if isinstance(node, All) else " OR "
            return "(" + joined.join(self._condition(statement, part, few) for part in _merged(node)) + ")"
        if isinstance(node, Except):
            barred = f"NOT {self._condition(statement, node.excluded, few)}"
            return barred if node.base == EVERY else f"({self._condition(statement, node.base, few)} AND {barred})"
        asked = cast("Condition", node)
        # The plus keeps FTS5 from looking up one PMID after the other, each with the whole expression.
        pmid = _PMID if isinstance(asked, Between) else f"+{_PMID}"
        return condition(statement, asked, pmid, probe=few and isinstance(asked, Standing) and self._many(asked))

    def _many(self, asked: Standing) -> bool:
        statement = Statement(sqlite=True)
        inner = " UNION ALL ".join(standing(statement, asked))
        sql = f"SELECT count(*) FROM (SELECT 1 FROM ({inner}) LIMIT {statement.bind(_SMALL + 1)})"  # noqa: S608
        return int(statement.run(self.session, sql).scalar()) > _SMALL


def match(node: Node) -> str:
    """Write a node that the index alone answers as an FTS5 expression."""
    if node == EVERY:
        return "facets : every"
    if isinstance(node, All):
        return " AND ".join(map(_inner, node.parts))
    if isinstance(node, Some):
        return " OR ".join(map(_inner, node.parts))
    if isinstance(node, Except):
        return f"{_inner(node.base)} NOT {_inner(node.excluded)}"
    if isinstance(node, Phrase):
        star = " *" if node.prefix else ""
        return f'{_columns(node.columns)}"{" ".join(node.words)}"{star}'
    if isinstance(node, Near):
        words = " ".join(f'"{word}"' for word in node.words)
        # FTS5 counts the words between the first and the last, PubMed those that were not asked for.
        return f"{_columns(node.columns)}NEAR({words}, {node.distance + len(node.words) - 2})"
    token = cast("Token", node)
    return f'facets : "{token.text}"{" *" if token.prefix else ""}'


def _inner(node: Node) -> str:
    return f"({match(node)})" if isinstance(node, All | Some | Except) and node != EVERY else match(node)


def _columns(names: Sequence[str]) -> str:
    return f"{{{' '.join(names)}}} : "


def _parted(node: Node) -> tuple[Node, list[Node]]:
    """Part a node into what the index alone answers and what must hold beside it."""
    led: list[Node] = []
    barred: list[Node] = []
    beside: list[Node] = []
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if indexed(each):
            led.append(each)
        elif isinstance(each, All):
            waiting.extend(each.parts)
        elif isinstance(each, Except):
            waiting.append(each.base)
            (barred if indexed(each.excluded) else beside).append(
                each.excluded if indexed(each.excluded) else without(EVERY, each.excluded)
            )
        else:
            beside.append(each)
    return without(every(led), some(barred)), beside


def _merged(node: All | Some) -> list[Node]:
    """Join the parts that the index answers, so that it is asked once."""
    ours = [part for part in node.parts if indexed(part)]
    rest = [part for part in node.parts if not indexed(part)]
    if not ours:
        return rest
    return [every(ours) if isinstance(node, All) else some(ours), *rest]
