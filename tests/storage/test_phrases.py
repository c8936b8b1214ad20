"""What PubMed said of phrases: kept by phrase and field, the newest word standing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.phrases import answers
from monitor.storage import phrases
from monitor.storage.engine import Database

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)


def test_the_newest_answer_stands(database: Database) -> None:
    with database.write() as session:
        phrases.note(session, {("car-ink", "tiab"): False, ("nk cell", "ti"): True}, NOW)
        phrases.note(session, {}, NOW)
    with database.write() as session:
        phrases.note(session, {("car-ink", "tiab"): True}, NOW + timedelta(hours=1))
        phrases.note(session, {("car-ink", "tiab"): False}, NOW - timedelta(hours=1))
    with database.read() as session:
        asked = [("car-ink", "tiab"), ("nk cell", "ti"), ("nk cell", "tiab"), ("never", "all")]
        assert phrases.known(session, asked) == {("car-ink", "tiab"): True, ("nk cell", "ti"): True}
        assert phrases.known(session, []) == {}


def test_more_phrases_than_a_statement_takes(database: Database) -> None:
    many = {(f"phrase {number}", "tiab"): bool(number % 2) for number in range(1200)}
    with database.write() as session:
        phrases.note(session, many, NOW)
    with database.read() as session:
        assert phrases.known(session, many) == many


@given(st.text(max_size=40), st.lists(st.text(max_size=40), max_size=3))
def test_any_answer_of_pubmed_is_understood(query: str, unknown: list[str]) -> None:
    found = answers(query, unknown)
    assert all(phrase and phrase == phrase.lower() for phrase, _ in found)
    assert all(not found[key] for key in found if key not in answers(query, ()))
