"""Imported files: NLM's deletions are a question to PubMed, and a file seen again costs little and changes nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from monitor.core.citation import Citation, PartialDate
from monitor.services.importing import Importing, ImportReport
from monitor.storage import checks, citations
from monitor.storage.engine import Database
from monitor.storage.tables import CheckRow, CitationRow

FIRST = 90_000_001
START = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


class Clock:
    at = START

    def now(self) -> datetime:
        return self.at


def xml(pmid: int, *, title: str = "Invented.", revised: int = 10, version: int = 1) -> str:
    return (
        f'<PubmedArticle><MedlineCitation Status="MEDLINE" Owner="NLM"><PMID Version="{version}">{pmid}</PMID>'
        f"<DateRevised><Year>2024</Year><Month>03</Month><Day>{revised}</Day></DateRevised>"
        '<Article PubModel="Print"><Journal><JournalIssue CitedMedium="Internet"><PubDate><Year>2024</Year></PubDate>'
        "</JournalIssue><Title>Invented J Cell Ther</Title></Journal>"
        f"<ArticleTitle>{title}</ArticleTitle><Language>eng</Language></Article>"
        "</MedlineCitation></PubmedArticle>"
    )


def deletion(pmid: int, version: int = 1) -> str:
    return f'<DeleteCitation><PMID Version="{version}">{pmid}</PMID></DeleteCitation>'


class Files:
    """A library that takes in files whenever the clock says."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.clock = Clock()
        self._file = folder / "invented.xml"

    def take(self, *elements: str) -> ImportReport:
        self._file.write_text(f"<PubmedArticleSet>{''.join(elements)}</PubmedArticleSet>", encoding="utf-8")
        return Importing(self.database, None, self.clock).run([self._file])

    def check(self, pmid: int = FIRST) -> CheckRow:
        with self.database.read() as session:
            row = session.get(CheckRow, pmid)
            assert row is not None
            return row

    def missed_by_pubmed(self, pmid: int = FIRST) -> list[int]:
        with self.database.write() as session:
            return checks.miss(session, [pmid], self.clock.at)


@pytest.fixture
def files(database: Database, tmp_path: Path) -> Files:
    return Files(database, tmp_path)


def test_a_deletion_file_imported_again_and_again_withdraws_nothing_without_pubmed(files: Files) -> None:
    files.take(xml(FIRST), xml(FIRST + 1))
    for _ in range(4):
        assert files.take(deletion(FIRST), deletion(FIRST)).deleted == 1
        assert (files.check().misses, files.check().withdrawn_at) == (1, None)
        with files.database.read() as session:
            assert checks.due(session, files.clock.at, 10) == [FIRST], "PubMed is asked at once"
            assert len(citations.versions(session, FIRST)) == 1
        files.clock.at += timedelta(days=2)
    assert files.missed_by_pubmed() == [FIRST]
    assert files.check().withdrawn_at == files.clock.at
    assert files.take(deletion(FIRST)).deleted == 1


def test_after_a_miss_by_pubmed_a_file_adds_no_second(files: Files) -> None:
    files.take(xml(FIRST))
    files.missed_by_pubmed()
    due = files.check().due_at
    files.clock.at += timedelta(hours=1)
    files.take(deletion(FIRST))
    assert (files.check().misses, files.check().due_at, files.check().withdrawn_at) == (1, due, None)
    files.clock.at += timedelta(days=2)
    files.take(deletion(FIRST))
    assert (files.check().misses, files.check().withdrawn_at) == (1, None)
    assert files.missed_by_pubmed() == [FIRST]


@pytest.mark.parametrize(("held", "deleted"), [(1, 2), (2, 1)])
def test_the_deletion_of_another_version_says_nothing_about_the_one_held(files: Files, held: int, deleted: int) -> None:
    files.take(xml(FIRST, version=held))
    assert files.take(deletion(FIRST, deleted)).deleted == 0
    assert files.check().misses == 0
    assert files.take(deletion(FIRST, held), deletion(FIRST + 1)).deleted == 1
    assert files.check().misses == 1


def test_an_unchanged_file_is_told_by_hashes_without_reading_what_is_held(files: Files) -> None:
    """The documents held are damaged: whoever reads one fails."""
    records = [xml(FIRST + n) for n in range(3)]
    files.take(*records)
    with files.database.write() as session:
        session.execute(update(CitationRow).values(doc=b"damaged"))
    assert files.take(*records).unchanged == 3


def test_an_earlier_revision_in_a_file_leaves_no_trace(files: Files) -> None:
    files.take(xml(FIRST, title="Held.", revised=20))
    before = files.check().fetched_at
    files.clock.at += timedelta(days=1)
    report = files.take(xml(FIRST, title="Earlier.", revised=19))
    assert (report.older, report.unchanged, report.revised) == (1, 0, 0)
    assert files.check().fetched_at == before
    report = files.take(xml(FIRST, title="Earlier.", revised=19), xml(FIRST, title="Later.", revised=21))
    assert (report.older, report.revised) == (0, 1)
    with files.database.read() as session:
        assert citations.load(session, [FIRST])[FIRST].title == "Later."
        assert len(citations.versions(session, FIRST)) == 2


def test_a_record_named_only_by_a_list_is_replaced_by_a_file_of_any_age(files: Files) -> None:
    with files.database.write() as session:
        citations.keep(session, [Citation(pmid=FIRST, revised_on=PartialDate(2030))], START, provisional=True)
    assert files.take(xml(FIRST)).new == 1
