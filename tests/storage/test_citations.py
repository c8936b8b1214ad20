"""Keeping citations on both databases: new, revised, unchanged, versions, links, and what PubMed took back."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select, text
from sqlalchemy.orm import Session

from monitor.core.citation import Citation, Correction, InlineXml, PublicationType
from monitor.core.revision import Change
from monitor.errors import DatabaseDamaged
from monitor.storage import checks, citations, codec, fulltext, indexing
from monitor.storage.citations import KeepReport, keep
from monitor.storage.engine import Database
from monitor.storage.tables import CheckRow, CitationRow, VersionRow
from tests import factories
from tests.factories import FIRST_PMID, citation

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)


def kept(database: Database, *found: Citation, now: datetime = NOW, provisional: bool = False) -> KeepReport:
    with database.write() as session:
        return keep(session, found, now, provisional=provisional)


def changes(database: Database, pmid: int = FIRST_PMID) -> list[tuple[Change, ...]]:
    with database.read() as session:
        return [each.changes for each in citations.versions(session, pmid)]


def standing(database: Database, pmid: int = FIRST_PMID) -> citations.Held:
    with database.read() as session:
        return citations.held(session, [pmid])[pmid]


def check_row(database: Database, pmid: int = FIRST_PMID) -> CheckRow:
    with database.read() as session:
        row = session.get(CheckRow, pmid)
        assert row is not None
        return row


def load_version(session: Session, pmid: int, hash: bytes) -> Citation | None:
    """The citation as it was when it had this hash: every version seen can be read back."""
    for place in (CitationRow, VersionRow):
        found = session.execute(
            select(place.codec, place.doc).where(place.pmid == pmid, place.hash == hash, place.doc.is_not(None))
        ).all()
        assert len(found) <= 1, "one document a version"
        for number, doc in found:
            assert number is not None
            assert doc is not None
            return codec.decode(number, doc)
    return None


def retracted(each: Citation) -> Citation:
    return dataclasses.replace(
        each,
        publication_types=(*each.publication_types, PublicationType("D016441", "Retracted Publication")),
        corrections=(Correction("RetractionIn", "Invented J. 2026 Jan;1(1):1", None),),
    )


def test_a_new_citation_comes_back_whole(database: Database) -> None:
    report = kept(database, citation(pmcid="PMC9000001"))
    assert (report.new, report.revised, report.unchanged) == ([FIRST_PMID], {}, [])
    with database.read() as session:
        assert citations.load(session, [FIRST_PMID]) == {FIRST_PMID: citation(pmcid="PMC9000001")}
        row = session.get(CitationRow, FIRST_PMID)
        assert row is not None
        assert (row.doi, row.pmcid, row.year, row.retracted) == (
            f"10.99999/invented.{FIRST_PMID}",
            "PMC9000001",
            2024,
            False,
        )
        assert (row.added_at, row.changed_at) == (NOW, NOW)
        assert row.hash == codec.digest(codec.encode(citation(pmcid="PMC9000001")))
    assert changes(database) == [()]


def test_an_unchanged_citation_only_moves_its_check(database: Database) -> None:
    kept(database, citation())
    report = kept(database, citation(), now=NOW + DAY)
    assert (report.new, report.revised, report.unchanged) == ([], {}, [FIRST_PMID])
    assert changes(database) == [()]
    assert standing(database).changed_at == NOW
    assert standing(database).fetched_at == NOW + DAY


def test_unchanged_citations_are_told_by_their_hash_without_reading_a_document(database: Database) -> None:
    kept(database, *(citation(FIRST_PMID + n) for n in range(20)))
    with database.write() as session:
        statements: list[str] = []
        event.listen(session.connection(), "before_cursor_execute", lambda *given: statements.append(given[2]))
        keep(session, [citation(FIRST_PMID + n) for n in range(20)], NOW + DAY)
    assert not [each for each in statements if "doc" in each]
    assert len(statements) <= 4


def test_bulk_paths_use_a_fixed_number_of_statements_and_no_orm_objects(database: Database) -> None:
    counts = []
    kept(database, citation())
    for size in (5, 400):
        with database.write() as session:
            statements: list[str] = []
            event.listen(session.connection(), "before_cursor_execute", lambda *given, s=statements: s.append(given[2]))
            event.listen(session, "loaded_as_persistent", lambda *_: pytest.fail("an ORM object was loaded"))
            start = FIRST_PMID + size * 1000
            keep(session, [citation(start + n) for n in range(size)], NOW)
            keep(session, [citation(start + n, title=InlineXml("Invented anew.")) for n in range(size)], NOW)
            counts.append(len(statements))
            assert len(session.identity_map) == 0
    assert counts[0] == counts[1]


def test_a_revised_citation_keeps_the_version_before(database: Database) -> None:
    first, second = citation(), citation(abstract="Invented cells did not kill.")
    kept(database, first)
    report = kept(database, second, now=NOW + DAY)
    assert set(report.revised) == {FIRST_PMID}
    assert report.revised[FIRST_PMID]
    with database.read() as session:
        assert citations.load(session, [FIRST_PMID]) == {FIRST_PMID: second}
        before, after = citations.versions(session, FIRST_PMID)
        assert before.changes == ()
        assert after.changes == report.revised[FIRST_PMID]
        assert (before.seen_at, after.seen_at) == (NOW, NOW + DAY)
        assert load_version(session, FIRST_PMID, before.hash) == first
        assert load_version(session, FIRST_PMID, after.hash) == second
        assert load_version(session, FIRST_PMID, b"\0" * 16) is None
        docs = session.scalars(select(VersionRow.doc).order_by(VersionRow.id)).all()
        assert docs[0] is not None
        assert docs[1] is None
    assert (standing(database).added_at, standing(database).changed_at) == (NOW, NOW + DAY)


def test_a_citation_that_goes_back_to_an_earlier_text_is_a_version_again(database: Database) -> None:
    first, second = citation(), citation(title=InlineXml("Invented anew."))
    for n, each in enumerate((first, second, first, second, first)):
        kept(database, each, now=NOW + n * DAY)
    with database.read() as session:
        seen = citations.versions(session, FIRST_PMID)
        assert len(seen) == 5
        assert [load_version(session, FIRST_PMID, each.hash) for each in seen] == [first, second] * 2 + [first]
        assert session.scalar(select(func.count()).where(VersionRow.doc.is_not(None))) == 2


def test_a_lower_version_never_replaces_a_higher_one(database: Database) -> None:
    higher, lower = citation(version=2), citation(version=1, title=InlineXml("Invented first version."))
    kept(database, higher)
    report = kept(database, lower, now=NOW + DAY)
    assert (report.older, report.revised) == ([FIRST_PMID], {})
    assert kept(database, lower, now=NOW + DAY).older == [FIRST_PMID]
    with database.read() as session:
        assert citations.load(session, [FIRST_PMID])[FIRST_PMID] == higher
        one, two = citations.versions(session, FIRST_PMID)
        assert (one.version, two.version) == (2, 1)
        assert load_version(session, FIRST_PMID, two.hash) == lower


def test_a_higher_version_replaces_whole(database: Database) -> None:
    kept(database, citation())
    kept(database, citation(version=2, abstract=None), now=NOW + DAY)
    assert standing(database).version == 2
    with database.read() as session:
        assert citations.load(session, [FIRST_PMID])[FIRST_PMID].abstract is None


def test_one_batch_may_hold_a_citation_several_times(database: Database) -> None:
    texts = [citation(version=v, title=InlineXml(t)) for v, t in ((2, "B."), (1, "A."), (2, "C."))]
    report = kept(database, *texts, citation(FIRST_PMID + 1))
    assert sorted(report.new) == [FIRST_PMID, FIRST_PMID + 1]
    assert report.revised == {}
    with database.read() as session:
        assert citations.load(session, [FIRST_PMID])[FIRST_PMID].title == "C."
        seen = citations.versions(session, FIRST_PMID)
        assert [each.version for each in seen] == [1, 2, 2]
        assert [load_version(session, FIRST_PMID, each.hash).title for each in seen] == ["A.", "B.", "C."]  # type: ignore[union-attr]


def test_batches_of_any_size_are_kept(database: Database) -> None:
    many = [citation(FIRST_PMID + n, title=InlineXml(f"Invented {n}.")) for n in range(1203)]
    assert len(kept(database, *many).new) == 1203
    assert kept(database).new == []
    revised = kept(database, *(dataclasses.replace(each, status="MEDLINE") for each in many), now=NOW + DAY)
    assert len(revised.revised) == 1203
    with database.read() as session:
        assert [each.pmid for each in citations.everything(session)] == [FIRST_PMID + n for n in reversed(range(1203))]
        wanted = [FIRST_PMID + n for n in (1100, 3, 700, 3)]
        assert list(citations.load(session, wanted)) == [FIRST_PMID + n for n in (1100, 3, 700)]
        assert citations.totals(session) == citations.Totals(1203, 0, 0, 0, 2406)


def test_nothing_is_kept_when_the_transaction_fails(database: Database) -> None:
    def keep_and_fail() -> None:
        with database.write() as session:
            keep(session, [citation()], NOW)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        keep_and_fail()
    with database.read() as session:
        assert citations.totals(session) == citations.Totals(0, 0, 0, 0, 0)


# Provisional ----------------------------------------------------------------------------------------------------


def test_a_provisional_citation_waits_and_is_replaced_whole(database: Database) -> None:
    named = citation(abstract=None, title=InlineXml("Invented, from a file."))
    assert kept(database, named, provisional=True).new == [FIRST_PMID]
    with database.read() as session:
        assert citations.totals(session).provisional == 1
        assert checks.due(session, NOW, 10) == [FIRST_PMID]
        assert citations.known(session, [FIRST_PMID]) == set()
        assert citations.known(session, [FIRST_PMID], fetched=False) == {FIRST_PMID}
        assert citations.versions(session, FIRST_PMID) == []
    report = kept(database, retracted(citation()), now=NOW + DAY)
    assert (report.new, report.revised) == ([FIRST_PMID], {})
    assert changes(database) == [()]
    with database.read() as session:
        assert citations.totals(session).provisional == 0
        assert citations.load(session, [FIRST_PMID])[FIRST_PMID] == retracted(citation())
        assert checks.due(session, NOW + DAY, 10) == []
        assert [each.kind for each in citations.relations(session, [FIRST_PMID])] == ["RetractionIn"]


def test_a_provisional_citation_never_touches_a_fetched_one(database: Database) -> None:
    kept(database, citation())
    report = kept(database, citation(title=InlineXml("From a file.")), now=NOW + DAY, provisional=True)
    assert report.unchanged == [FIRST_PMID]
    assert standing(database).fetched_at == NOW
    with database.read() as session:
        assert citations.load(session, [FIRST_PMID])[FIRST_PMID] == citation()


def test_a_later_file_replaces_an_earlier_provisional_citation(database: Database) -> None:
    kept(database, citation(), provisional=True)
    kept(database, citation(title=InlineXml("Better.")), provisional=True)
    with database.read() as session:
        assert citations.load(session, [FIRST_PMID])[FIRST_PMID].title == "Better."
        assert citations.versions(session, FIRST_PMID) == []


LONG = "".join(chr(0x4E00 + at * 7919 % 20_000) for at in range(4_000))
"""Nothing that compresses to what PostgreSQL would put into an index entry."""


def test_a_doi_and_a_source_of_any_length_are_kept_and_cost_the_batch_nothing(database: Database) -> None:
    odd = citation(doi=f"10.99999/{LONG}", corrections=(Correction("ErratumIn", LONG, 90000777),))
    assert kept(database, odd, citation(FIRST_PMID + 1)).new == [FIRST_PMID, FIRST_PMID + 1]
    plain = dataclasses.replace(odd, corrections=())
    assert kept(database, plain, now=NOW + DAY).revised
    with database.read() as session:
        assert citations.load(session, [FIRST_PMID])[FIRST_PMID] == plain
        assert [(each.source, each.ended_at) for each in citations.relations(session, [FIRST_PMID])] == [
            (LONG, NOW + DAY)
        ]


# Links ----------------------------------------------------------------------------------------------------------


def linked(*links: Correction) -> Citation:
    return citation(corrections=links)


def standing_links(database: Database) -> list[tuple[str, int | None, str, bool]]:
    with database.read() as session:
        found = citations.relations(session, [FIRST_PMID])
        return sorted(((r.kind, r.other_pmid, r.source, r.ended_at is None) for r in found), key=str)


def test_links_are_kept_end_and_return(database: Database) -> None:
    erratum = Correction("ErratumIn", "Invented J. 2026;1:1", 90000777)
    concern = Correction("ExpressionOfConcernIn", "Invented J. 2026;2:2")
    kept(database, linked(erratum, erratum, concern, Correction("Cites", "Another.", 90000778)))
    assert standing_links(database) == [
        ("ErratumIn", 90000777, "Invented J. 2026;1:1", True),
        ("ExpressionOfConcernIn", None, "Invented J. 2026;2:2", True),
    ]
    kept(database, linked(erratum), now=NOW + DAY)
    assert standing_links(database)[1] == ("ExpressionOfConcernIn", None, "Invented J. 2026;2:2", False)
    kept(database, linked(concern, erratum), now=NOW + 2 * DAY)
    with database.read() as session:
        assert [r.pmid for r in citations.relations(session, [90000777])] == [FIRST_PMID]


def test_a_link_that_ended_and_came_back_keeps_its_gap(database: Database) -> None:
    notice = Correction("RetractionIn", "Invented J. 2026;2:2", 90000777)
    for day in range(5):
        kept(database, linked(notice) if day % 2 == 0 else linked(), now=NOW + day * DAY)
    with database.read() as session:
        found = citations.relations(session, [FIRST_PMID])
    assert [(each.seen_at, each.ended_at) for each in found] == [
        (NOW, NOW + DAY),
        (NOW + 2 * DAY, NOW + 3 * DAY),
        (NOW + 4 * DAY, None),
    ]


def test_two_links_without_pmid_and_source_are_one(database: Database) -> None:
    kept(database, linked(Correction("CommentIn"), Correction("CommentIn")))
    kept(database, linked(), now=NOW + DAY)
    kept(database, linked(Correction("CommentIn")), now=NOW + 2 * DAY)
    assert standing_links(database) == [("CommentIn", None, "", False), ("CommentIn", None, "", True)]


def test_retraction_and_concern_show_in_the_columns(database: Database) -> None:
    kept(
        database,
        retracted(citation()),
        linked(Correction("ExpressionOfConcernIn", "x")).__class__(
            pmid=5, corrections=(Correction("ExpressionOfConcernIn", "x"),)
        ),
    )
    assert standing(database).retracted
    assert standing(database, 5).concern
    with database.read() as session:
        assert citations.totals(session).retracted == 1


# Checks ---------------------------------------------------------------------------------------------------------


def test_what_is_due_is_asked_for_again_longest_first(database: Database) -> None:
    kept(database, *(citation(FIRST_PMID + n) for n in range(3)))
    with database.write() as session:
        checks.expect_by(session, [FIRST_PMID + 2], NOW + DAY)
        checks.expect_by(session, [FIRST_PMID], NOW + 2 * DAY)
        checks.expect_by(session, [FIRST_PMID], NOW + 3000 * DAY)
        assert checks.due(session, NOW, 10) == []
        assert checks.due(session, NOW + 2 * DAY, 10) == [FIRST_PMID + 2, FIRST_PMID]
        assert checks.due(session, NOW + 2 * DAY, 1) == [FIRST_PMID + 2]
        assert len(checks.due(session, NOW + 4000 * DAY, 10)) == 3


def test_withdrawn_needs_two_confirmations_a_day_apart(database: Database) -> None:
    kept(database, citation())
    with database.write() as session:
        assert checks.miss(session, [FIRST_PMID, 12345], NOW) == []
        assert checks.due(session, NOW + DAY, 5) == [FIRST_PMID]
        assert checks.miss(session, [FIRST_PMID], NOW + timedelta(hours=23)) == []
    assert check_row(database).misses == 1
    with database.write() as session:
        assert checks.miss(session, [FIRST_PMID, FIRST_PMID], NOW + DAY) == [FIRST_PMID]
    assert standing(database).withdrawn_at == NOW + DAY
    assert changes(database) == [(), (Change.WITHDRAWN,)]
    with database.write() as session:
        assert checks.miss(session, [FIRST_PMID], NOW + 90 * DAY) == []
        assert citations.load(session, [FIRST_PMID]) == {FIRST_PMID: citation()}
        assert citations.totals(session).withdrawn == 1
    assert len(changes(database)) == 2


def test_a_fetch_between_two_misses_starts_the_count_anew(database: Database) -> None:
    kept(database, citation())
    with database.write() as session:
        checks.miss(session, [FIRST_PMID], NOW)
    kept(database, citation(), now=NOW + DAY)
    with database.write() as session:
        assert checks.miss(session, [FIRST_PMID], NOW + 2 * DAY) == []


def test_a_withdrawn_citation_that_returns_is_restored(database: Database) -> None:
    kept(database, citation())
    with database.write() as session:
        checks.withdraw(session, [FIRST_PMID], NOW)
        checks.withdraw(session, [FIRST_PMID], NOW + DAY)
    report = kept(database, citation(), now=NOW + 2 * DAY)
    assert report.revised == {FIRST_PMID: (Change.RESTORED,)}
    assert standing(database).withdrawn_at is None
    with database.write() as session:
        checks.withdraw(session, [FIRST_PMID], NOW + 3 * DAY)
    report = kept(database, citation(abstract="Invented, once more."), now=NOW + 4 * DAY)
    assert report.revised[FIRST_PMID][0] == Change.RESTORED
    assert len(report.revised[FIRST_PMID]) > 1
    with database.read() as session:
        for each in citations.versions(session, FIRST_PMID):
            assert load_version(session, FIRST_PMID, each.hash) is not None


# Any history ----------------------------------------------------------------------------------------------------

_states = st.lists(
    st.tuples(st.integers(0, 3), st.integers(1, 2), st.integers(0, 2), st.booleans()), min_size=1, max_size=25
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=_states, cuts=st.sets(st.integers(0, 24)))
def test_however_a_history_is_cut_into_batches_the_store_says_the_same(
    sqlite_database: Database, history: list[tuple[int, int, int, bool]], cuts: set[int]
) -> None:
    """Whatever comes in whatever batches: the highest Version shows, every text seen can be read, links stand as in it."""
    database = sqlite_database
    with database.write() as session:
        fulltext.clear(session)
        for table in ("relation", "citation_check", "citation_version", "citation_index", "citation"):
            session.execute(text(f"DELETE FROM {table}"))
    link = Correction("ErratumIn", "Invented J.")
    seen: dict[int, list[Citation]] = {}
    batch: list[Citation] = []
    for at, (which, version, title, erratum) in enumerate(history):
        each = citation(
            FIRST_PMID + which, version=version, title=InlineXml(f"Title {title}."), corrections=(link,) * erratum
        )
        batch.append(each)
        if at in cuts or at == len(history) - 1:
            # Within one batch, lower Versions count first.
            for one in sorted(batch, key=lambda one: one.version):
                seen.setdefault(one.pmid, []).append(one)
            kept(database, *batch, now=NOW + at * DAY)
            batch = []
    with database.write() as session:
        indexing.check(session)
        for pmid, all_seen in seen.items():
            shown = citations.load(session, [pmid])[pmid]
            highest = max(one.version for one in all_seen)
            assert shown == [one for one in all_seen if one.version == highest][-1]
            for one in all_seen:
                assert load_version(session, pmid, codec.digest(codec.encode(one))) == one
            standing = [r for r in citations.relations(session, [pmid]) if r.ended_at is None]
            assert len(standing) == len(shown.corrections)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(each=factories.citations())
def test_any_citation_is_kept_and_read_back(sqlite_database: Database, each: Citation) -> None:
    with sqlite_database.write() as session:
        keep(session, [each], NOW)
        if citations.held(session, [each.pmid])[each.pmid].version == each.version:
            assert load_version(session, each.pmid, codec.digest(codec.encode(each))) == each


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch=st.lists(factories.citations(), max_size=4))
def test_any_citations_are_kept_on_postgresql(postgres_database: Database, batch: list[Citation]) -> None:
    with postgres_database.write() as session:
        keep(session, batch, NOW)
        for each in batch:
            assert load_version(session, each.pmid, codec.digest(codec.encode(each))) == each


def test_a_damaged_document_is_told_as_damage(database: Database) -> None:
    kept(database, citation())
    with database.write() as session:
        session.execute(text("UPDATE citation SET doc = :doc"), {"doc": b"nonsense"})
    with database.read() as session, pytest.raises(DatabaseDamaged, match="damaged"):
        citations.load(session, [FIRST_PMID])
