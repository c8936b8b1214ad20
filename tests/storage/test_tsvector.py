"""Vectors made here are those PostgreSQL would write, and say where they could not hold everything."""

from __future__ import annotations

import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from monitor.core.citation import Abstract, AbstractSection, InlineXml
from monitor.storage.bulk import raw_postgres
from monitor.storage.citations import keep
from monitor.storage.engine import Database
from monitor.storage.tsvector import LAST_PLACE, MOST_PLACES, tsvector
from tests.factories import FIRST_PMID, citation
from tests.storage.test_fulltext import NOW, found, kept, sound

LETTERS = "tbmrf"


def as_text(database: Database, *columns: str) -> str:
    """The vector as the server reads and shows it."""
    with database.write() as session:
        session.execute(text("CREATE TEMPORARY TABLE IF NOT EXISTS tried (v tsvector) ON COMMIT DROP"))
        with raw_postgres(session) as connection, connection.cursor() as cursor:
            with cursor.copy(b"COPY tried FROM STDIN (FORMAT BINARY)") as copy:
                copy.set_types(["bytea"])
                copy.write_row((tsvector(columns, LETTERS, "ø"),))
            return str(session.scalar(text("SELECT v\\:\\:text FROM tried")))


def test_places_count_in_each_column_and_over_boundaries(postgres_database: Database) -> None:
    shown = as_text(postgres_database, "a b ø b", "a", "", "β", "x y")
    assert shown == "'ba':1B 'fx' 'fy' 'rβ':1 'ta':1A 'tb':2A,4A"


def test_nothing_is_a_vector_too(postgres_database: Database) -> None:
    assert as_text(postgres_database, "", "", "", "", "") == ""


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(["a", "b", "ø", "β", "细", "abc", "word12"]), max_size=60))
def test_the_server_reads_what_was_written(postgres_database: Database, words: list[str]) -> None:
    shown = as_text(postgres_database, "", " ".join(words), "", "", "")
    read = {
        word: [int(at) for at in places.rstrip("B").split("B,")]
        for word, places in re.findall(r"'b(.+?)':(\S+)", shown)
    }
    assert read == {word: [at for at, each in enumerate(words, 1) if each == word] for word in set(words) - {"ø"}}


def test_too_many_places_are_told(postgres_database: Database) -> None:
    shown = as_text(postgres_database, "a " * (MOST_PLACES + 1), "b", "", "", "x")
    assert "'fcrowded'" in shown
    assert "'fcut'" not in shown
    assert f",{MOST_PLACES}A" in shown
    assert f",{MOST_PLACES + 1}A" not in shown
    assert "crowded" not in as_text(postgres_database, "a " * MOST_PLACES, "b", "", "", "x")


def test_places_beyond_the_last_are_told_and_the_word_stays(postgres_database: Database) -> None:
    shown = as_text(postgres_database, "", " ".join(f"w{n}" for n in range(LAST_PLACE + 1)), "", "", "x")
    assert "'fcrowded'" in shown
    assert f"'bw{LAST_PLACE - 1}':{LAST_PLACE}B" in shown
    assert re.search(f"'bw{LAST_PLACE}'( |$)", shown)


def test_a_word_too_long_is_told(postgres_database: Database) -> None:
    assert as_text(postgres_database, "a " + "é" * 1_500, "", "", "", "x") == "'fcut' 'fx' 'ta':1A"
    assert as_text(postgres_database, "a", "", "", "", "x " + "y" * 3_000) == "'fcut' 'fx' 'ta':1A"


def test_a_text_beyond_any_record_is_kept_all_the_same(database: Database) -> None:
    """A tsvector holds a megabyte at most: the record is stored whole, and its beginning is found."""
    long = InlineXml(" ".join(f"w{n:06x}" for n in range(200_000)))
    kept(database, citation(abstract=Abstract((AbstractSection(long),))))
    assert found(database, "body", "w000001") == [FIRST_PMID]
    marks = found(database, "facets", "cut", token=True), found(database, "facets", "crowded", token=True)
    assert marks == (([FIRST_PMID], [FIRST_PMID]) if database.dialect == "postgresql" else ([], []))
    kept(database, citation())
    assert found(database, "facets", "cut", token=True) == []
    sound(database)


def test_a_crowd_of_authors_is_no_crowd_of_words(postgres_database: Database) -> None:
    with postgres_database.write() as session:
        keep(session, [citation(authors=[f"Doe{n} J" for n in range(200)])], NOW)
    assert found(postgres_database, "facets", "crowded", token=True) == []
