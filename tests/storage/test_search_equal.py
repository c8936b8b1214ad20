"""One answer, four ways: `core.query`, the sandbox, SQLite and PostgreSQL find the same citations for the same search."""

from __future__ import annotations

import itertools
import os
import random
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing

import pytest

from monitor.core.citation import Citation
from monitor.core.query import Document, Own, Query, UnknownField, document, matches, parse, render
from monitor.core.query.mesh import MeshTree
from monitor.pubmed.parse import open_records, read_records
from monitor.pubmed.sandbox.corpus import Corpus
from monitor.pubmed.sandbox.index import Index
from monitor.resources import load_mesh_tree
from monitor.storage.engine import Database
from monitor.storage.search import count, page, pmids
from tests.shared import SHARED, needs_shared
from tests.storage.known_library import store
from tests.storage.query_dice import TODAY, TOPICS, QueryDice, invented, known_of
from tests.unit.parse_emitting import emit


def evaluated(queries: Sequence[Query], documents: Sequence[Document], tree: MeshTree) -> list[list[int]]:
    """What `core.query` says, newest first."""
    newest = sorted(documents, key=lambda each: each.citation.pmid, reverse=True)
    return [[each.citation.pmid for each in newest if matches(query, each, tree, TODAY)] for query in queries]


def check(database: Database, queries: Sequence[Query], expected: Sequence[list[int]], tree: MeshTree) -> None:
    """Hold a database against the evaluator: the whole answer, its number, and pages that divide it."""
    with database.read() as session:
        for number, (query, answer) in enumerate(zip(queries, expected, strict=True)):
            text = f"{database.dialect}: {render(query)}"
            assert list(pmids(session, query, tree, TODAY)) == answer, text
            if number % 2 == 0:
                assert count(session, query, tree, TODAY) == len(answer), text
            if number % 4 == 1:
                middle = answer[len(answer) // 2] if answer else 1
                rest = [pmid for pmid in answer if pmid < middle]
                found = page(session, query, tree, TODAY, before=middle, limit=7)
                assert list(found.pmids) == rest[:7], text
                assert found.next_before == (rest[6] if len(rest) > 7 else None), text


def test_evaluator_sandbox_sqlite_and_postgres_agree(sqlite_database: Database, postgres_database: Database) -> None:
    tree = load_mesh_tree()
    xml = b"".join(ET.tostring(emit(each)) for each in invented(1000, tree))
    xml = b"<PubmedArticleSet>" + xml + b"</PubmedArticleSet>"
    citations = [each for each in read_records([xml]) if isinstance(each, Citation)]
    assert len(citations) == 1000
    known = known_of(citations)
    dice = QueryDice(citations, tree)
    queries = [dice.query() for _ in range(500)]
    documents = [document(each, known[each.pmid]) for each in citations]
    expected = evaluated(queries, documents, tree)
    assert sum(map(bool, expected)) > 250  # else the searches prove little
    _check_sandbox(xml, queries, expected, tree)
    for database in (sqlite_database, postgres_database):
        store(database, citations, known, TOPICS)
        check(database, queries, expected, tree)


def _check_sandbox(xml: bytes, queries: Sequence[Query], expected: Sequence[list[int]], tree: MeshTree) -> None:
    """The sandbox has no library: only what is asked in PubMed's own fields concerns it."""
    index = Index(Corpus.of(xml), tree)
    by_number = {state.number: state.pmid for state in index.corpus.states()}
    asked = 0
    for query, answer in zip(queries, expected, strict=True):
        try:
            parse(render(query))
        except UnknownField:
            continue
        asked += 1
        found = index.evaluate(query, TODAY, frozenset(by_number))
        assert sorted((by_number[number] for number in found), reverse=True) == answer, render(query)
    assert asked > 200


@pytest.mark.torture
@needs_shared
def test_real_records_and_ten_thousand_searches(sqlite_database: Database, postgres_database: Database) -> None:
    tree = load_mesh_tree()
    citations = list(itertools.islice(_real(), 5000))
    known = known_of(citations)
    for database in (sqlite_database, postgres_database):
        store(database, citations, known, TOPICS)
    total = int(os.environ.get("MONITOR_TORTURE_SEARCHES", "10000"))
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = QueryDice(citations, tree, seed)
    parts = os.cpu_count() or 2
    with closing(_Evaluators(citations, known, parts)) as evaluators:
        for start in range(0, total, 500):
            queries = [dice.query() for _ in range(min(500, total - start))]
            expected = evaluators.answers(queries)
            for database in (sqlite_database, postgres_database):
                check(database, queries, expected, tree)


def _real() -> Iterator[Citation]:
    """Records of every kind there is: old and new ones in turn, those of our field first; each PMID once."""
    small = ("nk-domain", "special-relations", "recent-trials", "misc-fixture-records")
    sources = [_citations(f"{name}.xml.gz") for name in small]
    large = (_citations("pubmed20n0014-dev.xml.gz"), _citations("pubmed21n1298-dev.xml.gz"))
    seen: set[int] = set()
    for each in itertools.chain(*sources, itertools.chain.from_iterable(zip(*large, strict=False))):
        if each.pmid not in seen:
            seen.add(each.pmid)
            yield each


def _citations(name: str) -> Iterator[Citation]:
    found = read_records(open_records(SHARED / "pubmed" / name))
    return (each for each in found if isinstance(each, Citation))


class _Evaluators:
    """Processes that each hold a share of the documents, ready for searching."""

    def __init__(self, citations: Sequence[Citation], known: Mapping[int, Own], parts: int) -> None:
        self._pools = [
            ProcessPoolExecutor(1, initializer=_prepare, initargs=(citations[at::parts], known)) for at in range(parts)
        ]

    def answers(self, queries: Sequence[Query]) -> list[list[int]]:
        waiting = [pool.submit(_answers, queries) for pool in self._pools]
        shares = [each.result() for each in waiting]
        return [sorted(itertools.chain(*several), reverse=True) for several in zip(*shares, strict=True)]

    def close(self) -> None:
        for pool in self._pools:
            pool.shutdown()


_documents: list[Document] = []


def _prepare(citations: Sequence[Citation], known: Mapping[int, Own]) -> None:
    _documents.extend(document(each, known[each.pmid]) for each in citations)


def _answers(queries: Sequence[Query]) -> list[list[int]]:
    return evaluated(queries, _documents, load_mesh_tree())
