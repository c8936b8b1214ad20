"""What both databases share when a search becomes SQL: parameters, and the conditions that no index column answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from monitor.core.query.own import OPEN
from monitor.storage.search_plan import Among, Between, Betweens, Condition, Standing

STANDING_TAGGING = (
    "t.added AND NOT EXISTS (SELECT 1 FROM tagging AS u"
    " WHERE u.pmid = t.pmid AND u.facet = t.facet AND u.term = t.term AND u.id > t.id)"
)
STANDING_DECISION = "NOT EXISTS (SELECT 1 FROM decision AS e WHERE e.pmid = d.pmid AND e.id > d.id)"


class Statement:
    """SQL under construction: hands out names for values."""

    def __init__(self, *, sqlite: bool) -> None:
        self.sqlite = sqlite
        self.values: dict[str, Any] = {}

    def bind(self, value: Any) -> str:
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f":{name}"

    def bind_all(self, values: Sequence[Any]) -> str:
        return ", ".join(map(self.bind, values))

    def numbers(self, values: Sequence[int]) -> str:
        """Return a table expression of many numbers as one value, for `IN (...)`."""
        if self.sqlite:
            return f"SELECT value FROM json_each({self.bind(json.dumps(values))})"  # noqa: S608
        return f"SELECT unnest(CAST({self.bind(list(values))} AS bigint[]))"

    def within(self, ranges: Sequence[tuple[int, int]]) -> str:
        """Return a table expression of the citations in ranges of PMIDs, for `IN (...)`."""
        if self.sqlite:
            low, high = (f"json_extract(r.value, '$[{end}]')" for end in (0, 1))
            source = f"json_each({self.bind(json.dumps(ranges))}) AS r CROSS JOIN citation_index AS c"
            return f"SELECT c.pmid FROM {source} ON c.pmid BETWEEN {low} AND {high}"  # noqa: S608
        lows, highs = (f"CAST({self.bind([each[end] for each in ranges])} AS bigint[])" for end in (0, 1))
        source = f"unnest({lows}, {highs}) AS r(low, high) JOIN citation_index AS c"
        return f"SELECT c.pmid FROM {source} ON c.pmid BETWEEN r.low AND r.high"  # noqa: S608

    def run(self, session: Session, sql: str) -> Any:
        return session.execute(text(sql), self.values)


def halved(sign: str, parts: Sequence[str]) -> str:
    """Join expressions half by half: both databases limit how deep one may be, and to them a chain is deep."""
    if len(parts) <= _CHAIN:
        return f"({sign.join(parts)})"
    middle = len(parts) // 2
    return f"({halved(sign, parts[:middle])}{sign}{halved(sign, parts[middle:])})"


_CHAIN = 8


def condition(statement: Statement, asked: Condition, pmid: str, *, probe: bool) -> str:
    """Write a condition on the PMID that the expression `pmid` gives.

    `probe` asks for each citation on its own, which is best when few are looked at; otherwise all that fit are
    gathered first.
    """
    if isinstance(asked, Between):
        return f"{pmid} BETWEEN {statement.bind(asked.low)} AND {statement.bind(asked.high)}"
    if isinstance(asked, Betweens) and len(asked.ranges) <= _CHAIN:
        return halved(" OR ", [condition(statement, Between(*each), pmid, probe=probe) for each in asked.ranges])
    if isinstance(asked, Betweens):
        return f"{pmid} IN ({statement.within(asked.ranges)})"
    if isinstance(asked, Among):
        return f"{pmid} IN ({statement.numbers(asked.pmids)})"
    negated = "NOT " if asked == Standing("decision", (OPEN,)) else ""
    if not statement.sqlite:  # independent of each citation, so that the planner joins it by hash, whatever it knows
        gathered = " UNION ALL ".join(standing(statement, asked))
        return f"{negated}EXISTS (SELECT 1 FROM ({gathered}) AS s WHERE s.pmid = {pmid})"  # noqa: S608
    if not probe:
        return f"{pmid} {negated}IN ({' UNION ALL '.join(standing(statement, asked))})"
    probes = " OR ".join(f"EXISTS ({each})" for each in standing(statement, asked, f"{{0}} = {pmid}"))
    return f"{negated}({probes})"


def standing(statement: Statement, asked: Standing, narrowed: str = "true") -> list[str]:
    """Write the SELECTs that give the PMIDs for which a value stands; of `open` those that are not.

    `narrowed` is one more condition, in which `{0}` is the PMID.
    """
    if asked.field == "decision":
        verdict = statement.bind(asked.values[0])
        compared = "<>" if asked.values[0] == OPEN else "="
        where = f"d.verdict {compared} {verdict} AND {_newest_decision(statement)}"
        return [f"SELECT d.pmid FROM decision AS d WHERE {where} AND {narrowed.format('d.pmid')}"]  # noqa: S608
    if asked.field in {"topic", "wide"}:
        lane = "core" if asked.field == "topic" else "wide"
        topics = statement.bind_all(asked.values)
        where = f"h.topic_id IN ({topics}) AND h.lane = '{lane}' AND h.ended_at IS NULL"
        found = [f"SELECT h.pmid FROM hit AS h WHERE {where} AND {narrowed.format('h.pmid')}"]  # noqa: S608
        if lane == "core":
            kept = f"d.verdict = 'keep' AND {_kept_in(statement, topics)} AND {_newest_decision(statement)}"
            found.append(f"SELECT d.pmid FROM decision AS d WHERE {kept} AND {narrowed.format('d.pmid')}")  # noqa: S608
        return found
    these = f"facet = {statement.bind(asked.field)} AND term IN ({statement.bind_all(asked.values)})"
    where = f"{these} AND {STANDING_TAGGING}"
    if not statement.sqlite:
        where = f"t.added AND t.id IN (SELECT max(id) FROM tagging WHERE {these} GROUP BY pmid, term)"  # noqa: S608
    return [f"SELECT t.pmid FROM tagging AS t WHERE {where} AND {narrowed.format('t.pmid')}"]  # noqa: S608


def _newest_decision(statement: Statement) -> str:
    return STANDING_DECISION if statement.sqlite else "d.id IN (SELECT max(id) FROM decision GROUP BY pmid)"


def names(session: Session, field: str) -> list[str]:
    """Return every value there is in a field of ours."""
    if field in {"topic", "wide"}:
        return list(session.scalars(text("SELECT id FROM topic")))
    # From one distinct term to the next through the index: as many steps as terms, not as rows.
    return list(session.scalars(text(_TERMS), {"facet": field}))


_TERMS = """
WITH RECURSIVE found(term) AS (
  SELECT min(term) FROM tagging WHERE facet = :facet
  UNION ALL
  SELECT (SELECT min(t.term) FROM tagging AS t WHERE t.facet = :facet AND t.term > f.term)
  FROM found AS f WHERE f.term IS NOT NULL
) SELECT term FROM found WHERE term IS NOT NULL
"""


def kept_topics(*, sqlite: bool) -> str:
    """Return the table expression of the topics of decision `d`, one row each; call it `k`, its column is `value`."""
    return "json_each(d.topics)" if sqlite else "json_array_elements_text(d.topics)"


def _kept_in(statement: Statement, topics: str) -> str:
    table = kept_topics(sqlite=statement.sqlite)
    return f"EXISTS (SELECT 1 FROM {table} AS k WHERE k.value IN ({topics}))"  # noqa: S608
