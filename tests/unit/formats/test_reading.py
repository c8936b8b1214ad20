"""Files of other programs that name PubMed records; everything in them here is invented."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.citation import (
    ArticleId,
    Citation,
    HistoryDate,
    Keyword,
    MeshHeading,
    MeshTerm,
    PartialDate,
)
from monitor.core.query import document, matches, parse
from monitor.errors import UsageError
from monitor.formats import nlm, reading
from monitor.formats.reading import Kind, NamedRecord, sniff
from monitor.formats.reading_nbib import published
from monitor.formats.reading_text import decode
from monitor.resources import load_mesh_tree
from tests.shared import SHARED, needs_shared

FORMATS = SHARED / "formats"


def nbib(text: str | bytes) -> list[NamedRecord]:
    return list(reading.read(text.encode() if isinstance(text, str) else text, Kind.NBIB))


def ris(*lines: str) -> list[NamedRecord]:
    return list(reading.read("\n".join(("TY  - JOUR", *lines, "ER  - ")).encode(), Kind.RIS))


def pmids(text: str) -> list[int | None]:
    return [each.pmid for each in reading.read(text.encode(), Kind.PMID_LIST)]


# NBIB

RECORD = "PMID- 90000001\nTI  - Invented cells carry an\n      invented receptor.\nAU  - Example AB\n"


def test_nbib_record() -> None:
    (found,) = nbib(RECORD)
    assert found[:3] == (90000001, "Invented cells carry an invented receptor.", 1)
    assert found.citation is not None
    assert found.citation.authors[0][:3] == ("Example", None, "AB")


@pytest.mark.parametrize(
    "data",
    [
        ("\ufeff" + RECORD).encode(),
        ("\n\n" + RECORD).encode(),
        RECORD.replace("\n", "\r\n").encode(),
        RECORD.replace("\n", "\r").encode(),
        RECORD.encode("utf-16"),
        RECORD.replace("PMID- ", "PMID-").encode(),
        RECORD.rstrip().encode(),
        b"PMC - PMC9900001\n" + RECORD.encode(),
    ],
    ids=["mark", "blank first", "crlf", "cr", "utf-16", "no blank", "no last line end", "pmc first"],
)
def test_nbib_in_odd_dress(data: bytes) -> None:
    assert [(each.pmid, each.title) for each in nbib(data)] == [
        (90000001, "Invented cells carry an invented receptor.")
    ]


def test_windows_1252_is_read_where_utf8_fails() -> None:
    (found,) = nbib("PMID- 90000001\nTI  - Erfundene Größe – “neu”\n".encode("cp1252"))
    assert found.title == "Erfundene Größe – “neu”"


def test_records_without_blank_line_between() -> None:
    assert [each.pmid for each in nbib(RECORD + RECORD.replace("01\n", "02\n"))] == [90000001, 90000002]


def test_stray_blank_line_does_not_cut_a_record() -> None:
    (found,) = nbib("PMID- 90000001\nTI  - Invented.\n\nAB  - Invented text.\nDP  - 2024\n")
    assert found.citation is not None
    assert found.citation.abstract is not None
    assert found.citation.pub_date == PartialDate(2024)


def test_lines_without_tag_are_ignored() -> None:
    assert [each.title for each in nbib("PMID- 90000001\nSO  no line of ours\nTI  -Invented.\n")] == ["Invented."]


@pytest.mark.parametrize("value", ["000000000000", "abc", "", "123456789", "-5", "12345678.2"])
def test_nbib_without_a_pmid_is_listed(value: str) -> None:
    assert nbib(f"PMID- {value}\nTI  - Invented.\n") == [NamedRecord(None, "Invented.", 1, None)]


def test_database_that_is_not_pubmed_has_no_pmids() -> None:
    found = nbib("\nOWN - ERIC\nTI  - One.\nOID - EJ90000001\n\nOWN - ERIC\nTI  - Two.\nOID - 90000002\n")
    assert found == [NamedRecord(None, "One.", 2, None), NamedRecord(None, "Two.", 6, None)]


def test_old_medline_ui_is_not_a_pmid() -> None:
    assert nbib("UI  - 90000001\nTI  - Invented.\n")[0].pmid is None


def test_two_pmids_in_one_place_are_two_records() -> None:
    assert [each.pmid for each in nbib("PMID- 90000001\nPMID- 90000002\nTI  - Invented.\n")] == [90000001, 90000002]


def test_elder_dates_stand_in_for_history() -> None:
    (found,) = nbib("PMID- 90000001\nEDAT- 2000/03/24 09:00\nMHDA- 2000/03/24\nPHST- 2000/01/02 [received]\n")
    assert found.citation is not None
    assert found.citation.history == (
        HistoryDate("received", PartialDate(2000, 1, 2)),
        HistoryDate("pubmed", PartialDate(2000, 3, 24), 9, 0),
        HistoryDate("medline", PartialDate(2000, 3, 24)),
    )


def test_mesh_and_keywords() -> None:
    (found,) = nbib("PMID- 90000001\nMH  - HIV-1/*genetics\nMH  - *Cells/th\nOT  - *word\nAID - S1 [pii]\nAID - odd\n")
    assert found.citation is not None
    assert found.citation.mesh_headings[0] == MeshHeading(MeshTerm(None, "HIV-1"), (MeshTerm(None, "genetics", True),))
    assert found.citation.keyword_lists[0].keywords == (Keyword("word", True),)  # type: ignore[arg-type]
    assert found.citation.article_ids == (ArticleId("90000001"), ArticleId("S1", "pii"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024", PartialDate(2024)),
        ("2024 Mar", PartialDate(2024, 3)),
        ("2024 Mar 5", PartialDate(2024, 3, 5)),
        ("2018 Winter", PartialDate(2018, season="Winter")),
        ("2020 Nov-Dec", PartialDate(2020, text="2020 Nov-Dec")),
        ("1998 Dec-1999 Jan", PartialDate(1998, text="1998 Dec-1999 Jan")),
        ("Article 10 2019", PartialDate(2019, text="Article 10 2019")),
        ("n.d.", PartialDate(text="n.d.")),
        ("", None),
        (None, None),
    ],
)
def test_dates_of_publication(text: str | None, expected: PartialDate | None) -> None:
    assert published(text) == expected


def test_author_forms() -> None:
    (found,) = nbib(
        "PMID- 90000001\nFAU - van Invented, Ada B\nAU  - van Invented AB 3rd\nAD  - Nowhere.\nCN  - Invented Group\nFAU - Plato\nAU  - Plato\n"
    )
    assert found.citation is not None
    first, group, last = found.citation.authors
    assert (first.last_name, first.fore_name, first.initials, first.suffix) == ("van Invented", "Ada B", "AB", "3rd")
    assert first.affiliations[0].text == "Nowhere."
    assert group.collective_name == "Invented Group"
    assert last.last_name == "Plato"


def texts_in(value: object) -> Iterator[str]:
    """Every text of a value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for each in value:
            yield from texts_in(each)
    elif isinstance(value, Citation):
        for field in fields(value):
            yield from texts_in(getattr(value, field.name))


