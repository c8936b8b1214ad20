"""Searches at the edge: of very many parts, of an index half written, pages of nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from monitor.core.citation import InlineXml
from monitor.core.query import parse
from monitor.errors import DatabaseBehind, UsageError
from monitor.storage import indexing
from monitor.storage.citations import keep
from monitor.storage.engine import Database
from monitor.storage.facets import facets
from monitor.storage.search import count, page, pmids, relevant
from tests.factories import FIRST_PMID, citation
from tests.unit.query.invented import TREE

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
TODAY = NOW.date()


@pytest.fixture
def library(database: Database) -> Database:
    with database.write() as session:
        keep(session, [citation(FIRST_PMID + at) for at in range(600)], NOW)
    return database


class Killed(BaseException):
    pass


def test_nobody_is_answered_from_an_index_half_written(library: Database) -> None:
    query = parse("invented")

    def meanwhile(done: int, total: int) -> None:
        for ask in (count, page, relevant, facets, lambda *search: list(pmids(*search))):
            with library.read() as session, pytest.raises(DatabaseBehind, match="not finished; run `monitor init`"):
                ask(session, query, TREE, TODAY)
        raise Killed

    with library.read() as session:
        assert count(session, query, TREE, TODAY) == 600
    with pytest.raises(Killed):
        indexing.renew(library, meanwhile, always=True)
    with library.read() as session, pytest.raises(DatabaseBehind):
        count(session, query, TREE, TODAY)
    indexing.renew(library)
    with library.read() as session:
        assert count(session, query, TREE, TODAY) == 600


def test_nobody_is_answered_from_the_index_of_another_version(library: Database) -> None:
    with library.write() as session:
        session.execute(text("UPDATE index_state SET version = '1-other'"))
    with library.read() as session, pytest.raises(DatabaseBehind, match="another version"):
        page(session, parse("invented"), TREE, TODAY)


def test_a_page_of_nothing_is_refused(library: Database) -> None:
    for limit in (0, -1):
        with library.read() as session, pytest.raises(UsageError, match="at least one paper"):
            page(session, parse("invented"), TREE, TODAY, limit=limit)


def test_papers_are_ranked_by_hundreds_of_words(database: Database) -> None:
    """By `ts_rank_cd` this takes PostgreSQL a hundred times as long, which on real papers means minutes."""
    words = [f"word{number}" for number in range(300)]
    abstract = " ".join(words * 3)
    with database.write() as session:
        keep(session, [citation(FIRST_PMID + at, abstract=abstract) for at in range(200)], NOW)
        keep(session, [citation(FIRST_PMID + 200, title=InlineXml("word7"), abstract=abstract)], NOW)
    with database.read() as session:
        if database.dialect == "postgresql":
            session.execute(text("SET LOCAL statement_timeout = '5s'"))
        found = relevant(session, parse(" OR ".join(f"{word}[tiab]" for word in words)), TREE, TODAY, limit=1000)
    assert (len(found), found[0]) == (201, FIRST_PMID + 200)
