"""How the newest hits of a search divide by year, topic, publication type, journal, tag, level, language and flag."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import islice
from operator import itemgetter

from sqlalchemy.orm import Session

from monitor.core.query import MeshTree, Query
from monitor.core.query.own import unqualified
from monitor.core.query.words import heading_key, words_of
from monitor.storage.bulk import is_sqlite
from monitor.storage.search import Search
from monitor.storage.search_plan import All, Among, Standing
from monitor.storage.search_sql import STANDING_DECISION, STANDING_TAGGING, Statement, kept_topics
from monitor.storage.tokens import is_code

Counts = tuple[tuple[str, int], ...]

KINDS = ("year", "topic", "type", "journal", "tag", "level", "language", "flag")
_STORED = {"y": "year", "t": "type", "j": "journal", "l": "language", "f": "flag"}
_FIELDS = {"topic": "topic", "type": "pt:noexp", "journal": "ta", "tag": "tag", "level": "level", "language": "la"}
_SIGNS = str.maketrans(dict.fromkeys('"“”„‟«»″＂*＊', " "))
"""What between quotation marks is more than a blank: what ends them, and truncation."""
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
    alphabetical = sorted(counts.items())
    return tuple(sorted(alphabetical, key=itemgetter(1), reverse=True))


def _counted(search: Search, pmids: list[int]) -> dict[str, dict[str, int]]:
    """Count what the index keeps ready, and tags, levels and topics as their fields find them.

    The database gathers, one look-up a citation and table, and what it found is counted here: SQLite would sort it.
    """
    statement = Statement(sqlite=is_sqlite(search.session))
    found = dict(statement.run(search.session, _gathering(statement, pmids)).all())
    counts: dict[str, dict[str, int]] = {"topic": Counter((found["topic"] or "").split("\n"))}
    for label, number in Counter((found["label"] or "").split("\n")).items():
        facet, _, term = label.partition("\t")
        counts.setdefault(facet, {})[term] = number
    ours = {kind: _ours(search, pmids, kind, of_kind) for kind, of_kind in counts.items()}
    return {**_shown(found["shown"] or "", search.tree), **ours}


def _gathering(statement: Statement, pmids: list[int]) -> str:
    """Write the statement that gives the values of all these citations, a line each, in three rows by their source."""
    sqlite = statement.sqlite
    joined = "group_concat({}, char(10))" if sqlite else "string_agg({}, chr(10))"
    tab = "char(9)" if sqlite else "chr(9)"
    # The numbers are read first, and what belongs to each then looked up.
    among = "FROM n CROSS JOIN" if sqlite else "FROM n JOIN"
    latest = f"SELECT max(e.id) {among} decision AS e ON e.pmid = n.value GROUP BY e.pmid"
    decision = STANDING_DECISION if sqlite else f"d.id IN ({latest})"
    newest = f"SELECT max(u.id) {among} tagging AS u ON u.pmid = n.value GROUP BY u.pmid, u.facet, u.term"
    tagging = STANDING_TAGGING if sqlite else f"t.id IN ({newest}) AND t.added"
    return (
        f"WITH n(value) AS MATERIALIZED ({statement.numbers(pmids)})"  # noqa: S608
        f" SELECT 'shown', {joined.format('i.facets')} {among} citation_index AS i ON i.pmid = n.value"
        f" UNION ALL SELECT 'topic', {joined.format('f.topic')} FROM ("
        f"SELECT h.topic_id AS topic {among} hit AS h ON h.pmid = n.value WHERE h.lane = 'core' AND h.ended_at IS NULL"
        f" UNION ALL SELECT k.value {among} decision AS d ON d.pmid = n.value, {kept_topics(sqlite=sqlite)} AS k"
        f" WHERE d.verdict = 'keep' AND {decision} AND NOT EXISTS (SELECT 1 FROM hit AS h"
        " WHERE h.topic_id = k.value AND h.pmid = d.pmid AND h.lane = 'core' AND h.ended_at IS NULL)) AS f"
        f" UNION ALL SELECT 'label', {joined.format(f't.facet || {tab} || t.term')}"
        f" {among} tagging AS t ON t.pmid = n.value WHERE t.facet <> 'claim' AND {tagging}"
    )


def _shown(lines: str, tree: MeshTree) -> dict[str, dict[str, int]]:
    """Count what the index keeps ready for it, as `fulltext.shown` writes it: a line's values are those of one citation."""
    found = Counter(lines.split("\n"))
    numbers: dict[str, int] = {}
    for line, number in found.items():
        for value in line.split("\t"):
            numbers[value] = numbers.get(value, 0) + number
    numbers.pop("", None)
    usual: dict[tuple[str, ...], str] = {}
    spelt: dict[tuple[str, ...], list[str]] = {}
    for value in numbers:
        key = _key(value, tree)
        if (first := usual.setdefault(key, value)) is not value:
            spelt.setdefault(key, [first]).append(value)
    several = {value: key for key, values in spelt.items() for value in values}
    once = dict.fromkeys(spelt, 0)
    for line, number in found.items() if several else ():
        for key in {several[value] for value in line.split("\t") if value in several}:
            once[key] += number
    for key, values in spelt.items():
        usual[key] = min(values, key=lambda each: (-numbers[each], each))
    usual.pop(_NEVER_FOUND, None)
    counts: dict[str, dict[str, int]] = {kind: {} for kind in _STORED.values()}
    for key, value in usual.items():
        # A publication type is shown under the name it has today.
        name = (tree.name(key[1]) if key[0] == "t" else None) or value[1:]
        counts[_STORED[key[0]]][name] = once[key] if key in once else numbers[value]
    return counts


_NEVER_FOUND = ()


@lru_cache(maxsize=20_000)
def _key(value: str, tree: MeshTree) -> tuple[str, ...]:
    """Return what values of a kind have in common that no search tells apart; nothing where no search finds the value."""
    kind, name = value[0], value[1:]
    if kind == "l":
        return (kind, name.lower().upper()) if words_of(name) else _NEVER_FOUND
    if kind == "t" and (heading := tree.find(name)):
        return kind, heading.ui
    words = heading_key(name)
    return (kind, *words) if words else _NEVER_FOUND


def _ours(search: Search, pmids: list[int], kind: str, counts: dict[str, int]) -> dict[str, int]:
    """Count values of ours together that differ in nothing by which they are looked for."""
    spelt: dict[tuple[str, ...], Counter[str]] = {}
    for value, number in counts.items():
        if key := tuple(words_of(value)):
            spelt.setdefault(key, Counter())[value] = number
    if kind == "tag":
        # A search for a tag finds it with any qualifier too, and its number says how many that are.
        for value, number in counts.items():
            if (base := unqualified(value)) != value and (key := tuple(words_of(base))) in spelt:
                spelt[key][value] = number
    among = Among(tuple(pmids))
    return {
        _usual(each): each.total() if len(each) == 1 else search.engine.count(All((among, Standing(kind, tuple(each)))))
        for each in spelt.values()
    }


def _usual(spellings: Counter[str]) -> str:
    return min(spellings, key=lambda each: (len(each) - len(unqualified(each)), -spellings[each], each))
