"""Whole documents: what is not a set, what is cut off, what is hostile, and one bad record among good ones."""

from __future__ import annotations

import gzip
import random
import re
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.citation import Citation, Deleted
from monitor.errors import IncompleteResponse, MonitorError, RecordError
from monitor.pubmed import cutting
from monitor.pubmed.cutting import Cutter
from monitor.pubmed.parse import Found, open_records, read_records
from tests.benchmarks.corpus import invented_xml

PROLOG = (
    b'<?xml version="1.0" ?>\n<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2025//EN" '
    b'"https://dtd.nlm.nih.gov/ncbi/pubmed/out/pubmed_250101.dtd">\n'
)
HEAD, TAIL = PROLOG + b"<PubmedArticleSet>\n", b"</PubmedArticleSet>\n"


def record(pmid: int, title: str = "Invented.") -> bytes:
    return (
        f'<PubmedArticle><MedlineCitation Status="Publisher"><PMID Version="1">{pmid}</PMID><Article PubModel="Print">'
        f"<ArticleTitle>{title}</ArticleTitle></Article></MedlineCitation></PubmedArticle>\n"
    ).encode()


def read(data: bytes, size: int | None = None) -> list[Found]:
    return list(read_records([data] if size is None else (data[at : at + size] for at in range(0, len(data), size))))


def until_raised(source: Iterator[Found]) -> tuple[list[Found], str]:
    found: list[Found] = []
    with pytest.raises(IncompleteResponse) as caught:
        found.extend(source)
    return found, str(caught.value)


def pmids(found: list[Found]) -> list[int | None]:
    return [each.pmid for each in found]


# ---- sets of every kind


@pytest.mark.parametrize(
    "data", [HEAD + TAIL, PROLOG + b"<PubmedArticleSet/>", PROLOG + b"<PubmedArticleSet></PubmedArticleSet>"]
)
def test_an_empty_set_is_valid(data: bytes) -> None:
    assert read(data) == []


def test_a_lone_record_is_a_document() -> None:
    assert pmids(read(PROLOG + record(90000001))) == [90000001]
    assert pmids(read(b"\n" + record(90000001) + b"<!-- end -->")) == [90000001]


def test_a_lone_record_with_something_behind_it_is_not_whole() -> None:
    found, why = until_raised(read_records([record(90000001) + b"more"]))
    assert pmids(found) == [90000001]
    assert "follows the end" in why


def test_a_medline_citation_set() -> None:
    data = b"<MedlineCitationSet><MedlineCitation Status='MEDLINE'><PMID>90000001</PMID></MedlineCitation></MedlineCitationSet>"
    assert pmids(read(data)) == [90000001]


def test_a_book_document_set() -> None:
    book = b"<BookDocument><PMID>90000001</PMID><Book><BookTitle>B</BookTitle></Book></BookDocument>"
    (found,) = read(b"<BookDocumentSet>" + book + b"<DeleteDocument/></BookDocumentSet>")
    assert isinstance(found, Citation)
    assert found.book.title.text == "B"


@pytest.mark.parametrize("name", ["pubmed_180101", "pubmed_260101", "pubmed_991231"])
def test_any_year_of_the_dtd(name: str) -> None:
    assert pmids(read(HEAD.replace(b"pubmed_250101", name.encode()) + record(90000001) + TAIL)) == [90000001]


def test_byte_order_mark_comments_and_instructions_in_the_prolog() -> None:
    data = (
        b"\xef\xbb\xbf"
        + PROLOG
        + b"<!-- a [comment] --><?style x?>\n<PubmedArticleSet>"
        + record(90000001)
        + TAIL
        + b"<!-- z -->"
    )
    assert pmids(read(data)) == [90000001]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "iso-8859-1", "windows-1252", "gb18030", "shift_jis"]
)
def test_declared_encodings(encoding: str) -> None:
    title = "架空" if encoding in ("gb18030", "shift_jis") else "é"
    text = f'<?xml version="1.0" encoding="{encoding}"?><PubmedArticleSet>{record(90000001, title).decode()}</PubmedArticleSet>'
    (found,) = read(text.encode(encoding), size=7)
    assert isinstance(found, Citation)
    assert found.title == title


def test_an_encoding_nobody_knows_is_refused() -> None:
    with pytest.raises(IncompleteResponse, match="encoding 'zlib'"):
        read(b'<?xml version="1.0" encoding="zlib"?><PubmedArticleSet/>')


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000, 65536, 10**9])
def test_the_size_of_the_pieces_does_not_matter(size: int) -> None:
    data = b"".join(invented_xml(20, 5))
    assert read(data, size) == read(data)
    assert len(read(data)) == 20


