"""Searches at the edge: of very many parts, of an index half written, pages of nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from monitor.core.citation import Author, AuthorList, InlineXml
from monitor.core.query import document, matches, parse
from monitor.errors import DatabaseBehind, UsageError
from monitor.storage import indexing
from monitor.storage.citations import keep
from monitor.storage.engine import Database
from monitor.storage.facets import facets
from monitor.storage.lookup import Token
from monitor.storage.search import count, page, pmids, relevant
from monitor.storage.search_plan import NONE, All, Among, Between, Betweens, Some, Standing, every, some
from tests.factories import FIRST_PMID, citation
from tests.storage.query_dice import QueryDice
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


def test_who_began_to_read_before_a_renewal_reads_the_index_of_then(library: Database) -> None:
    query = parse("invented")

    def killed(done: int, total: int) -> None:
        raise Killed

    with library.read() as session:
        assert count(session, query, TREE, TODAY) == 600
        if library.dialect == "postgresql":
            session.commit()
        session.execute(text("SELECT 1 FROM citation LIMIT 1"))
        with pytest.raises(Killed):
            indexing.renew(library, killed, always=True)
        assert count(session, query, TREE, TODAY) == 600


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


MANY = {
    "ranges": " OR ".join(f"{FIRST_PMID + 3 * n}:{FIRST_PMID + 3 * n + 1}[uid]" for n in range(1200)),
    "no ranges": "all[sb] NOT " + " NOT ".join(f"{FIRST_PMID + 3 * n}[uid]" for n in range(1200)),
    "narrower ranges": " AND ".join(f"{FIRST_PMID - n}:{FIRST_PMID + 2000 - n}[uid]" for n in range(1200)),
    "lists": " OR ".join(f"{' '.join(str(FIRST_PMID + 5 * n + k) for k in range(101))}[uid]" for n in range(1100)),
    "parts of PMIDs": " OR ".join(
        f"({FIRST_PMID + 2 * n}:{FIRST_PMID + 3 * n}[uid] AND fable[ti])" for n in range(1200)
    ),
    "parts of years": " OR ".join(f"{1000 + n}/01/02:{1000 + n}/12/30[dp]" for n in range(400)) + " OR 2024[dp]",
}


@pytest.mark.parametrize("search", MANY.values(), ids=MANY)
def test_a_search_may_have_very_many_parts(library: Database, search: str) -> None:
    query = parse(search)
    with library.read() as session:
        citations = [citation(FIRST_PMID + at) for at in reversed(range(600))]
        right = [each.pmid for each in citations if matches(query, document(each), TREE, TODAY)]
        assert list(pmids(session, query, TREE, TODAY)) == right
        assert count(session, query, TREE, TODAY) == len(right)


def test_ranges_and_lists_of_pmids_become_one_condition() -> None:
    a = Token("a")
    assert some([Between(5, 9), a, Between(1, 4), Between(8, 12)]) == Some((a, Between(1, 12)))
    assert some([Between(1, 2), Between(9, 10), Betweens(((3, 4), (20, 30)))]) == Betweens(((1, 4), (9, 10), (20, 30)))
    assert some([Among((3, 5)), Among((1, 3))]) == Among((1, 3, 5))
    assert some([Standing("tag", ("b",)), Standing("tag", ("a",))]) == Standing("tag", ("a", "b"))
    verdicts = Standing("decision", ("keep",)), Standing("decision", ("open",))
    assert some(verdicts) == Some(verdicts)
    assert every([Between(1, 9), a, Between(5, 12)]) == All((a, Between(5, 9)))
    assert every([Between(1, 4), a, Between(5, 12)]) == NONE


def test_a_search_beyond_what_the_database_takes_is_refused_in_a_sentence(database: Database) -> None:
    phrase = " ".join(f"word{n}" for n in range(60_000))
    with database.write() as session:
        keep(session, [citation()], NOW)
    with database.read() as session:
        if database.dialect == "sqlite":
            with pytest.raises(UsageError, match="too many parts for the database; divide it"):
                session.execute(text("SELECT " + " + ".join(["1"] * 2000)))
        else:
            with pytest.raises(UsageError, match="too many parts for the database; divide it"):
                count(session, parse(f'"{phrase}"[tiab]'), TREE, TODAY)


def test_a_tsquery_that_is_too_large_is_refused_in_a_sentence(library: Database) -> None:
    words = " OR ".join(f"{'long' * 100}{n}[tiab]" for n in range(3000))
    query = parse(f"({words}) OR invented[tiab]")
    with library.read() as session:
        if library.dialect == "sqlite":
            assert count(session, query, TREE, TODAY) == 600
        else:
            with pytest.raises(UsageError, match="too many parts for the database; divide it"):
                count(session, query, TREE, TODAY)


def test_the_dice_write_searches_for_a_name_of_blanks() -> None:
    nameless = AuthorList((Author(last_name=" ", initials="L"),), True)
    dice = QueryDice([citation(author_lists=(nameless,))], TREE, 1)
    dice.query()
    searches = {dice.name() for _ in range(200)}
    assert "L[au]" in searches
    assert all(parse(each) for each in searches)
