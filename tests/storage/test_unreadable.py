"""A stored record that cannot be read: fetched again, it is replaced, and nothing else suffers."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from monitor.core.citation import Citation, Correction, PublicationType
from monitor.core.query import parse
from monitor.core.revision import Change
from monitor.storage import citations, indexing
from monitor.storage.citations import KeepReport, keep
from monitor.storage.engine import Database
from monitor.storage.search import pmids
from tests.factories import FIRST_PMID, citation
from tests.unit.query.invented import TREE

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)
JUNK = b"no record"


def kept(database: Database, *found: Citation, now: datetime = NOW, **how: bool) -> KeepReport:
    with database.write() as session:
        return keep(session, found, now, **how)


def damaged(database: Database, pmid: int = FIRST_PMID) -> None:
    with database.write() as session:
        session.execute(text("UPDATE citation SET doc = :doc WHERE pmid = :pmid"), {"doc": JUNK, "pmid": pmid})


def found(database: Database, search: str) -> list[int]:
    with database.read() as session:
        return [pmid - FIRST_PMID for pmid in pmids(session, parse(search), TREE, NOW.date())]


def index_of(database: Database) -> list[object]:
    """Every word of the index and where it stands, and what is listed beside it."""
    with database.read() as session:
        listed = session.execute(text("SELECT pmid, facets FROM citation_index ORDER BY pmid")).all()
        if database.dialect == "postgresql":
            words = session.execute(text("SELECT pmid, CAST(search AS text) FROM citation_index ORDER BY pmid")).all()
            return [*listed, *words]
        session.execute(text("CREATE VIRTUAL TABLE temp.every_word USING fts5vocab(main, citation_fts, instance)"))
        words = session.execute(text("SELECT term, doc, col, offset FROM temp.every_word ORDER BY 2, 3, 4")).all()
        session.execute(text("DROP TABLE temp.every_word"))
        sizes = session.execute(text("SELECT id, sz FROM citation_fts_docsize ORDER BY id")).all()
        totals = session.execute(text("SELECT block FROM citation_fts_data WHERE id = 1")).all()
        return [*listed, *words, *sizes, *totals]


def sound(database: Database) -> None:
    """The index is what would be written anew."""
    with database.write() as session:
        indexing.check(session)
    before = index_of(database)
    indexing.renew(database, always=True)
    assert index_of(database) == before


def test_what_is_fetched_takes_the_place_of_a_record_that_cannot_be_read(database: Database) -> None:
    first = [citation(FIRST_PMID + at, abstract="Fable cells, old words.") for at in range(4)]
    kept(database, *first)
    damaged(database)
    anew = [dataclasses.replace(each, abstract=citation(abstract="Other cells.").abstract) for each in first]
    report = kept(database, *anew, now=NOW + DAY)
    assert list(report.revised) == [each.pmid for each in first]
    assert report.revised[FIRST_PMID] == (Change.DETAILS_REVISED,)
    assert found(database, "other") == [3, 2, 1, 0]
    assert found(database, "fable") == []
    with database.read() as session:
        assert citations.load(session, [FIRST_PMID])[FIRST_PMID] == anew[0]
        assert len(citations.versions(session, FIRST_PMID)) == 2
        asked = text("SELECT doc FROM citation_version WHERE pmid = :pmid ORDER BY id")
        assert [doc and bytes(doc) for doc in session.scalars(asked, {"pmid": FIRST_PMID})] == [JUNK, None]
    sound(database)


def test_its_standing_and_links_are_told_from_what_stands_beside_it(database: Database) -> None:
    comment, notice, cause = (
        Correction(kind, kind, 90000500 + at) for at, kind in enumerate(("CommentIn", "RetractionIn", "UpdateOf"))
    )
    kept(database, citation(corrections=(comment, cause)))
    damaged(database)
    retracted = citation(
        corrections=(comment, notice), publication_types=(PublicationType("D016441", "Retracted Publication"),)
    )
    report = kept(database, retracted, now=NOW + DAY)
    assert report.revised[FIRST_PMID] == (Change.RETRACTED, Change.DETAILS_REVISED)
    with database.read() as session:
        links = citations.relations(session, [FIRST_PMID])
    assert sorted((each.kind, each.ended_at is None) for each in links) == [
        ("CommentIn", True),
        ("RetractionIn", True),
        ("UpdateOf", False),
    ]
    sound(database)


@pytest.mark.parametrize("provisional", [False, True])
def test_what_the_index_left_out_comes_back_with_the_next_fetch(database: Database, provisional: bool) -> None:
    """Even where PubMed's record is the very same: the damage was known, because no index had it."""
    same = citation(abstract="Fable cells.")
    kept(database, same, citation(FIRST_PMID + 1), provisional=provisional)
    damaged(database)
    assert indexing.renew(database, always=True) == indexing.Renewal(2, (FIRST_PMID,))
    assert found(database, "fable") == []
    report = kept(database, same, now=NOW + DAY)
    assert (report.new if provisional else report.unchanged) == [FIRST_PMID]
    assert found(database, "fable") == [0]
    with database.read() as session:
        assert citations.load(session, [FIRST_PMID])[FIRST_PMID] == same
    sound(database)


def test_a_record_named_by_a_file_alone_is_replaced_by_the_one_fetched(database: Database) -> None:
    kept(database, citation(abstract="Fable cells."), provisional=True)
    damaged(database)
    assert kept(database, citation(abstract="Other cells."), now=NOW + DAY).new == [FIRST_PMID]
    assert (found(database, "fable"), found(database, "other")) == ([], [0])
    sound(database)


def test_a_file_of_any_age_replaces_it_and_pubmed_is_asked_at_once(database: Database) -> None:
    kept(database, citation(abstract="Fable cells."))
    damaged(database)
    report = kept(database, citation(abstract="Other cells."), now=NOW + DAY, by_date=True)
    assert list(report.revised) == [FIRST_PMID]
    with database.read() as session:
        assert session.scalar(text("SELECT count(*) FROM citation_check WHERE due_at = fetched_at")) == 1
    sound(database)


def test_a_lower_version_leaves_it_alone(database: Database) -> None:
    kept(database, citation(version=2, abstract="Fable cells."))
    damaged(database)
    assert kept(database, citation(version=1), now=NOW + DAY).older == [FIRST_PMID]
    assert found(database, "fable") == [0]