def test_deletions() -> None:
    delete = (
        b'<DeleteCitation>\n<PMID Version="1">90000001</PMID>\n<PMID Version="3">90000002</PMID>\n</DeleteCitation>\n'
    )
    assert read(HEAD + record(1) + delete + TAIL)[1:] == [Deleted(90000001, 1), Deleted(90000002, 3)]
    assert read(HEAD + delete + TAIL) == [Deleted(90000001, 1), Deleted(90000002, 3)]


def test_a_deletion_that_names_nothing_is_reported() -> None:
    first, second = read(HEAD + b"<DeleteCitation><PMID>x</PMID><PMID>9</PMID></DeleteCitation>" + TAIL)
    assert isinstance(first, RecordError)
    assert second == Deleted(9)


# ---- what is not a set


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (PROLOG, "prolog and nothing else"),
        (b'{"error":"API rate limit exceeded","count":"4"}', "JSON"),
        (b"<html><body>WWW Error 500 Diagnostic</body></html>", "HTML"),
        (b"<!DOCTYPE html>\n<html><head><meta charset=utf-8></head></html>", "html|HTML"),
        (
            b"<eFetchResult><ERROR>ID list is empty! Possibly it has no correct IDs.</ERROR></eFetchResult>",
            "ID list is empty!",
        ),
        (b"<eSearchResult><ERROR>Search Backend failed: x</ERROR></eSearchResult>", "Search Backend failed: x"),
        (b"ID+list+is+empty!+Possibly+it+has+no+correct+IDs.", "not XML"),
        (b"NCBI C++ Exception: TXCLIENT::readAll EOF", "not XML"),
        (b"<eSummaryResult></eSummaryResult>", "a eSummaryResult"),
        (b"\x1f\x8b\x08\x00 gzip that nobody opened", "not XML"),
        (b"<PubmedArticleSet xmlns='urn:invented'></PubmedArticleSet>", "namespace"),
        (b"<PubmedArticleSet a='1' a='2'></PubmedArticleSet>", "root element is broken"),
        (b"<PubmedArticleSet", "PubmedArticleSet"),
    ],
)
def test_what_is_not_a_set_is_named(data: bytes, why: str) -> None:
    with pytest.raises(IncompleteResponse, match=why):
        read(data)


def test_every_way_to_cut_a_set_off_is_noticed() -> None:
    data = HEAD + record(90000001) + record(90000002) + TAIL.strip()
    for end in range(len(data)):
        found, _ = until_raised(read_records([data[:end]]))
        assert pmids(found) == [
            n for n in (90000001, 90000002) if data[:end].count(b"</PubmedArticle>") >= n - 90000000
        ]


def test_two_answers_in_one_are_not_whole() -> None:
    found, why = until_raised(read_records([HEAD + record(1) + TAIL + HEAD + record(2) + TAIL]))
    assert pmids(found) == [1, 2]
    assert "several documents" in why


def test_something_behind_the_end() -> None:
    found, why = until_raised(read_records([HEAD + record(1) + TAIL + b"<html/>"]))
    assert pmids(found) == [1]
    assert "follows the end" in why


def test_an_error_or_text_among_the_records() -> None:
    found, why = until_raised(read_records([HEAD + record(1) + b"<ERROR>backend lost</ERROR>" + record(2) + TAIL]))
    assert pmids(found) == [1, 2]
    assert "backend lost" in why
    found, why = until_raised(read_records([HEAD + record(1) + b"TXCLIENT::readAll EOF" + record(2) + TAIL]))
    assert pmids(found) == [1, 2]
    assert "TXCLIENT" in why


def test_an_unknown_element_among_the_records_is_reported() -> None:
    first, second = read(HEAD + b"<PubmedFoo><PMID>7</PMID></PubmedFoo>" + record(2) + TAIL)
    assert isinstance(first, RecordError)
    assert (first.pmid, second.pmid) == (7, 2)


# ---- one bad record costs only itself


