"""Searching on PostgreSQL: what the index answers becomes one `tsquery`, the rest conditions beside it.

A `tsvector` cannot hold every place of every word of a very long record, nor every word of an immense one. Such
records carry a token that says so; they are asked for more widely and looked at one by one.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import cast

from sqlalchemy import text
from sqlalchemy.orm import Session

from monitor.storage.fulltext import LETTERS
from monitor.storage.lookup import Near, Phrase, Token
from monitor.storage.search_plan import (
    EVERY,
    NONE,
    All,
    Condition,
    Except,
    Indexed,
    Node,
    Some,
    indexed,
    some,
    words,
)
from monitor.storage.search_sql import Statement, condition, halved
from monitor.storage.tokens import CROWDED, CUT
from monitor.storage.tokens import EVERY as EVERY_TOKEN
from monitor.storage.tsvector import LONGEST_WORD

MAX_DEPTH = 1000
"""Levels of a tree that one statement takes: more than any search has."""

_PAGE = 200
_SHARE = 10
"""A search that finds one in so many citations fills a page from the newest of them."""

_WIDEST = 20
"""Two words at most so far apart are written out as one alternative for each distance."""

_WEIGHTS = "{0.1, 0.2, 0.4, 1.0}"
"""Of the weights D, C, B and A when the best come first.

