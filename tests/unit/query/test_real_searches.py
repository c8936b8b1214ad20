"""Searches people wrote: the starter topics, 24 review searches, a long dated one, and 20 written for Ovid.

They are read, written back, linted, counted for docs/query-language.md, and answered over real records by the evaluator
and both databases alike.
"""

from __future__ import annotations

import itertools
import json
import re
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.core.citation import Citation
from monitor.core.lint import lint
from monitor.core.query import (
    And,
    Document,
    Not,
    Query,
    Term,
    document,
    ignored,
    matches,
    parse,
    render,
    terms,
    undecidable,
)
from monitor.core.strategy import Line, Strategy
from monitor.errors import QuerySyntaxError
from monitor.pubmed.parse import open_records, read_records
from monitor.resources import load_mesh_tree
from monitor.storage import search
from monitor.storage.citations import keep
from monitor.storage.engine import Database
from tests.shared import SHARED, STARTER, needs_shared

PAGE = Path(__file__).resolve().parents[3] / "docs" / "query-language.md"
TODAY = date(2026, 11, 22)


def round_trip(text: str) -> Query:
    query = parse(text)
    assert parse(render(query)) == query
    return query


def expanded(text: str, blocks: dict[str, Any]) -> str:
    def block(name: re.Match[str]) -> str:
        lines = blocks[name[1]]
        joint = " OR " if "any" in lines else " AND "
        inner = (f"({expanded(line['q'], blocks)})" for line in lines.get("any") or lines["all"])
        return f"({joint.join(inner)})"

    return re.sub(r"\{(\w+)\}", block, text)


@needs_shared
def test_every_line_of_the_starter_topics() -> None:
    data = yaml.safe_load((STARTER / "queries.yaml").read_text(encoding="utf-8"))
    lines = [
        line["q"] for topic in data["topics"].values() for lane in ("core", "wide") for line in topic.get(lane, [])
    ]
    assert len(lines) > 30
    tree = load_mesh_tree()
    for line in lines:
        query = round_trip(expanded(line, data["blocks"]))
        assert undecidable(query, tree) == ()
        for leaf in terms(query):
            if isinstance(leaf, Term) and leaf.field in {"mh", "majr", "pt"}:
                assert tree.find(leaf.text.partition("/")[0]), f"{leaf.text} is not in the tree that ships"


@cache
def reviews() -> dict[str, str]:
    """Two forms of each of the 24: as published, and as its authors edited it."""
    lines = (SHARED / "searches" / "sysrev-seed-collection-dev.jsonl").read_text(encoding="utf-8").splitlines()
    return {
        f"{each['id']} {kind}": each[kind] for each in map(json.loads, lines) for kind in ("query", "edited_search")
    }


def archived(name: str) -> Iterator[tuple[str, str]]:
    with tarfile.open(SHARED / "searches" / name) as archive:
        for member in archive:
            if file := archive.extractfile(member):
                yield member.name, file.read().decode()


@cache
def dated() -> dict[str, str]:
    found = archived("zheln-systematic-subset-queries.tar.gz")
    return {name.rpartition("_")[2]: text for name, text in found if name.endswith(".txt")}


@cache
def ovid() -> dict[str, str]:
    found = archived("clef-tar-2019-task2-training-intervention.tar.gz")
    return {name: text.partition("Query:")[2].partition("Pids:")[0] for name, text in found if "/topics/" in name}


def readable() -> list[Query]:
    found = []
    for text in (*reviews().values(), *dated().values()):
        try:
            found.append(parse(text))
        except QuerySyntaxError:
            continue
    return found


@needs_shared
def test_review_searches_written_for_pubmed() -> None:
    refused = []
    assert len(reviews()) == 48
    for name, text in reviews().items():
        try:
            round_trip(text)
        except QuerySyntaxError as error:
            refused.append((name, error.message))
    assert refused == [("102 edited_search", "this ( is never closed")]  # and it is not


@needs_shared
def test_thirty_dated_copies_of_a_very_long_search() -> None:
    assert len(dated()) == 30
    for text in dated().values():
        assert len(terms(round_trip(text))) == 206


