"""The search index: the words the evaluator sees, on both databases, in step with whatever is written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from sqlalchemy import text

from monitor.core.citation import (
    Abstract,
    AbstractSection,
    Citation,
    Identifier,
    InlineXml,
    Keyword,
    KeywordList,
    MeshHeading,
    MeshTerm,
    OtherAbstract,
)
from monitor.core.query.words import split_words
from monitor.errors import DatabaseDamaged
from monitor.storage import fulltext, soundness
from monitor.storage.citations import keep
from monitor.storage.engine import Database
from tests import factories
from tests.factories import FIRST_PMID, author, citation

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
WEIGHTS = {"title": "A", "abstract": "B", "keywords": "B", "journal": "C", "terms": "C", "authors": "D", "facets": "D"}


def kept(database: Database, *found: Citation) -> None:
    with database.write() as session:
        keep(session, found, NOW)


def search(database: Database, column: str, phrase: str) -> list[int]:
    """PMIDs whose column holds the words of a phrase one after the other, newest first, asked as issue 3 will."""
    words = split_words(phrase)[0]
    with database.read() as session:
        if database.dialect == "sqlite":
            query = "SELECT rowid FROM citation_fts WHERE citation_fts MATCH :q ORDER BY rowid DESC"
            return list(session.scalars(text(query), {"q": f'{column} : "{" ".join(words)}"'}))
        query = "SELECT pmid FROM citation WHERE search @@ to_tsquery('simple', :q) ORDER BY pmid DESC"
        return list(session.scalars(text(query), {"q": " <-> ".join(f"'{w}':{WEIGHTS[column]}" for w in words)}))


def columns(each: Citation) -> dict[str, str]:
    return dict(zip(fulltext.COLUMNS, fulltext.columns(each), strict=True))


RICH = citation(
    title=InlineXml(
        "Anti-PD-1 and IL-2/IL-15 in CD8<sup>+</sup> T cells: was it β-catenin? CO<sub>2</sub> &amp; naïve Müller"
    ),
    abstract=Abstract(
        (AbstractSection(InlineXml("Invented ﬁrst µg of 免疫細胞 at 5×10³ cells_per user@example.com."), "AIMS"),)
    ),
    other_abstracts=(OtherAbstract((AbstractSection(InlineXml("Zusammenfassung.")),), "Publisher", "ger"),),
    keyword_lists=(
        KeywordList((Keyword(InlineXml("CAR-NK")),), "NOTNLM"),
        KeywordList((Keyword(InlineXml("Orbital words")),), "NASA"),
    ),
    mesh_headings=(
        MeshHeading(MeshTerm("D007694", "Killer Cells, Natural", True), (MeshTerm("Q000276", "immunology"),)),
        MeshHeading(MeshTerm("D006801", "Humans")),
    ),
)


@pytest.mark.parametrize(
    ("column", "phrase"),
    [
        ("title", "anti-PD-1"),
        ("title", "PD-1"),
        ("title", "pd 1"),
        ("title", "IL-15"),
        ("title", "il-2"),
        ("title", "CD8 T cells"),
        ("title", "was it"),
        ("title", "β-catenin"),
        ("title", "CO2"),
        ("title", "naive"),
        ("title", "NAÏVE MULLER"),
        ("abstract", "first μg"),
        ("abstract", "免疫"),
        ("abstract", "細胞"),
        ("abstract", "103 cells"),
        ("abstract", "cells per"),
        ("abstract", "example"),
        ("abstract", "aims"),
        ("abstract", "Zusammenfassung"),
        ("keywords", "CAR-NK"),
        ("terms", "killer cells natural"),
        ("terms", "immunology"),
        ("terms", "orbital words"),
        ("terms", "Journal Article"),
        ("journal", "Invented J Cell Ther"),
        ("authors", "Example AB"),
        ("facets", "mjd007694"),
        ("facets", "mhd006801"),
        ("facets", "ptd016428"),
        ("facets", "laeng"),
        ("facets", "jo999000001"),
    ],
)
def test_words_are_found_as_the_evaluator_sees_them(database: Database, column: str, phrase: str) -> None:
    kept(
        database,
        RICH,
        citation(
            FIRST_PMID + 1,
            journal={"title": "Other", "medline_ta": "Other", "iso_abbreviation": None, "nlm_unique_id": None},
            publication_types={},
            languages=(),
            authors=["Nobody N"],
        ),
    )
    assert search(database, column, phrase) == [FIRST_PMID]


def test_letters_that_unicode_does_not_take_apart_are_found_in_ascii(database: Database) -> None:
    kept(database, citation(title=InlineXml("Œdema after Ħal."), authors=["Sørensen-Łukasz Þ"]))
    assert search(database, "title", "oedema after hal") == [FIRST_PMID]
    assert search(database, "authors", "sorensen lukasz th") == [FIRST_PMID]
    assert search(database, "authors", "Sørensen") == [FIRST_PMID]


def test_what_stands_elsewhere_is_not_found(database: Database) -> None:
    kept(database, RICH)
    for column, phrase in (
        ("title", "Invented first"),
        ("abstract", "naive"),
        ("title", "immune"),
        ("facets", "mhd007694"),
    ):
        assert search(database, column, phrase) == []


def test_the_newest_come_first(database: Database) -> None:
    kept(database, *(citation(FIRST_PMID + n) for n in (2, 0, 1)))
    assert search(database, "title", "killer cells") == [FIRST_PMID + 2, FIRST_PMID + 1, FIRST_PMID]


@given(factories.texts)
def test_a_column_holds_the_words_of_the_evaluator(each: str) -> None:
    held = fulltext.searchable([each, None, "", "End-of it"])
    assert [word.lower() for word in held.split()] == split_words(f"{each}\nEnd-of it")[0]


@settings(max_examples=40)
@given(factories.citations())
def test_any_citation_has_columns(each: Citation) -> None:
    assert len(fulltext.columns(each)) == len(fulltext.COLUMNS)
    for token in columns(each)["facets"].split():
        assert token == token.casefold()


def test_an_orcid_is_a_facet_however_it_is_written() -> None:
    for value in (
        "0000-0001-2345-678X",
        "https://orcid.org/0000-0001-2345-678X",
        "http://orcid.org/0000-0001-2345-678X/",
    ):
        named = author("Doe J", identifiers=(Identifier("ORCID", value),))
        each = citation(author_lists=(citation().author_lists[0]._replace(authors=(named,)),))
        assert "id000000012345678x" in columns(each)["facets"].split()


def test_the_index_follows_every_way_of_writing(database: Database) -> None:
    kept(database, citation(), citation(FIRST_PMID + 1))
    kept(database, citation(title=InlineXml("Revised wording.")))
    assert search(database, "title", "killer") == [FIRST_PMID + 1]
    assert search(database, "title", "revised wording") == [FIRST_PMID]
    with database.write() as session:
        session.execute(text("UPDATE citation SET title = 'By hand' WHERE pmid = :pmid"), {"pmid": FIRST_PMID})
    assert search(database, "title", "by hand") == [FIRST_PMID]
    with database.write() as session:
        for table in ("citation_version", "citation_check", "citation"):
            session.execute(text(f"DELETE FROM {table} WHERE pmid = :pmid"), {"pmid": FIRST_PMID})
    assert search(database, "title", "by hand") == []
    with database.write() as session:
        assert soundness.problems(session) == []


def test_an_index_out_of_step_is_noticed_and_rebuilt(sqlite_database: Database) -> None:
    kept(sqlite_database, citation())
    with sqlite_database.write() as session:
        session.execute(text("DROP TRIGGER citation_fts_update"))
        session.execute(text("UPDATE citation SET title = 'Behind its back'"))
    with sqlite_database.write() as session, pytest.raises(DatabaseDamaged, match="search index"):
        fulltext.check(session)
    with sqlite_database.write() as session:
        assert "search index" in soundness.problems(session)[0]
        fulltext.rebuild(session)
        assert soundness.problems(session) == []
    assert search(sqlite_database, "title", "behind its back") == [FIRST_PMID]


def test_rebuilding_changes_nothing_that_was_right(database: Database) -> None:
    kept(database, RICH)
    with database.write() as session:
        fulltext.rebuild(session)
    assert search(database, "title", "PD-1") == [FIRST_PMID]


def test_a_text_beyond_any_record_is_kept_all_the_same(database: Database) -> None:
    """A tsvector holds a megabyte at most; the record is stored whole, and its beginning is found."""
    long = " ".join(f"w{n:06x}" for n in range(300_000))
    kept(database, citation(abstract=long))
    assert search(database, "abstract", "w000001") == [FIRST_PMID]


def test_a_lost_reference_is_noticed(sqlite_database: Database) -> None:
    with sqlite_database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute("PRAGMA foreign_keys=OFF")
        driver.execute("INSERT INTO citation_check (pmid, fetched_at, due_at, misses) VALUES (1, '', '', 0)")
        driver.execute("PRAGMA foreign_keys=ON")
    with sqlite_database.read() as session:
        assert "citation_check" in soundness.file_problems(session)[0]