By `ts_rank`: `ts_rank_cd`, which also looks how near the words stand, takes a minute for a hundred of them.
"""


def decided(leaf: Indexed) -> bool:
    """Say whether a `tsquery` answers a leaf exactly: it knows words at a distance, not words in any order."""
    if _too_long(leaf):
        return False
    return not isinstance(leaf, Near) or (len(leaf.words) == 2 and leaf.distance <= _WIDEST)


def within(near: Near) -> Node:
    """Return what finds words near each other that surely stand in one text; a vector has no boundaries of texts."""
    return NONE


class PostgresSearch:
    """Asks PostgreSQL for what a node finds: at least that with `most`, at most that without."""

    def __init__(self, session: Session) -> None:
        self.session = session

    @property
    def certain(self) -> bool:
        """Say whether most and least are one, because no record is too long for its vector."""
        return not any(self._marks)

    def newest(
        self, node: Node, limit: int, *, before: int | None = None, lowest: int | None = None, most: bool = True
    ) -> list[int]:
        """Return the highest PMIDs found below `before` and down to `lowest`."""
        if node == NONE:
            return []
        if limit <= _PAGE and lowest is None:
            found = self._lately(node, limit, before, most)
            if len(found) == limit:
                return found
        statement = Statement(sqlite=False)
        where = self._where(statement, node, most)
        if before is not None:
            where += f" AND i.pmid < {statement.bind(before)}"
        if lowest is not None:
            where += f" AND i.pmid >= {statement.bind(lowest)}"
        # Apart, or the planner reads vector after vector from the newest down, which it takes for cheap.
        all_of_them = f"SELECT i.pmid FROM citation_index AS i WHERE {where}"  # noqa: S608
        sql = f"WITH found AS MATERIALIZED ({all_of_them}) SELECT pmid FROM found ORDER BY pmid DESC"  # noqa: S608
        return list(statement.run(self.session, f"{sql} LIMIT {statement.bind(limit)}").scalars())

    def _lately(self, node: Node, limit: int, before: int | None, most: bool) -> list[int]:
        """Look among the newest citations only: what is frequent fills a page from them, and nothing need be sorted."""
        statement = Statement(sqlite=False)
        below = f" WHERE pmid < {statement.bind(before)}" if before is not None else ""
        newest = f"SELECT * FROM citation_index{below} ORDER BY pmid DESC LIMIT {statement.bind(_SHARE * limit)}"  # noqa: S608
        where = self._where(statement, node, most)
        sql = f"SELECT i.pmid FROM ({newest}) AS i WHERE {where} ORDER BY i.pmid DESC LIMIT {statement.bind(limit)}"  # noqa: S608
        return list(statement.run(self.session, sql).scalars())

    def count(self, node: Node) -> int:
        if node == NONE:
            return 0
        statement = Statement(sqlite=False)
        sql = f"SELECT count(*) FROM citation_index AS i WHERE {self._where(statement, node, True)}"  # noqa: S608
        return int(statement.run(self.session, sql).scalar())

    def scores(self, node: Node, lowest: int) -> dict[int, float]:
        """Return how well the citations from PMID `lowest` on fit the words of a node, higher being better."""
        wanted = words(node)
        if not wanted:
            return {}
        statement = Statement(sqlite=False)
        query = _query(statement, self._tsquery(node if indexed(node) else some(wanted), True))
        sql = (
            f"SELECT i.pmid, ts_rank('{_WEIGHTS}', i.search, {query})"  # noqa: S608
            f" FROM citation_index AS i WHERE i.search @@ {query} AND i.pmid >= {statement.bind(lowest)}"
        )
        return dict(statement.run(self.session, sql).all())

    @cached_property
    def _marks(self) -> tuple[bool, bool]:
        """Say whether there are records of which places, and of which words were left out."""
        # Counted, because for the first row alone the planner would read the whole table instead of the index.
        counted = "(SELECT count(*) FROM citation_index WHERE search @@ CAST(:{} AS tsquery)) > 0"
        sql = f"SELECT {counted.format('crowded')}, {counted.format('cut')}"
        crowded, cut = self.session.execute(text(sql), {"crowded": _CROWDED, "cut": _CUT}).one()
        return crowded, cut

    def _where(self, statement: Statement, node: Node, most: bool) -> str:
        if node == EVERY:
            return "true"
        if indexed(node):
            return f"i.search @@ {_query(statement, self._tsquery(node, most))}"
        if isinstance(node, All | Some):
            ours = [part for part in node.parts if indexed(part)]
            parts = [self._where(statement, part, most) for part in node.parts if not indexed(part)]
            if ours:
                parts.insert(0, self._where(statement, type(node)(tuple(ours)), most))
            return halved(" AND " if isinstance(node, All) else " OR ", parts)
        if isinstance(node, Except):
            base = self._where(statement, node.base, most)
            return f"({base} AND NOT {self._where(statement, node.excluded, not most)})"
        return condition(statement, cast("Condition", node), "i.pmid", probe=True)

    def _tsquery(self, node: Node, most: bool) -> str:
        if node == EVERY:
            return _lexeme(_TOKEN, EVERY_TOKEN)
        if isinstance(node, All):
            return _joined(" & ", (self._tsquery(part, most) for part in node.parts))
        if isinstance(node, Some):
            return _joined(" | ", (self._tsquery(part, most) for part in node.parts))
        if isinstance(node, Except):
            return f"({self._tsquery(node.base, most)} & !{self._tsquery(node.excluded, not most)})"
        leaf = cast("Indexed", node)
        asked = _NEVER if _too_long(leaf) else self._leaf(leaf, most)
        if not self._marks[1]:
            return asked
        return f"({asked} | {_CUT})" if most else f"({asked} & !{_CUT})"

    def _leaf(self, leaf: Indexed, most: bool) -> str:
        if isinstance(leaf, Token):
            return _lexeme(_TOKEN, leaf.text, leaf.prefix)
        return _joined(" | ", (self._words(leaf, LETTERS[column], most) for column in leaf.columns))

    def _words(self, node: Phrase | Near, letter: str, most: bool) -> str:
        """Write words in one column; in crowded records a phrase is taken to be there, or `most` not, not to be."""
        prefix = isinstance(node, Phrase) and node.prefix
        last = len(node.words) - 1
        words = [_lexeme(letter, word, prefix and at == last) for at, word in enumerate(node.words)]
        if len(words) == 1:
            return words[0]
        together = _joined(" & ", words)
        if isinstance(node, Near):
            if not decided(node):
                return together
            steps = range(1, node.distance + 2)
            placed = _joined(" | ", (f"({a} <{step}> {b})" for step in steps for a, b in (words, words[::-1])))
        else:
            placed = "(" + " <-> ".join(words) + ")"
        if not self._marks[0]:
            return placed
        return f"({placed} | ({_CROWDED} & {together}))" if most else f"({placed} & !{_CROWDED})"


def _joined(sign: str, parts: Iterable[str]) -> str:
    written = list(parts)
    return written[0] if len(written) == 1 else halved(sign, written)


def _lexeme(letter: str, word: str, prefix: bool = False) -> str:
    return f"'{letter}{word}'{':*' if prefix else ''}"


_TOKEN = LETTERS["facets"]
_CROWDED = _lexeme(_TOKEN, CROWDED)
_CUT = _lexeme(_TOKEN, CUT)
_NEVER = "'-'"
"""A lexeme that no column has."""


def _query(statement: Statement, query: str) -> str:
    return f"CAST({statement.bind(query)} AS tsquery)"


def _too_long(leaf: Indexed) -> bool:
    """Say whether a word is longer than a lexeme may be; records that have such a one are marked as cut."""
    parts = (leaf.text,) if isinstance(leaf, Token) else leaf.words
    return max(len(part.encode()) for part in parts) > LONGEST_WORD - 2