@pytest.mark.parametrize(
    "title",
    [
        "\x00",
        "\x08",
        "&undefined;",
        "&#0;",
        "<foo:bar/>",
        "<i>",
        "</i>",
        "a < b",
        "R&D",
        "<!-- never closed",
        "<![CDATA[ never closed",
        "<?never closed",
        "<!-- -- -->",
        "<i a='1' a='2'/>",
        "<![CDATA[ ]]> &x; ]]>",
        "</ArticleTitle></Article></MedlineCitation></PubmedArticle>",
    ],
)
def test_a_broken_record_is_reported_with_its_pmid_and_costs_nothing_else(title: str) -> None:
    found = read(HEAD + record(90000001) + record(90000002, title) + record(90000003) + TAIL)
    errors = [each for each in found if isinstance(each, RecordError)]
    good = [each.pmid for each in found if isinstance(each, Citation)]
    assert errors
    assert good[0] == 90000001
    assert good[-1] == 90000003
    assert any(each.pmid == 90000002 for each in found)


LINKED = "<CommentsCorrections RefType='CommentOn'><PMID Version='1'>90000777</PMID></CommentsCorrections>"


@pytest.mark.parametrize("own", ["", "<PMID/>", "<PMID Version='1'>9000x</PMID>", "<PMID>90000002</PMI>", "<!-- & "])
@pytest.mark.parametrize("broken", ["", "&nothing;", "<i>", "\x01"])
def test_an_unreadable_record_is_never_reported_as_one_that_it_links_to(own: str, broken: str) -> None:
    bad = f"<PubmedArticle><MedlineCitation>{own}{LINKED}{broken}</MedlineCitation></PubmedArticle>".encode()
    first, error, last = read(HEAD + record(90000001) + bad + record(90000003) + TAIL)
    assert isinstance(error, RecordError)
    assert (first.pmid, error.pmid, last.pmid) == (90000001, None, 90000003)


@pytest.mark.parametrize("owner", ["MedlineCitation Status='a > b'", "BookDocument"])
def test_an_unreadable_record_is_reported_under_its_own_pmid(owner: str) -> None:
    name = owner.partition(" ")[0]
    wrap = "PubmedArticle" if name == "MedlineCitation" else "PubmedBookArticle"
    bad = f"<{wrap}><{owner}>\n<PMID Version='1'> 90000002 </PMID>{LINKED}&x;</{name}></{wrap}>".encode()
    (error,) = read(HEAD + bad + TAIL)
    assert isinstance(error, RecordError)
    assert error.pmid == 90000002


def test_bad_bytes_of_utf8_cost_one_record() -> None:
    bad = record(90000002).replace(b"Invented", b"Inv\xff\xfented")
    first, error, last = read(HEAD + record(90000001) + bad + record(90000003) + TAIL)
    assert isinstance(error, RecordError)
    assert (first.pmid, error.pmid, last.pmid) == (90000001, 90000002, 90000003)


def test_bad_bytes_of_another_encoding_cost_one_record() -> None:
    bad = record(90000002).replace(b"Invented", b"\x81\x20")
    head = b'<?xml version="1.0" encoding="shift_jis"?><PubmedArticleSet>'
    first, error, last = read(head + record(90000001) + bad + record(90000003) + TAIL)
    assert isinstance(error, RecordError)
    assert (first.pmid, error.pmid, last.pmid) == (90000001, 90000002, 90000003)


def test_a_record_that_lost_its_end_does_not_take_the_next_with_it() -> None:
    broken = record(90000002).replace(b"</PubmedArticle>", b"")
    first, error, last = read(HEAD + record(90000001) + broken + record(90000003) + TAIL)
    assert isinstance(error, RecordError)
    assert (first.pmid, error.pmid, last.pmid) == (90000001, 90000002, 90000003)


def test_an_empty_record_is_reported() -> None:
    (found,) = read(HEAD + b"<PubmedArticle/>" + TAIL)
    assert isinstance(found, RecordError)


@pytest.mark.parametrize(
    "aside", ["<!-- </PubmedArticle> -->", "<![CDATA[</PubmedArticle>]]>", "<?x </PubmedArticle>?>"]
)
@pytest.mark.parametrize("size", [11, 10**9])
def test_no_cut_inside_comments_and_cdata(aside: str, size: int) -> None:
    data = HEAD + record(90000001, aside) + record(90000002) + TAIL
    found = read(data, size)
    assert pmids(found) == [90000001, 90000002]
    assert all(isinstance(each, Citation) for each in found)


def test_a_long_comment_across_many_pieces() -> None:
    aside = "<!--" + "</PubmedArticle> " * 20_000 + "-->"
    assert pmids(read(HEAD + record(1, aside) + record(2) + TAIL, 4096)) == [1, 2]


