"""Which record can be seen when."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.errors import UsageError
from monitor.pubmed.sandbox import Corpus, Sandbox
from monitor.pubmed.sandbox.corpus import create_date, split
from tests.shared import SHARED, needs_shared
from tests.unit.sandbox.records import ask, book, record

A, B, C = 90000001, 90000002, 90000003


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def seen(corpus: Corpus, moment: str) -> list[int]:
    return corpus.view(at(moment)).newest


def wrapped(*parts: bytes, before: bytes = b"") -> bytes:
    return b'<?xml version="1.0"?>' + before + b"<PubmedArticleSet>" + b"\n".join(parts) + b"</PubmedArticleSet>"


def pi(**times: str) -> bytes:
    return ("<?sandbox " + " ".join(f'{name}="{value}"' for name, value in times.items()) + "?>").encode()


def test_plain_files_are_there_from_the_beginning() -> None:
    corpus = Corpus.of(wrapped(record(A), book(B)))
    assert sorted(seen(corpus, "1950-01-01")) == [A, B]


def test_an_instruction_holds_for_the_next_record_only() -> None:
    corpus = Corpus.of(wrapped(pi(visible="2026-09-14", gone="2026-11-02"), record(A), record(B)))
    assert seen(corpus, "2026-09-13T23:59") == [B]
    assert seen(corpus, "2026-09-14") == [B, A]
    assert seen(corpus, "2026-11-02") == [B]


def test_an_instruction_before_the_root_holds_for_the_file() -> None:
    corpus = Corpus.of(wrapped(record(A), pi(visible="2026-09-21"), record(B), before=pi(visible="2026-09-14")))
    assert seen(corpus, "2026-09-13") == []
    assert seen(corpus, "2026-09-14") == [A]
    assert seen(corpus, "2026-09-21") == [B, A]


def test_a_later_state_replaces_an_earlier_one() -> None:
    corpus = Corpus.of(
        wrapped(record(A, title="First.")), wrapped(pi(visible="2026-10-05T14:30:00Z"), record(A, title="Retracted."))
    )
    assert b"First." in (corpus.view(at("2026-10-05T14:29:59")).raw(A) or b"")
    assert b"Retracted." in (corpus.view(at("2026-10-05T14:30")).raw(A) or b"")
    assert len(corpus.view(at("2026-10-06")).states) == 1


def test_order_in_the_files_does_not_matter_only_time() -> None:
    corpus = Corpus.of(
        wrapped(pi(visible="2026-02-01"), record(A, "Later."), pi(visible="2026-01-01"), record(A, "Earlier."))
    )
    assert b"Earlier." in (corpus.view(at("2026-01-15")).raw(A) or b"")
    assert b"Later." in (corpus.view(at("2026-02-15")).raw(A) or b"")


def test_of_one_moment_the_later_in_the_files_stands() -> None:
    corpus = Corpus.of(wrapped(record(A, "One."), record(A, "Two.")))
    assert b"Two." in (corpus.view(at("2026-01-15")).raw(A) or b"")


def test_the_highest_version_is_shown() -> None:
    corpus = Corpus.of(wrapped(pi(visible="2026-02-01"), record(A, "Second.", version=2), record(A, "First.")))
    assert b"First." in (corpus.view(at("2026-01-15")).raw(A) or b"")
    assert b"Second." in (corpus.view(at("2026-02-15")).raw(A) or b"")


def test_when_a_version_goes_the_one_below_is_shown() -> None:
    corpus = Corpus.of(wrapped(pi(gone="2026-02-01"), record(A, "Second.", version=2), record(A, "First.")))
    assert b"First." in (corpus.view(at("2026-02-15")).raw(A) or b"")


def test_delete_citation_removes_and_a_later_state_brings_back() -> None:
    delete = b'<DeleteCitation><PMID Version="1">90000001</PMID><PMID>90000002</PMID></DeleteCitation>'
    corpus = Corpus.of(
        wrapped(record(A), record(A, version=2), record(B), pi(visible="2026-03-01"), delete),
        wrapped(pi(visible="2026-04-01"), record(A, "Back.")),
    )
    assert seen(corpus, "2026-02-01") == [B, A]
    assert seen(corpus, "2026-03-01") == []
    assert seen(corpus, "2026-04-01") == [A]


def test_records_can_be_added_and_removed_while_served() -> None:
    corpus = Corpus()
    assert seen(corpus, "2026-01-01") == []
    corpus.add(record(A))
    assert seen(corpus, "2026-01-01") == [A]
    corpus.remove(A, at=at("2026-02-01"))
    assert seen(corpus, "2026-01-31") == [A]
    assert seen(corpus, "2026-02-01") == []


def test_by_create_date_records_appear_at_their_crdt_in_us_eastern() -> None:
    corpus = Corpus.of(wrapped(record(A, crdt="2024/01/16 03:12")), by_create_date=True)
    assert seen(corpus, "2024-01-16T08:11") == []
    assert seen(corpus, "2024-01-16T08:12") == [A]


@pytest.mark.parametrize("crdt", [None, "2024/02/31", "2024"])
def test_without_a_usable_create_date_a_record_is_always_there(crdt: str | None) -> None:
    assert seen(Corpus.of(wrapped(record(A, crdt=crdt)), by_create_date=True), "1950-01-01") == [A]


def test_create_date_is_of_the_history_alone() -> None:
    assert create_date(record(A, crdt="2024/06/01 12:00", edat="2020/01/01")) == at("2024-06-01T16:00")


def test_newest_first_by_create_date_then_pmid() -> None:
    corpus = Corpus.of(
        wrapped(record(A, crdt="2024/06/01"), record(C, crdt="2024/01/01"), record(B, crdt="2024/01/01"))
    )
    assert seen(corpus, "2026-01-01") == [A, C, B]


def test_bytes_are_served_as_they_came() -> None:
    odd = record(A).replace(
        b"Invented words.", "caf\u00e9 &amp; <i>x</i> &#x1d4b3;<!-- </PubmedArticle> --> \r\n".encode()
    )
    corpus = Corpus.of(wrapped(b"<!-- <PubmedArticle> -->", odd, record(B)))
    assert corpus.view(at("2026-01-01")).raw(A) == odd


def test_a_cdata_section_may_hold_a_closing_tag() -> None:
    odd = record(A).replace(b"Invented words.", b"<![CDATA[</PubmedArticle>]]>")
    assert [each.raw for each in split(wrapped(odd, record(B)))] == [odd, record(B)]


def test_namespaces_of_the_root_are_served_again() -> None:
    raw = record(A).replace(b"Invented words.", b"<mml:math/>")
    document = wrapped(raw).replace(
        b"<PubmedArticleSet>", b'<PubmedArticleSet xmlns:mml="http://www.w3.org/1998/Math/MathML">'
    )
    with Sandbox(Corpus.of(document)) as sandbox:
        assert ask(sandbox, "efetch", id=A).fetched == [A]


def test_one_prefix_means_one_thing() -> None:
    roots = [
        wrapped(record(A)).replace(b"<PubmedArticleSet>", f"<PubmedArticleSet xmlns:m='urn:{n}'>".encode())
        for n in (1, 2)
    ]
    assert Corpus.of(roots[0], roots[0]).namespaces == {b"xmlns:m": b"xmlns:m='urn:1'"}
    with pytest.raises(UsageError, match="xmlns:m means something else"):
        Corpus.of(*roots)


def test_an_empty_element_does_not_swallow_the_next_record() -> None:
    assert [each.element for each in split(wrapped(b"<DeleteCitation/>", record(A)))] == [
        "DeleteCitation",
        "PubmedArticle",
    ]


def test_only_a_few_moments_are_kept_ready() -> None:
    corpus = Corpus.of(*(wrapped(pi(visible=f"2026-01-{n:02}"), record(A + n)) for n in range(1, 29)))
    for _ in (1, 2):
        assert [len(seen(corpus, f"2026-01-{n:02}")) for n in range(1, 29)] == list(range(1, 29))
    assert len(corpus._views) == 8


def test_single_records_and_gzip_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "one.xml").write_bytes(record(A))
    (tmp_path / "set.xml.gz").write_bytes(gzip.compress(wrapped(record(B))))
    assert seen(Corpus.read(tmp_path / "one.xml", tmp_path / "set.xml.gz"), "2026-01-01") == [B, A]


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (b"<html/>", "not PubMed XML"),
        (b"", "not well-formed"),
        (wrapped(record(A)) + b"<", "not well-formed"),
        (wrapped(b"<PubmedArticle/>"), "without PMID"),
        (wrapped(b'<?sandbox visible="soon"?>', record(A)), "'soon' is neither"),
        (wrapped(b'<?sandbox vanish="2026-01-01"?>', record(A)), "not vanish"),
        (wrapped(b"<?sandbox?>", record(A)), "neither visible nor gone"),
        (wrapped(pi(visible="2026-02-01", gone="2026-02-01"), record(A)), "gone before it is visible"),
        (wrapped(record(A).replace(b"<Article ", pi(gone="2026-01-01") + b"<Article ")), "inside a record"),
    ],
)
def test_what_cannot_be_a_corpus_is_refused_with_the_file(document: bytes, why: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.xml"
    path.write_bytes(document)
    with pytest.raises(UsageError, match=f"(?s)bad.xml.*{why}"):
        Corpus.read(path)


def test_missing_and_damaged_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "cut.gz").write_bytes(gzip.compress(wrapped(record(A)))[:-20])
    for name in ("none.xml", "cut.gz"):
        with pytest.raises(UsageError, match=name):
            Corpus.read(tmp_path / name)


@needs_shared
def test_real_files_are_split_whole() -> None:
    path = SHARED / "pubmed" / "misc-fixture-records.xml.gz"
    document = gzip.decompress(path.read_bytes())
    pieces = list(split(document))
    assert len(pieces) == 701
    assert sum(document.count(each.raw) for each in pieces) == 701
    rest = document
    for each in pieces:
        rest = rest.replace(each.raw, b"", 1)
    assert b"<PMID" not in rest
