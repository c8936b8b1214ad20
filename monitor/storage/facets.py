"""How the newest hits of a search divide by year, topic, publication type, journal, tag, level, language and flag."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from itertools import islice

from sqlalchemy.orm import Session

from monitor.core.query import MeshTree, Query
from monitor.core.query.words import heading_key
from monitor.storage.bulk import is_sqlite
from monitor.storage.search import Search
from monitor.storage.search_sql import Statement, kept_topics

Counts = tuple[tuple[str, int], ...]

KINDS = ("year", "topic", "type", "journal", "tag", "level", "language", "flag")
_STORED = {"y": "year", "t": "type", "j": "journal", "l": "language", "f": "flag"}
_FIELDS = {
    "topic": '"{}"[topic]',
    "type": '"{}"[pt:noexp]',
    "journal": '"{}"[ta]',
    "tag": '"{}"[tag]',
    "level": '"{}"[level]',
    "language": "{}[la]",
}
_FLAGS = {"retracted": "isretracted", "concern": "hasconcern"}


@dataclass(frozen=True, slots=True)
class Facets:
    """Values and numbers of each of `KINDS` among `counted` hits; `whole` says that there are no others."""

    counts: dict[str, Counts]
    counted: int
    whole: bool


def facets(session: Session, query: Query, tree: MeshTree, today: date | None, *, newest: int = 5000) -> Facets:
    """Count the newest hits of a search by every kind; frequent values first, years newest first.

    `narrowing` gives the search that finds among these hits as many as the number says.
    """
    found = list(islice(Search(session, query, tree, today).hits(first=newest + 1), newest + 1))
    counted = found[:newest]
    counts = {**_stored(session, counted, tree), **_standing(session, counted)}
    return Facets({kind: _sorted(kind, counts.get(kind, {})) for kind in KINDS}, len(counted), len(found) <= newest)


def narrowing(kind: str, value: str) -> str:
    """Return the search for a value of a facet, to be joined with AND; for `parse(..., own=True)`."""
    if kind == "year":
        return f"{value}:{value}[dp]"
    if kind == "flag":
        return _FLAGS[value]
    return _FIELDS[kind].format(value.replace('"', " "))


def _sorted(kind: str, counts: dict[str, int]) -> Counts:
    if kind == "year":
        return tuple(sorted(counts.items(), key=lambda each: int(each[0]), reverse=True))
    return tuple(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def _stored(session: Session, pmids: list[int], tree: MeshTree) -> dict[str, dict[str, int]]:
    """Count what the index keeps ready for it: one line a value, its first letter the kind."""
    statement = Statement(sqlite=is_sqlite(session))
    newline = statement.bind("\n")
    joined = f"group_concat(facets, {newline})" if statement.sqlite else f"string_agg(facets, {newline})"
    sql = f"SELECT {joined} FROM citation_index WHERE pmid IN ({statement.numbers(pmids)})"  # noqa: S608
    lines = Counter((statement.run(session, sql).scalar() or "").split("\n"))
    counts: dict[str, dict[str, int]] = {}
    for line, number in lines.items():
        if kind := _STORED.get(line[:1]):
            counts.setdefault(kind, {})[line[1:]] = number
    if "type" in counts:
        counts["type"] = _types(counts["type"], tree)
    return counts


def _types(counts: dict[str, int], tree: MeshTree) -> dict[str, int]:
    """Count a publication type under the name it has today, as [pt] finds it by either."""
    merged: dict[tuple[str, ...], tuple[str, int]] = {}
    for name, number in counts.items():
        heading = tree.find(name)
        key = (heading.ui,) if heading else heading_key(name)
        shown, so_far = merged.get(key, (heading.name if heading else name, 0))
        merged[key] = (shown, so_far + number)
    return dict(merged.values())


def _standing(session: Session, pmids: list[int]) -> dict[str, dict[str, int]]:
    """Count standing tags and levels, and topics as [topic] finds them."""
    statement = Statement(sqlite=is_sqlite(session))
    among = statement.joining(pmids)
    newest = f"SELECT max(e.id) FROM {among} decision AS e ON e.pmid = n.value GROUP BY e.pmid"  # noqa: S608
    topics = statement.run(
        session,
        "SELECT topic, count(*) FROM ("  # noqa: S608
        f"SELECT h.topic_id AS topic, h.pmid FROM {among} hit AS h ON h.pmid = n.value"
        " WHERE h.lane = 'core' AND h.ended_at IS NULL"
        f" UNION SELECT k.value, d.pmid FROM decision AS d, {kept_topics(sqlite=statement.sqlite)} AS k"
        f" WHERE d.id IN ({newest}) AND d.verdict = 'keep') AS found GROUP BY topic",
    ).all()
    statement = Statement(sqlite=is_sqlite(session))
    counts: dict[str, dict[str, int]] = {"topic": dict(topics)}
    newest = (
        f"SELECT max(u.id) FROM {statement.joining(pmids)} tagging AS u ON u.pmid = n.value"  # noqa: S608
        " WHERE u.facet IN ('tag', 'level') GROUP BY u.pmid, u.facet, u.term"
    )
    taggings = statement.run(
        session,
        f"SELECT t.facet, t.term, count(*) FROM tagging AS t WHERE t.id IN ({newest}) AND t.added"  # noqa: S608
        " GROUP BY t.facet, t.term",
    )
    for facet, term, number in taggings:
        counts.setdefault(facet, {})[term] = number
    return counts
