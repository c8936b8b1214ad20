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
    counts = _counted(session, counted, tree)
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


def _counted(session: Session, pmids: list[int], tree: MeshTree) -> dict[str, dict[str, int]]:
    """Count in one statement what the index keeps ready, and tags, levels and topics as their fields find them."""
    statement = Statement(sqlite=is_sqlite(session))
    # The numbers are read first, and what belongs to each then looked up.
    among, newline = "n CROSS JOIN" if statement.sqlite else "n JOIN", statement.bind("\n")
    joined = f"group_concat(i.facets, {newline})" if statement.sqlite else f"string_agg(i.facets, {newline})"
    verdicts = f"SELECT max(e.id) FROM {among} decision AS e ON e.pmid = n.value GROUP BY e.pmid"  # noqa: S608
    standing = (
        f"SELECT max(u.id) FROM {among} tagging AS u ON u.pmid = n.value"  # noqa: S608
        " WHERE u.facet IN ('tag', 'level') GROUP BY u.pmid, u.facet, u.term"
    )
    found = statement.run(
        session,
        f"WITH n(value) AS MATERIALIZED ({statement.numbers(pmids)})"  # noqa: S608
        f" SELECT '', {joined}, 0 FROM {among} citation_index AS i ON i.pmid = n.value"
        " UNION ALL SELECT 'topic', topic, count(*) FROM ("
        f"SELECT h.topic_id AS topic, h.pmid FROM {among} hit AS h ON h.pmid = n.value"
        " WHERE h.lane = 'core' AND h.ended_at IS NULL"
        f" UNION SELECT k.value, d.pmid FROM decision AS d, {kept_topics(sqlite=statement.sqlite)} AS k"
        f" WHERE d.id IN ({verdicts}) AND d.verdict = 'keep') AS found GROUP BY topic"
        f" UNION ALL SELECT t.facet, t.term, count(*) FROM tagging AS t WHERE t.id IN ({standing}) AND t.added"
        " GROUP BY t.facet, t.term",
    )
    counts: dict[str, dict[str, int]] = {}
    for kind, value, number in found:
        if kind:
            counts.setdefault(kind, {})[value] = number
        else:
            _shown(value or "", counts)
    if "type" in counts:
        counts["type"] = _types(counts["type"], tree)
    return counts


def _shown(lines: str, counts: dict[str, dict[str, int]]) -> None:
    """Count what the index keeps ready for it, as `fulltext.shown` writes it."""
    for line, number in Counter(lines.split("\n")).items():
        for value in line.split("\t"):
            if kind := _STORED.get(value[:1]):
                of_kind = counts.setdefault(kind, {})
                of_kind[value[1:]] = of_kind.get(value[1:], 0) + number


def _types(counts: dict[str, int], tree: MeshTree) -> dict[str, int]:
    """Count a publication type under the name it has today, as [pt] finds it by either."""
    merged: dict[tuple[str, ...], tuple[str, int]] = {}
    for name, number in counts.items():
        heading = tree.find(name)
        key = (heading.ui,) if heading else heading_key(name)
        shown, so_far = merged.get(key, (heading.name if heading else name, 0))
        merged[key] = (shown, so_far + number)
    return dict(merged.values())