class Searched(bytes):
    """Bytes that count how many of them `find` looks at."""

    looked_at = 0

    def find(self, sub: bytes, start: int = 0, end: int | None = None) -> int:  # type: ignore[override]
        stop = len(self) if end is None else min(end, len(self))
        place = super().find(sub, start, stop)
        self.looked_at += (place if place >= 0 else stop) - start
        return place


@pytest.mark.parametrize("opener", ["<!-- ", "<![CDATA[ ", "<?x ", "<!-- <![CDATA[ <?x ", "<!-- a -- b -->"])
def test_what_never_closes_is_not_searched_for_again_and_again(opener: str) -> None:
    data = Searched(b"".join(record(n, opener) for n in range(1, 2001)))
    ends = Cutter(iter([HEAD])).ends(data, complete=True)
    assert len(ends) == 2000
    assert data.looked_at < 4 * len(data)


@given(
    parts=st.lists(
        st.sampled_from(
            [b"<!--", b"-->", b"--", b"->", b"<![CDATA[", b"]]>", b"]", b"<?", b"?>", b"x" * 9, b"</PubmedArticle>"]
        ),
        max_size=40,
    ),
    complete=st.booleans(),
)
def test_ends_are_those_that_a_plain_reading_finds(parts: list[bytes], complete: bool) -> None:
    data = b"".join(parts)
    expected, at = [], 0
    tokens = re.compile(rb"<!--|<!\[CDATA\[|<\?|</PubmedArticle>")
    while (token := tokens.search(data, at)) is not None:
        at = token.end()
        closed = {b"<!--": rb"(?:(?!--).)*-->", b"<![CDATA[": rb".*?\]\]>", b"<?": rb".*?\?>"}.get(token[0])
        if closed is None:
            expected.append(at)
        elif (aside := re.compile(closed, re.DOTALL).match(data, at)) is not None:
            at = aside.end()
        elif not complete:
            break
    assert Cutter(iter([HEAD])).ends(data, complete) == expected


# ---- hostile documents


def test_entity_bomb_is_refused_unread() -> None:
    bomb = b'<!DOCTYPE PubmedArticleSet [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    with pytest.raises(IncompleteResponse, match="DTD declarations"):
        read(b'<?xml version="1.0"?>' + bomb + b"<PubmedArticleSet>" + record(1, "&b;") + TAIL)


def test_external_entity_is_refused_unread(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary")
    doctype = f'<!DOCTYPE PubmedArticleSet PUBLIC "x" "y" [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'.encode()
    with pytest.raises(IncompleteResponse, match="DTD declarations"):
        read(doctype + b"<PubmedArticleSet>" + record(1, "&x;") + TAIL)


def test_declarations_hidden_in_a_record_expand_nothing() -> None:
    hidden = b'<!DOCTYPE x [<!ENTITY e "canary">]>' + record(90000002, "&e;")
    found = read(HEAD + record(1) + hidden + record(3) + TAIL)
    assert "canary" not in repr([each for each in found if isinstance(each, Citation)])
    assert {1, 3} <= {each.pmid for each in found if isinstance(each, Citation)}


@pytest.mark.parametrize("depth", [160, 300, 5000, 100_000])
def test_a_depth_bomb_costs_one_record(depth: int) -> None:
    found = read(HEAD + record(1, "<i>" * depth + "</i>" * depth) + record(2) + TAIL)
    assert isinstance(found[0], RecordError)
    assert pmids(found) == [1, 2]


@pytest.mark.parametrize("depth", [120, 300, 5000])
def test_reference_lists_nested_without_end_cost_one_record(depth: int) -> None:
    deep = b"<PubmedData>" + b"<ReferenceList>" * depth + b"</ReferenceList>" * depth + b"</PubmedData></PubmedArticle>"
    found = read(HEAD + record(1).replace(b"</PubmedArticle>", deep) + record(2) + TAIL)
    assert isinstance(found[0], RecordError)
    assert pmids(found) == [1, 2]


def test_sections_of_a_book_nested_without_end_cost_one_record() -> None:
    deep = b"<Section>" * 200 + b"</Section>" * 200
    book = (
        b"<PubmedBookArticle><BookDocument><PMID>1</PMID><Sections>"
        + deep
        + b"</Sections></BookDocument></PubmedBookArticle>"
    )
    found = read(HEAD + book + record(2) + TAIL)
    assert isinstance(found[0], RecordError)
    assert pmids(found) == [1, 2]


def test_a_record_beyond_the_cap_is_reported_and_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "LARGEST_RECORD", 300_000)
    data = HEAD + record(1) + record(2, "x" * 2_000_000) + record(3) + TAIL
    found = read(data, 10_000)
    assert pmids(found) == [1, 2, 3]
    assert isinstance(found[1], RecordError)
    assert "larger than" in found[1].why