_ODD = st.one_of(
    st.text(alphabet="aB1, *[]()/:;.-\x00\x0b\u00a0\u2028", max_size=12),
    st.sampled_from(["*", ",", ", John", "/", "/9", "*/", "x/*", ": y", "x: ", "[doi]", " [doi]", "() (x)", "PMID: 5"]),
)
_NBIB_TAGS = [
    "TI",
    "TT",
    "AB",
    "CI",
    "PG",
    "LID",
    "AID",
    "AUID",
    "AD",
    "FAU",
    "AU",
    "CN",
    "FED",
    "ED",
    "LA",
    "SI",
    "PT",
    "DEP",
    "DCOM",
    "LR",
    "RN",
    "MH",
    "OT",
    "OTO",
    "COIS",
    "PHST",
    "EDAT",
    "MHDA",
    "CRDT",
    "PMC",
    "MID",
    "JT",
    "TA",
    "JID",
    "IS",
    "PL",
    "VI",
    "IP",
    "DP",
    "SB",
    "STAT",
    "OWN",
    "PST",
    "EIN",
    "RIN",
    "CON",
    "BTI",
]
_RIS_TAGS = [
    "TI",
    "T1",
    "T2",
    "JF",
    "JO",
    "J2",
    "JA",
    "AU",
    "A1",
    "AB",
    "N2",
    "SP",
    "EP",
    "VL",
    "IS",
    "DA",
    "PY",
    "Y1",
    "DO",
    "UR",
    "M3",
    "KW",
    "CT",
    "BT",
]