@needs_shared
def test_searches_written_for_ovid_are_refused_as_such_at_their_place() -> None:
    assert len(ovid()) == 20
    for text in ovid().values():
        with pytest.raises(QuerySyntaxError, match=r"^column \d+: .*looks like Ovid") as caught:
            parse(text)
        assert 1 <= caught.value.column <= len(text)
        (finding,) = (
            each for each in lint(Strategy((Line(text, "invented"),)), load_mesh_tree()) if each.code == "ovid"
        )
        assert (finding.weight, finding.block, finding.position) == ("error", "core", 1)


@needs_shared
def test_real_searches_are_linted() -> None:
    tree = load_mesh_tree()
    codes: Counter[str] = Counter()
    some = dict(itertools.islice(dated().items(), 0, None, 10))
    for name, text in (reviews() | some).items():
        found = {each.code for each in lint(Strategy((Line(text, "invented"),)), tree)}
        assert ("syntax" in found) == (name == "102 edited_search"), name
        codes.update(found)
    # What people trip over: phrases nobody looked up, headings exploded unasked, limits, booleans in lower case.
    assert {"phrase-unchecked", "unknown-heading", "lower-case-boolean", "untagged", "date-limit"} <= set(codes)


def shares(texts: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Count for each form how many leaves have it, and how many searches hold such a leaf."""
    tree = load_mesh_tree()
    leaves: Counter[str] = Counter()
    searches: Counter[str] = Counter()
    for text in texts:
        searches["all"] += 1
        try:
            query = parse(text)
        except QuerySyntaxError as error:
            searches["ovid" if "Ovid" in error.message else "unreadable"] += 1
            continue
        held: Counter[str] = Counter(all=0)
        without_answer = {leaf for leaf, _ in undecidable(query, tree)}
        for leaf in terms(query):
            held["leaves"] += 1
            held["undecidable"] += leaf in without_answer
            held["ignored"] += ignored(leaf)
            if isinstance(leaf, Term) and not ignored(leaf):
                held["untagged"] += leaf.field is None
                name = leaf.text.partition("/")[0]
                held["unknown heading"] += leaf.field in {"mh", "majr", "pt"} and tree.find(name) is None
        leaves += held
        searches.update(kind for kind, number in held.items() if number)
    kinds = ("all", "leaves", "unreadable", "ovid", "undecidable", "unknown heading", "untagged", "ignored")
    return {kind: (leaves[kind], searches[kind]) for kind in kinds}


def share_table() -> str:
    """Write the table that stands in docs/query-language.md."""
    sets = [shares(texts) for texts in (reviews().values(), dated().values(), ovid().values())]
    rows = {
        "unreadable": "refused: a `(` is never closed",
        "ovid": "refused: written for Ovid",
        "undecidable": "leaves that no record can decide",
        "unknown heading": "headings outside our part of MeSH: by name, without explosion",
        "untagged": "untagged words: no automatic term mapping",
        "ignored": "`and`, `or` in lower case and other stopwords: ignored, as PubMed does",
    }
    table = [
        "| | 24 review searches, two forms each | 30 dated copies of one search | 20 Ovid searches |",
        "|---|---|---|---|",
    ]
    numbers = " | ".join(f"{each['all'][1]} searches, {each['leaves'][0]:,} leaves" for each in sets[:2])
    table.append(f"| in all | {numbers} | {sets[2]['all'][1]} searches |")
    table += [f"| {words} | {' | '.join(_share(each, kind) for each in sets)} |" for kind, words in rows.items()]
    return "\n".join(table)


def _share(counted: dict[str, tuple[int, int]], kind: str) -> str:
    (leaves, searches), total = counted[kind], counted["leaves"][0]
    share = f"{leaves / total:.1%} of leaves, in " if leaves else ""
    return f"{share}{searches} search{'es' * (searches != 1)}" if searches else "none"


@needs_shared
def test_what_is_not_supported_stands_in_the_documentation_with_its_share() -> None:
    assert share_table() in PAGE.read_text(encoding="utf-8")


def parts(query: Query) -> Iterator[Query]:
    """Yield a search and the blocks of it that AND and NOT join: alone these find papers of any field."""
    yield query
    below: tuple[Query, ...] = ()
    if isinstance(query, And):
        below = query.parts
    elif isinstance(query, Not):
        below = (query.base, *query.excluded)
    for each in below:
        yield from parts(each)


def real(*names: str) -> Iterator[Citation]:
    seen: set[int] = set()
    for name in names:
        for each in read_records(open_records(SHARED / "pubmed" / f"{name}.xml.gz")):
            if isinstance(each, Citation) and each.pmid not in seen:
                seen.add(each.pmid)
                yield each


def answers(queries: Sequence[Query], documents: Sequence[Document]) -> list[list[int]]:
    tree = load_mesh_tree()
    return [[each.citation.pmid for each in documents if matches(query, each, tree, TODAY)] for query in queries]


def hold(database: Database, citations: Sequence[Citation], queries: Sequence[Query]) -> int:
    """Hold a database against the evaluator; return how many of the searches find something."""
    newest = sorted(citations, key=lambda each: each.pmid, reverse=True)
    with database.write() as session:
        keep(session, newest, datetime(2026, 11, 22, tzinfo=UTC))
    expected = answers(queries, [document(each) for each in newest])
    tree = load_mesh_tree()
    with database.read() as session:
        for query, answer in zip(queries, expected, strict=True):
            assert list(search.pmids(session, query, tree, TODAY)) == answer, render(query)
            assert search.count(session, query, tree, TODAY) == len(answer), render(query)
    return sum(map(bool, expected))


def asked(number: int) -> list[Query]:
    """Return each search that can be read with its blocks, every block once; of the dated ones as many as wanted."""
    queries = readable()
    return list(dict.fromkeys(part for each in queries[: 47 + number] for part in parts(each)))


@needs_shared
def test_real_searches_find_the_same_among_real_records_on_both_databases(database: Database) -> None:
    files = ("nk-domain", "special-relations", "recent-trials", "misc-fixture-records")
    citations = list(itertools.islice(real(*files), 0, None, 3))
    assert len(citations) > 250
    assert hold(database, citations, asked(2)) > 40


@pytest.mark.torture
@needs_shared
def test_real_searches_find_the_same_among_many_real_records(database: Database) -> None:
    files = ("nk-domain", "special-relations", "recent-trials", "misc-fixture-records", "near-domain")
    many = (
        *real(*files),
        *itertools.islice(real("pubmed21n1298-dev"), 5000),
        *itertools.islice(real("pubmed20n0014-dev"), 2000),
    )
    hold(database, list({each.pmid: each for each in many}.values()), asked(30))


@pytest.mark.parametrize(
    "text",
    [
        '("Fable Cells"[Mesh:NoExp] OR "fable cell*"[tiab] OR "FB-92"[tiab] OR FB92[tiab])',
        '("fable cell therap*"[tiab] AND (fever[tiab] OR "adverse effects"[sh])) NOT (Animals[Mesh] not (Animals[Mesh] and Humans[Mesh]))',
        '"FAB FB"[tiab:~2] OR "invented fable story"[tiab:~3] OR "a b" [Supplementary Concept]',
        "(\n  (\n    \"fable review\"[ti] OR fable review[pt]\n  )\n  AND\n  1865/01/01:2020/09/01[crdt]\n)\nNOT\n(\"comment\"[pt] AND 1865/01/01:2020/09/01[dcom])",
        "hurtle fable[tiab] OR Post-mortem[tiab] OR (face-to-face[tiab]) OR Randomized fable trial[pt] OR “usual care”[tiab]",
        '"retracted publication"[pt] OR hasretractionof OR hasexpressionofconcernin',
        '("2025/01/01"[Date - Create] : "3000"[Date - Create]) AND (humans[Filter]) AND (clinicaltrial[Filter])',
    ],
)  # fmt: skip
def test_the_same_shapes_in_invented_words(text: str) -> None:
    round_trip(text)
