"""How the newest hits of a search divide by year, topic, publication type, journal, tag, level, language and flag."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from itertools import islice

from sqlalchemy.orm import Session

from monitor.core.query import MeshTree, Query
from monitor.core.query.words import heading_key, words_of
from monitor.storage.bulk import is_sqlite
from monitor.storage.search import Search
from monitor.storage.search_plan import All, Among, Standing
from monitor.storage.search_sql import Statement, kept_topics
from monitor.storage.tokens import is_code

Counts = tuple[tuple[str, int], ...]

KINDS = ("year", "topic", "type", "journal", "tag", "level", "language", "flag")
_STORED = {"y": "year", "t": "type", "j": "journal", "l": "language", "f": "flag"}
_FIELDS = {"topic": "topic", "type": "pt:noexp", "journal": "ta", "tag": "tag", "level": "level", "language": "la"}
_SIGNS = str.maketrans(dict.fromkeys('"“”„‟«»″＂*＊', " "))
"""What between quotation marks is more than a blank: what ends them, and truncation."""
_FLAGS = {"retracted": "isretracted", "concern": "hasconcern"}


_Spellings = dict[tuple[str, ...], Counter[str]]
"""How often each spelling of a value occurs, by what a search compares."""


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
    search = Search(session, query, tree, today)
    found = list(islice(search.hits(first=newest + 1), newest + 1))
    counted = found[:newest]
    counts = _counted(search, counted)
    return Facets({kind: _sorted(kind, counts.get(kind, {})) for kind in KINDS}, len(counted), len(found) <= newest)


def narrowing(kind: str, value: str) -> str:
    """Return the search for a value of a facet, to be joined with AND; for `parse(..., own=True)`."""
    if kind == "year":
        return f"{value:0>4}:{value:0>4}[dp]"
    if kind == "flag":
        return _FLAGS[value]
    if kind == "language" and is_code(value.upper()):
        return f"{value}[la]"
    return f'"{value.translate(_SIGNS)}"[{_FIELDS[kind]}]'


def _sorted(kind: str, counts: dict[str, int]) -> Counts:
    if kind == "year":
        return tuple(sorted(counts.items(), key=lambda each: int(each[0]), reverse=True))
    return tuple(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def _counted(search: Search, pmids: list[int]) -> dict[str, dict[str, int]]:
    """Count in one statement what the index keeps ready, and tags, levels and topics as their fields find them."""
    session = search.session
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
    lines = ""
    counts: dict[str, dict[str, int]] = {}
    for kind, value, number in found:
        if kind:
            counts.setdefault(kind, {})[value] = number
        else:
            lines = value or ""
    ours = {kind: _ours(search, pmids, kind, of_kind) for kind, of_kind in counts.items()}
    return {**_shown(lines, search.tree), **ours}


def _shown(lines: str, tree: MeshTree) -> dict[str, dict[str, int]]:
    """Count what the index keeps ready for it, as `fulltext.shown` writes it: a line's values are those of one citation."""
    found = Counter(lines.split("\n"))
    numbers: dict[str, int] = {}
    for line, number in found.items():
        for value in line.split("\t"):
            numbers[value] = numbers.get(value, 0) + number
    spelt: _Spellings = {}
    for value, number in numbers.items():
        if value and (key := _key(_STORED[value[0]], value[1:], tree)):
            spelt.setdefault((value[0], *key), Counter())[value] = number
    several = {value: key for key, spellings in spelt.items() if len(spellings) > 1 for value in spellings}
    twice: Counter[tuple[str, ...]] = Counter()
    if several:
        for line, number in found.items():
            for key, times in Counter([several[value] for value in line.split("\t") if value in several]).items():
                twice[key] += (times - 1) * number
    counts: dict[str, dict[str, int]] = {}
    for key, spellings in spelt.items():
        # A publication type is shown under the name it has today.
        name = (tree.name(key[1]) if key[0] == "t" else None) or _usual(spellings)[1:]
        counts.setdefault(_STORED[key[0]], {})[name] = spellings.total() - twice[key]
    return counts


def _key(kind: str, value: str, tree: MeshTree) -> tuple[str, ...]:
    """Return what two values have in common that no search tells apart; nothing where no search finds the value."""
    if kind == "language":
        return (value.lower().upper(),) if words_of(value) else ()
    if kind == "type" and (heading := tree.find(value)):
        return (heading.ui,)
    return heading_key(value)


def _ours(search: Search, pmids: list[int], kind: str, counts: dict[str, int]) -> dict[str, int]:
    """Count values of ours together that differ in nothing by which they are looked for."""
    spelt: _Spellings = {}
    for value, number in counts.items():
        if key := tuple(words_of(value)):
            spelt.setdefault(key, Counter())[value] = number
    among = Among(tuple(pmids))
    return {
        _usual(each): each.total() if len(each) == 1 else search.engine.count(All((among, Standing(kind, tuple(each)))))
        for each in spelt.values()
    }


def _usual(spellings: Counter[str]) -> str:
    return min(spellings, key=lambda each: (-spellings[each], each))