@given(lines=st.lists(st.tuples(st.sampled_from(_NBIB_TAGS), _ODD), max_size=15))
def test_no_nbib_gives_an_empty_text_where_nothing_is_none(lines: list[tuple[str, str]]) -> None:
    text = "PMID- 90000001\n" + "".join(f"{tag:<4}- {value}\n" for tag, value in lines)
    for found in nbib(text):
        assert all(text.strip() and "\0" not in text for text in texts_in(found.citation)), found


@given(lines=st.lists(st.tuples(st.sampled_from(_RIS_TAGS), _ODD), max_size=15))
def test_no_ris_gives_an_empty_text_where_nothing_is_none(lines: list[tuple[str, str]]) -> None:
    for found in ris("AN  - PMID: 90000001", *(f"{tag}  - {value}" for tag, value in lines)):
        assert all(text.strip() and "\0" not in text for text in texts_in(found.citation)), found


@pytest.mark.parametrize(
    "search",
    ['"Killer Cells, Natural"[mh]', '"Killer Cells, Natural"[majr:noexp]', "Lymphocytes[mh]", "D007694[mh]"],
)
def test_headings_of_a_record_named_only_by_a_file_are_found(search: str) -> None:
    (found,) = nbib("PMID- 90000001\nMH  - *Killer Cells, Natural/immunology\n")
    assert found.citation is not None
    assert matches(parse(search), document(found.citation), load_mesh_tree())


# RIS


@pytest.mark.parametrize(
    "lines",
    [
        ("AN  - 90000001", "DB  - PubMed"),
        ("AN  - 90000001", "DP  - National Library of Medicine (NLM)"),
        ("DB  - Ovid MEDLINE(R)", "AN  - 90000001"),
        ("AN  - PMID: 90000001",),
        ("AN  - MEDLINE:90000001",),
        ("N1  - PMID: 90000001",),
        ("N1  - PMID: 90000001; PMCID: PMC9900001",),
        ("U1  - 90000001[pmid]",),
        ("C1  - PMID:90000001.",),
        ("ID  - pmid:90000001",),
        ("PM  - 90000001",),
        ("UR  - https://pubmed.ncbi.nlm.nih.gov/90000001/",),
        ("UR  - http://www.ncbi.nlm.nih.gov/pubmed/90000001",),
        ("L2  - https://www.ncbi.nlm.nih.gov/pubmed/?term=90000001",),
        (
            "UR  - https://www.ncbi.nlm.nih.gov/entrez/query.fcgi?cmd=Retrieve&db=PubMed&list_uids=90000001&dopt=Abstract",
        ),
        ("L2  - https://pubmed.ncbi.nlm.nih.gov/90000001/", "UR  - http://www.ncbi.nlm.nih.gov/pubmed/90000001"),
    ],
)
def test_pmid_where_it_is_labelled(lines: tuple[str, ...]) -> None:
    (found,) = ris("TI  - Invented.", *lines)
    assert found.pmid == 90000001
    assert found.citation is not None


