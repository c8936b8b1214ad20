"""Searching on SQLite: a plan becomes one FTS5 expression, and conditions beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast

from sqlalchemy.orm import Session

from monitor.core.query.own import OPEN
from monitor.storage.fulltext import BOUNDARY, FACT, MIRROR, TABLE
from monitor.storage.lookup import ALL, Near, Phrase, Token
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
    children,
    every,
    indexed,
    some,
    without,
    words,
)
from monitor.storage.search_sql import Statement, condition, halved, standing
from monitor.storage.tokens import EVERY as EVERY_TOKEN

_ROW = f"{TABLE}.rowid"
_PMID = f"({MIRROR} - {_ROW})"
MAX_DEPTH = 20
"""Levels of a tree that one statement takes: FTS5 holds three entries of its parser's stack of 100 for each."""

_SMALL = 2000
"""So many standing values are gathered at once even for one page."""

_FEW = 500
"""For so many citations at most, values that stand for more are looked up one citation after the other."""

_OPEN = Standing("decision", (OPEN,))

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
        stretch = rows = "true"
        if before is not None:
            stretch += f" AND {{0}} < {statement.bind(before)}"
            rows += f" AND {_ROW} > {statement.bind(MIRROR - before)}"
        if lowest is not None:
            stretch += f" AND {{0}} >= {statement.bind(lowest)}"
            rows += f" AND {_ROW} <= {statement.bind(MIRROR - lowest)}"
        found = self._named(statement, node, stretch, few=limit <= _FEW)
        if found is not None:  # in the order of an index, merged as they come
            found += " ORDER BY 1 DESC"
        else:
            source = self._source(statement, node, few=limit <= _FEW)
            found = f"SELECT {_PMID} AS pmid FROM {source} AND {rows} ORDER BY {_ROW}"  # noqa: S608
        sql = f"{found} LIMIT {statement.bind(limit)}"
        if limit <= _FEW:
            return list(statement.run(self.session, sql).scalars())
        # Thousands of rows cost less as one value.
        several = f"WITH found(pmid) AS ({sql}) SELECT json_group_array(pmid) FROM found"  # noqa: S608
        return sorted(json.loads(statement.run(self.session, several).scalar()), reverse=True)

    def count(self, node: Node) -> int:
        if node == NONE:
            return 0
        statement = Statement(sqlite=True)
        named = self._named(statement, node, "true", few=False)
        source = f"({named})" if named is not None else self._source(statement, node, few=False)
        sql = f"SELECT count(*) FROM {source}"  # noqa: S608
        return int(statement.run(self.session, sql).scalar())

    def scores(self, node: Node, lowest: int) -> dict[int, float]:
        """Return how well the citations from PMID `lowest` on fit the words of a node, higher being better."""
        wanted = words(node)
        if not wanted:
            return {}
        led, _ = _parted(node)
        statement = Statement(sqlite=True)
        if len(words(led)) == len(wanted):
            source = self._source(statement, node, few=False)
        else:
            source = f"{TABLE} WHERE {TABLE} MATCH {statement.bind(match(every((led, some(wanted)))))}"
        stretch = f"{_ROW} <= {statement.bind(MIRROR - lowest)}"
        sql = f"SELECT {_PMID}, -bm25({TABLE}, {_WEIGHTS}) FROM {source} AND {stretch}"  # noqa: S608
        return dict(statement.run(self.session, sql).all())

    def _source(self, statement: Statement, node: Node, *, few: bool) -> str:
        """Return the index with the conditions on it; what it alone must find leads, because it comes newest first."""
        led, beside = _parted(node)
        conditions = [f"{TABLE} MATCH {statement.bind(match(led))}"]
        conditions += [self._condition(statement, each, _PMID, few) for each in beside]
        return f"{TABLE} WHERE {halved(' AND ', conditions)}"

    def _named(self, statement: Statement, node: Node, stretch: str, *, few: bool) -> str | None:
        """Return the SELECT of the PMIDs where a value that stands names them, and no index must find them first."""
        led, beside = _parted(node)
        named = next((each for each in beside if isinstance(each, Standing) and each != _OPEN), None)
        if led != EVERY or named is None:
            return None
        # Under a name of its own: the conditions look into the same tables. Where several are joined, the sign keeps
        # them from leading: SQLite 3.53 finds no plan for an OR of MATCH and a table by whose index it might go.
        rest = [
            self._condition(statement, each, "+s.pmid" if children(each) else "s.pmid", few)
            for each in beside
            if each != named
        ]
        where = halved(" AND ", rest or ["true"])
        several = standing(statement, named, stretch)
        return " UNION ".join(f"SELECT DISTINCT s.pmid FROM ({each}) AS s WHERE {where}" for each in several)  # noqa: S608

    def _condition(self, statement: Statement, node: Node, pmid: str, few: bool) -> str:
        """Write a condition on the PMID that an expression gives; `few` says that not many will be looked at."""
        if indexed(node):
            return f"{pmid} IN (SELECT {_PMID} FROM {TABLE} WHERE {TABLE} MATCH {statement.bind(match(node))})"  # noqa: S608
        if isinstance(node, All | Some):
            parts = [self._condition(statement, part, pmid, few) for part in _merged(node)]
            return halved(" AND " if isinstance(node, All) else " OR ", parts)
        if isinstance(node, Except):
            barred = f"NOT {self._condition(statement, node.excluded, pmid, few)}"
            if node.base == EVERY:
                return barred
            return f"({self._condition(statement, node.base, pmid, few)} AND {barred})"
        asked = cast("Condition", node)
        if isinstance(asked, Between) and pmid == _PMID:  # FTS5 itself begins and ends there
            return f"{_ROW} BETWEEN {statement.bind(MIRROR - asked.high)} AND {statement.bind(MIRROR - asked.low)}"
        return condition(statement, asked, pmid, probe=few and isinstance(asked, Standing) and self._many(asked))

    def _many(self, asked: Standing) -> bool:
        statement = Statement(sqlite=True)
        inner = " UNION ALL ".join(standing(statement, asked))
        sql = f"SELECT count(*) FROM (SELECT 1 FROM ({inner}) LIMIT {statement.bind(_SMALL + 1)})"  # noqa: S608
        return int(statement.run(self.session, sql).scalar()) > _SMALL


def match(node: Node) -> str:
    """Write a node that the index alone answers as an FTS5 expression."""
    if node == EVERY:
        return f'"{FACT}{EVERY_TOKEN}"'
    if isinstance(node, All):  # phrases last: FTS5 looks at their places only where the parts before them are
        return " AND ".join(map(_inner, sorted(node.parts, key=_phrases)))
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
    return f'"{FACT}{token.text}"{" *" if token.prefix else ""}'


def _phrases(node: Node) -> int:
    """Count what is made of several words."""
    if isinstance(node, Phrase | Near):
        return int(len(node.words) > 1)
    return sum(map(_phrases, children(node)))


def _inner(node: Node) -> str:
    return f"({match(node)})" if isinstance(node, All | Some | Except) and node != EVERY else match(node)


def _columns(names: Sequence[str]) -> str:
    return f"{{{' '.join(names)}}} : " if names != ALL else ""


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