def test_memory_does_not_grow_with_the_file() -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        assert sum(1 for _ in read_records(invented_xml(count, 1))) == count
        _, top = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return top

    peak(800)  # fills the bounded caches of dates
    assert peak(800) < peak(100) * 1.5 + 200_000


# ---- files


def test_plain_and_gzipped_files_of_several_members(tmp_path: Path) -> None:
    data = b"".join(invented_xml(30, 2))
    plain, packed = tmp_path / "a.xml", tmp_path / "a.xml.gz"
    plain.write_bytes(data)
    packed.write_bytes(b"".join(gzip.compress(data[at : at + 50_000]) for at in range(0, len(data), 50_000)) + b"\0\0")
    assert list(read_records(open_records(packed))) == list(read_records(open_records(plain)))


def test_gzip_is_told_by_content_not_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(gzip.compress(HEAD + record(1) + TAIL))
    assert pmids(list(read_records(open_records(tmp_path / "a.xml")))) == [1]


def test_a_gzip_file_cut_off_anywhere_gives_what_was_whole_and_then_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.xml.gz"
    packed = gzip.compress(b"".join(invented_xml(40, 3)))
    for end in random.Random(4).sample(range(20, len(packed) - 1), 25) + [len(packed) - 1, len(packed) - 8]:
        path.write_bytes(packed[:end])
        found, why = until_raised(read_records(open_records(path)))
        assert all(isinstance(each, Citation) for each in found)
        assert pmids(found) == list(range(90000001, 90000001 + len(found)))
        assert "cut off" in why


def test_a_damaged_gzip_file_is_named(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b"".join(invented_xml(40, 3))))
    packed[len(packed) // 2 : len(packed) // 2 + 40] = b"\xff" * 40
    (tmp_path / "a.xml.gz").write_bytes(packed)
    _, why = until_raised(read_records(open_records(tmp_path / "a.xml.gz")))
    assert "a.xml.gz" in why
    assert "damaged" in why


def test_a_gzip_bomb_is_read_in_small_pieces(tmp_path: Path) -> None:
    squeeze = zlib.compressobj(9, wbits=31)
    bomb = squeeze.compress(HEAD) + squeeze.compress(b" " * 50_000_000) + squeeze.flush()
    (tmp_path / "bomb.xml.gz").write_bytes(bomb)
    assert max(map(len, open_records(tmp_path / "bomb.xml.gz"))) <= cutting.CHUNK


# ---- anything at all

_SEED = HEAD + b"".join(list(invented_xml(3, 8))[1:-1]) + b"<DeleteCitation><PMID>5</PMID></DeleteCitation>" + TAIL
_BITS = [b"<", b">", b"&", b"]]>", b"<!--", b"-->", b"<![CDATA[", b"\0", b"\xff", b"</PubmedArticle>", b"<PubmedArticle>", b"'", b'"', b"<?", b"&#x0;", b"xmlns=", TAIL, HEAD, b"<mml:x>", b"<!DOCTYPE x ["]  # fmt: skip


def mutated(dice: random.Random) -> bytes:
    data = bytearray(_SEED)
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(len(data))
        length = dice.choice((0, 1, 4, 50, 2000))
        kind = dice.randrange(4)
        if kind == 0:
            data[at : at + length] = dice.choice(_BITS)
        elif kind == 1:
            del data[at : at + length + 1]
        elif kind == 2:
            data[at:at] = data[dice.randrange(len(data)) :][:length]
        else:
            data[at] = dice.randrange(256)
        if not data:
            data = bytearray(_SEED)
    return bytes(data)


def survives(data: bytes, size: int) -> None:
    try:
        for found in read_records(data[at : at + size] for at in range(0, len(data), size)):
            assert isinstance(found, Citation | RecordError | Deleted)
    except MonitorError:
        pass


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from([97, 5000, 10**6]))
def test_mutated_sets_never_break_the_reader(seed: int, size: int) -> None:
    survives(mutated(random.Random(seed)), size)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_never_break_the_reader(data: bytes, inside: bool) -> None:
    survives(HEAD + data + TAIL if inside else data, 64)


@pytest.mark.torture
def test_a_hundred_thousand_mutated_sets() -> None:
    for seed in range(100_000):
        survives(mutated(random.Random(seed)), (97, 5000, 10**6)[seed % 3])