@pytest.mark.parametrize(
    "lines",
    [
        ("AN  - 90000001",),
        ("AN  - 90000001", "DB  - Scopus"),
        ("ID  - 90000001",),
        ("M1  - 90000001",),
        ("C2  - 90000001",),
        ("U1  - 90000001",),
        ("N1  - NLM UID: 90000001.",),
        ("N1  - Erratum in: Invented J. 2024;1:1. PMID: 90000001",),
        ("N1  - Comment on PMID: 90000001 and others",),
        ("AB  - We used PMID: 90000001.",),
        ("AN  - rayyan-90000001", "DB  - PubMed"),
        ("AN  - 9000000100", "DB  - PubMed"),
        ("UR  - https://pubmed.ncbi.nlm.nih.gov/?term=90000001+90000002",),
        ("UR  - https://pubmed.ncbi.nlm.nih.gov/?term=invented",),
        ("UR  - https://www.ncbi.nlm.nih.gov/pmc/articles/90000001",),
        ("UR  - https://example.org/90000001",),
        ("N1  - PMID: 90000001", "UR  - https://pubmed.ncbi.nlm.nih.gov/90000002/"),
    ],
)
def test_no_number_is_taken_for_a_pmid_by_guess(lines: tuple[str, ...]) -> None:
    assert ris("TI  - Invented.", *lines) == [NamedRecord(None, "Invented.", 1, None)]


def test_provisional_citation_of_ris() -> None:
    (found,) = ris(
        "AN  - PMID: 90000001",
        "T1  - Invented & true",
        "A1  - Example, Ada B., Jr",
        "AU  - Invented Group",
        "JF  - Invented journal",
        "JA  - Invented J",
        "Y1  - 2024/03/05/",
        "VL  - 12",
        "SP  - 1",
        "EP  - 9",
        "UR  - https://doi.org/10.99999/x",
        "N2  - Text that",
        "goes on.",
    )
    record = found.citation
    assert record is not None
    assert record.title == "Invented &amp; true"
    assert [(a.last_name, a.fore_name, a.initials, a.suffix) for a in record.authors[:1]] == [
        ("Example", "Ada B.", "AB", "Jr")
    ]
    assert record.authors[1].collective_name == "Invented Group"
    assert nlm.source_line(record) == "Invented J. 2024 Mar 5;12:1-9. doi: 10.99999/x."
    assert record.abstract is not None
    assert record.abstract.sections[0].text == "Text that goes on."


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (("PY  - 2024",), PartialDate(2024)),
        (("PY  - 2024/03//",), PartialDate(2024, 3)),
        (("DA  - 2024/13/40/",), PartialDate(2024)),
        (("PY  - 2024", "DA  - March 2024"), PartialDate(2024)),
        (("PY  - in press",), None),
        (("PY  - 0000///",), None),
        ((), None),
    ],
)
def test_ris_dates(lines: tuple[str, ...], expected: PartialDate | None) -> None:
    (found,) = ris("AN  - PMID: 90000001", *lines)
    assert found.citation is not None
    assert found.citation.pub_date == expected


def test_ris_without_er_and_with_noise() -> None:
    text = "Provider: Invented\n\nTY  - JOUR\nTI  - One\n\nTY  - JOUR\n  TI  - Two\nKW  - a\nb\nER  -\nnoise\n"
    found = list(reading.read(text.encode(), Kind.RIS))
    assert [(each.title, each.line) for each in found] == [("One", 3), ("Two", 6)]


# Lists of PMIDs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90000001\n90000002\n", [90000001, 90000002]),
        ("90000001, 90000002;90000003 90000004", [90000001, 90000002, 90000003, 90000004]),
        ("PMID: 90000001\npmid:90000002\nPMID 90000003\nPMID=90000004", [90000001, 90000002, 90000003, 90000004]),
        ("https://pubmed.ncbi.nlm.nih.gov/90000001/\nwww.ncbi.nlm.nih.gov/pubmed/90000002", [90000001, 90000002]),
        ("pmid\n90000001\n", [90000001]),
        ('"PMID"\n"90000001"\n', [90000001]),
        ("# why we need these\n90000001 # the first\n\n", [90000001]),
        ("\ufeff90000001\r\n90000002\r", [90000001, 90000002]),
        ("PMC9900001", [None]),
        ("90000001 or so", [90000001, None]),
        ("0\n", [None]),
        ("123456789", [None]),
        ("10.99999/x", [None]),
    ],
)
def test_list_of_pmids(text: str, expected: list[int | None]) -> None:
    assert pmids(text) == expected


def test_what_is_not_a_pmid_is_shown_with_its_line() -> None:
    found = list(reading.read(b"90000001\nsee the invented paper\n", Kind.PMID_LIST))
    assert found[1] == NamedRecord(None, "see the invented paper", 2, None)


# What is this file?


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b'<?xml version="1.0" ?>\n<!DOCTYPE PubmedArticleSet>\n<PubmedArticleSet>', Kind.PUBMED_XML),
        (b"\xef\xbb\xbf<PubmedArticle>", Kind.PUBMED_XML),
        (b"<!-- a note --><PubmedBookArticleSet>", Kind.PUBMED_XML),
        (gzip.compress(b"<PubmedArticleSet>" + b"<x/>" * 9999, mtime=0), Kind.PUBMED_XML),
        ("<PubmedArticleSet>".encode("utf-16"), Kind.PUBMED_XML),
        (b"\nPMID- 90000001\nTI  - x", Kind.NBIB),
        (b"PMID-90000001\nPT  - Editorial", Kind.NBIB),
        (b"OWN - ERIC\nTI  - x\n", Kind.NBIB),
        (b"PMC - PMC1\nPMID- 90000001\n", Kind.NBIB),
        (b"\r\n\r\nTY  - JOUR\r\n", Kind.RIS),
        (b"Provider: x\nDatabase: y\n\nTY  - JOUR\n", Kind.RIS),
        (b"90000001\n90000002\n", Kind.PMID_LIST),
        (b"pmid\n90000001\n", Kind.PMID_LIST),
        (b"https://pubmed.ncbi.nlm.nih.gov/90000001/\n", Kind.PMID_LIST),
        (b"PMID: 90000001", Kind.PMID_LIST),
        ("90000001\n".encode("utf-16"), Kind.PMID_LIST),
    ],
)
def test_kinds_are_told_apart(head: bytes, kind: Kind) -> None:
    assert sniff(head, "file") is kind


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"<!DOCTYPE html><html>", "HTML page"),
        (b"<xml><records>", "XML of another kind (<xml>)"),
        (b"%PDF-1.7", "PDF"),
        (b"PK\x03\x04....", "ZIP"),
        (b"FN Clarivate Analytics\nPT J\n", "Web of Science"),
        (b"%0 Journal Article\n%A X", "EndNote"),
        (b"% comment\n@article{x,\n", "BibTeX"),
        (b'[{"id": 1}]', "JSON"),
        (b"Title,URL,Year\nInvented,x,2024\n", "CSV"),
        (b"AU  - x\nTI  - y\nER  - \n", "RIS without the TY line"),
        (b"1: Example AB. Invented. Invented J. 2024. PMID: 90000001.", "Summary (text)"),
        (b"Dear all, please import.", "without PMIDs"),
        (b"\x1f\x8bdamaged", "damaged gzip"),
    ],
)
def test_other_files_are_refused_by_name(head: bytes, found: str) -> None:
    with pytest.raises(UsageError, match=re.escape(found)):
        sniff(head, "invented.txt")


def test_xml_is_not_read_as_names() -> None:
    with pytest.raises(UsageError, match="parsed"):
        list(reading.read(b"<PubmedArticleSet/>", Kind.PUBMED_XML))


# Real files, where they are


def real(pattern: str) -> list[Path]:
    return sorted(FORMATS.rglob(pattern)) if FORMATS.is_dir() else []


def content(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def medline() -> list[Path]:
    return [path for path in (*real("*.nbib"), *real("*.txt*")) if re.search(r"(?m)^PMID-", decode(content(path)))]


@needs_shared
@pytest.mark.parametrize("path", [p for p in real("*") if p.is_file()], ids=lambda p: p.name)
def test_every_real_file_is_named_rightly(path: Path) -> None:
    data = path.read_bytes()
    text = decode(content(path))
    if re.search(r"(?m)^TY {1,2}- ", text):
        expected: Kind | None = Kind.RIS
    elif re.search(r"(?m)^(PMID-|OWN - |TI  - )", text) and not re.search(r"(?m)^ER  -|^FN ", text):
        expected = Kind.NBIB
    elif "<Pubmed" in text[:2000] and path.suffix == ".xml":
        expected = Kind.PUBMED_XML
    else:
        expected = None
    if expected is None:
        with pytest.raises(UsageError):
            sniff(data[:65536], path.name)
    else:
        assert sniff(data[:65536], path.name) is expected


@needs_shared
@pytest.mark.parametrize("path", medline(), ids=lambda p: p.name)
def test_every_pmid_of_a_real_medline_file_is_found(path: Path) -> None:
    text = decode(content(path))
    expected = [int(each) for each in re.findall(r"(?m)^PMID- *([1-9]\d{0,7})\s*$", text)]
    found = [each.pmid for each in reading.read(content(path), Kind.NBIB)]
    assert [pmid for pmid in found if pmid is not None] == expected


@needs_shared
@pytest.mark.parametrize("path", real("*.ris"), ids=lambda p: p.name)
def test_every_entry_of_a_real_ris_file_is_found(path: Path) -> None:
    text = decode(content(path))
    entries = re.split(r"(?m)^TY {1,2}-", text)[1:]
    found = list(reading.read(content(path), Kind.RIS))
    assert len(found) == len(entries)
    for record, entry in zip(found, entries, strict=True):
        linked = set(re.findall(r"(?i)pubmed(?:\.ncbi\.nlm\.nih\.gov)?/(\d+)|\b(\d+)\[pmid\]", entry))
        numbers = {int(a or b) for a, b in linked}
        assert (record.pmid in numbers) if len(numbers) == 1 else record.pmid is None


@needs_shared
def test_real_source_lines_are_those_of_pubmed() -> None:
    """NBIB says no publication model, so any of the five may give PubMed's own SO; all but PMC's five do.

    Until 2020 PubMed left a DOI out that stood only in the ArticleIdList.
    """
    models = ("Print", "Print-Electronic", "Electronic", "Electronic-Print", "Electronic-eCollection")
    checked, wrong = 0, []
    for path in medline():
        if path.name == "pmc_medlars.txt":
            continue
        text = decode(content(path))
        joined = re.sub(r"\r?\n {2,}", " ", text)
        blocks = [block for block in re.split(r"(?m)^(?=PMID-)", joined) if block.startswith("PMID")]
        for block in blocks:
            source = re.search(r"(?m)^SO  - (.*)", block)
            (record, *_) = reading.read(block.encode(), Kind.NBIB)
            if source is None or record.citation is None:
                continue
            checked += 1
            expected = " ".join(source.group(1).split())
            lines = {nlm.source_line(replace(record.citation, pub_model=model), "nbib") for model in models}
            lines |= {re.sub(r" doi: \S+\.(?= |$)", "", line) for line in lines}
            if expected not in lines:
                wrong.append((record.pmid, expected, sorted(lines)))
    assert wrong == []
    assert checked >= 730
