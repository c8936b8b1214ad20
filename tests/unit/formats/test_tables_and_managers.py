"""RIS, BibTeX, CSL-JSON and CSV, each read back by a reader that is not ours."""

from __future__ import annotations

import csv
import io
import json
import re
import warnings
from typing import Any

import pytest
import rispy
from hypothesis import given

from monitor.core.citation import (
    Affiliation,
    ArticleDate,
    Author,
    AuthorList,
    Citation,
    Correction,
    ELocation,
    InlineXml,
    Keyword,
    KeywordList,
    MeshHeading,
    MeshTerm,
    Pagination,
    PartialDate,
)
from monitor.formats import bibtex, csl, nbib, nlm, reading, ris, table
from monitor.formats.reading import Kind
from tests.factories import author, citation, citations
from tests.unit.formats.test_jsonl import RELAXED
from tests.unit.formats.test_nlm import chapter

GROUP = Author(collective_name=InlineXml("Invented Group, North and South"))
RETRACTED = (Correction("RetractionIn", "Invented J. 2025;1:1.", 90000002),)


# RIS


def test_ris_record() -> None:
    record = citation(
        pmcid="PMC9900001",
        author_lists=(AuthorList((author("Example AB", suffix=InlineXml("Jr")), GROUP), kind="authors"),),
        keyword_lists=(KeywordList((Keyword(InlineXml("CAR-NK")),)),),
        mesh_headings=(MeshHeading(MeshTerm("D1", "Neoplasms"), (MeshTerm("Q1", "therapy", True),)),),
        corrections=RETRACTED,
    )
    assert ris.record(record).split("\r\n") == [
        "TY  - JOUR",
        "ID  - 90000001",
        "AN  - 90000001",
        "DB  - PubMed",
        "TI  - Invented natural killer cells carry an invented receptor.",
        "AU  - Example, A B, Jr",
        "AU  - Invented Group, North and South",
        "T2  - Invented journal of cell therapy",
        "J2  - Invented J Cell Ther",
        "VL  - 12",
        "IS  - 3",
        "SN  - 9999-0001",
        "PY  - 2024",
        "DA  - 2024/03//",
        "SP  - 101",
        "EP  - 109",
        "DO  - 10.99999/invented.90000001",
        "C2  - PMC9900001",
        "UR  - https://pubmed.ncbi.nlm.nih.gov/90000001/",
        "AB  - Invented cells killed invented targets.",
        "KW  - CAR-NK",
        "KW  - Neoplasms/*therapy",
        "LA  - eng",
        "M3  - Journal Article",
        "N1  - RETRACTED.",
        "N1  - Retraction in: Invented J. 2025;1:1.",
        "ER  - ",
        "",
    ]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (citation(publication_types={"D000076942": "Preprint"}), "UNPB"),
        (chapter(), "CHAP"),
        (chapter(title=None), "BOOK"),
    ],
)
def test_ris_types(record: Citation, expected: str) -> None:
    assert ris.record(record).startswith(f"TY  - {expected}\r\n")


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        (PartialDate(2024, 3, 5), ["PY  - 2024", "DA  - 2024/03/05/"]),
        (PartialDate(2024), ["PY  - 2024", "DA  - 2024///"]),
        (PartialDate(2024, season="Winter"), ["PY  - 2024", "DA  - 2024///Winter"]),
        (PartialDate(2020, text="2020 Nov-Dec"), ["PY  - 2020", "DA  - 2020///2020 Nov-Dec"]),
        (PartialDate(text="n.d."), ["DA  - n.d."]),
    ],
)
def test_ris_dates(date: PartialDate, expected: list[str]) -> None:
    lines = ris.record(citation(journal={"pub_date": date})).split("\r\n")
    assert [line for line in lines if line[:2] in ("PY", "DA")] == expected


def test_ris_location_without_pages() -> None:
    record = citation(pagination=None, elocations=(ELocation("e12", "pii"),))
    assert "SP  - e12\r\n" in ris.record(record)
    assert "SP  - 5-9\r\n" in ris.record(citation(pagination=Pagination(medline="5-9")))


@RELAXED
@given(citations())
def test_any_citation_is_one_ris_record_to_every_reader(record: Citation) -> None:
    text = "".join(ris.write([record, citation(90000002)]))
    assert [each.pmid for each in reading.read(text.encode(), Kind.RIS)] == [record.pmid, 90000002]
    found = rispy.loads(text.replace("\r\n", "\n"))
    assert [each["accession_number"] for each in found] == [str(record.pmid), "90000002"]


def test_ris_reader_gives_back_what_it_keeps() -> None:
    (found,) = reading.read(ris.record(citation()).encode(), Kind.RIS)
    back, held = found.citation, citation()
    assert back is not None
    assert back.title == held.title
    assert back.doi == held.doi
    assert back.authors[0][:3] == held.authors[0][:3]
    assert back.pub_date == held.pub_date
    assert back.abstract == held.abstract
    assert back.pagination == Pagination("101", "109")


# BibTeX


def bibtex_entries(text: str) -> list[tuple[str, str, dict[str, str]]]:
    """Read BibTeX as BibTeX does: braces counted whether escaped or not, values braced or bare words."""
    entries = []
    at = 0
    while (start := text.find("@", at)) >= 0:
        assert not text[at:start].strip(), "text between entries"
        head = re.match(r"@(\w+)\{([^,{}\s]+),", text[start:])
        assert head is not None
        i = start + head.end()
        fields: dict[str, str] = {}
        while True:
            i += len(text[i:]) - len(text[i:].lstrip())
            if text[i] == "}":
                break
            name = re.match(r"(\w+)\s*=\s*", text[i:])
            assert name is not None, text[i : i + 60]
            i += name.end()
            end = i
            depth = 0
            while depth or text[end] not in ",}":
                depth += {"{": 1, "}": -1}.get(text[end], 0)
                end += 1
            assert name.group(1) not in fields
            fields[name.group(1)] = text[i:end].strip()
            i = end + 1 if text[end] == "," else end
        entries.append((head.group(1), head.group(2), fields))
        at = i + 1
    assert not text[at:].strip()
    return entries


def test_bibtex_entry() -> None:
    record = citation(
        title=InlineXml("CO<sub>2</sub> &amp; 50% of <i>NK_1</i> {cells}."),
        author_lists=(AuthorList((author("Example AB", suffix=InlineXml("Jr")), GROUP), kind="authors"),),
        corrections=RETRACTED,
    )
    ((kind, key, fields),) = bibtex_entries("".join(bibtex.write([record])))
    assert (kind, key) == ("article", "pmid90000001")
    assert fields["title"] == (
        r"{{CO\textsubscript{2} \& 50\% of \textit{NK\_1} \textbraceleft{}cells\textbraceright{}}}"
    )
    assert fields["author"] == "{Example, Jr, A B and {Invented Group, North and South}}"
    assert fields["month"] == "mar"
    assert fields["year"] == "{2024}"
    assert fields["pages"] == "{101--109}"
    assert fields["doi"] == "{10.99999/invented.90000001}"
    assert fields["note"] == "{RETRACTED. Retraction in: Invented J. 2025;1:1.}"
    assert fields["journal"] == "{Invented journal of cell therapy}"


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (citation(publication_types={"D000076942": "Preprint"}), "misc"),
        (chapter(), "incollection"),
        (chapter(title=None), "book"),
    ],
)
def test_bibtex_types(record: Citation, expected: str) -> None:
    assert bibtex.entry(record).startswith(f"@{expected}{{pmid")


def test_bibtex_keys_outlive_corrections() -> None:
    later = citation(authors=["Corrected A"], journal={"pub_date": PartialDate(2025)})
    assert bibtex.key(later) == bibtex.key(citation())


def test_bibtex_names_with_and_or_commas_stay_one_name() -> None:
    odd = Author("Sand and Stone", "A", suffix=InlineXml("Jr, MD"))
    entry = bibtex.entry(citation(author_lists=(AuthorList((odd, author("Example AB"))),)))
    assert "author = {{Sand and Stone}, {Jr, MD}, A and Example, A B}," in entry


@pytest.mark.parametrize(
    ("person", "name"),
    [
        (Author("Example", suffix=InlineXml("Jr")), "Example, Jr, {}"),
        (Author("Example", initials="A", suffix=InlineXml("Jr")), "Example, Jr, A"),
        (Author("Example"), "Example"),
        (Author(None, "Solo"), "Solo"),
        (Author("And", "A"), "{And}, A"),
    ],
)
def test_bibtex_names(person: Author, name: str) -> None:
    entry = bibtex.entry(citation(author_lists=(AuthorList((person,), kind="authors"),)))
    assert f"author = {{{name}}}," in entry


def test_people_without_a_name_stand_in_no_format() -> None:
    nobody = Author(affiliations=(Affiliation(InlineXml("Invented Institute.")),))
    both = AuthorList((nobody, author("Example AB"), Author("", "")), kind="authors")
    record = citation(author_lists=(both, AuthorList((nobody,), kind="editors")))
    assert "author = {Example, A B}," in bibtex.entry(record)
    assert "editor" not in bibtex.entry(record)
    item = csl.item(record)
    assert item["author"] == [{"family": "Example", "given": "A B"}]
    assert "editor" not in item
    assert ris.record(record).count("AU  - ") == 1
    assert nbib.record(record).count("FAU - ") == 1
    assert nlm.cite(record).startswith("Example AB. ")


def test_bibtex_incomplete_authors() -> None:
    entry = bibtex.entry(citation(author_lists=(AuthorList((author("Example AB"),), complete=False),)))
    assert "author = {Example, A B and others}," in entry


def test_bibtex_doi_is_verbatim_and_cannot_leave_its_braces() -> None:
    record = citation(doi="10.99999/a_b(c)<1::d>3.0.CO;2-{}%")
    assert "doi = {10.99999/a_b(c)<1::d>3.0.CO;2-%7B%7D%25}," in bibtex.entry(record)


@RELAXED
@given(citations())
def test_any_citation_is_one_bibtex_entry(record: Citation) -> None:
    entries = bibtex_entries("".join(bibtex.write([record, citation(90000002)])))
    assert [key for _, key, _ in entries] == [f"pmid{record.pmid}", "pmid90000002"]
    assert all("\n" not in value for _, _, fields in entries for value in fields.values())


def test_bibtexparser_reads_the_same() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # its own use of pyparsing's elder names
        bibtexparser = pytest.importorskip("bibtexparser")
        parser = bibtexparser.bparser.BibTexParser(common_strings=True)
        found = bibtexparser.loads("".join(bibtex.write([citation(), chapter()])), parser=parser)
    assert [each["ID"] for each in found.entries] == ["pmid90000001", "pmid30726005"]
    assert found.entries[0]["month"] == "March"
    assert found.entries[1]["booktitle"] == "StatPearls"


# CSL-JSON


def items(*records: Citation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads("".join(csl.write(records)))
    return found


def test_csl_item() -> None:
    record = citation(
        pmcid="PMC9900001",
        title=InlineXml("CO<sub>2</sub> &amp; <u>p</u> &lt; 0.05."),
        author_lists=(AuthorList((author("Example AB", suffix=InlineXml("Jr")), GROUP), kind="authors"),),
        corrections=RETRACTED,
    )
    (item,) = items(record)
    assert item == {
        "id": "pmid:90000001",
        "type": "article-journal",
        "title": "CO<sub>2</sub> & p < 0.05",
        "author": [
            {"family": "Example", "given": "A B", "suffix": "Jr"},
            {"literal": "Invented Group, North and South"},
        ],
        "issued": {"date-parts": [[2024, 3]]},
        "available-date": {"date-parts": [[2024, 1, 15]]},
        "page": "101-109",
        "DOI": "10.99999/invented.90000001",
        "URL": "https://pubmed.ncbi.nlm.nih.gov/90000001/",
        "PMID": "90000001",
        "PMCID": "PMC9900001",
        "abstract": "Invented cells killed invented targets.",
        "language": "en",
        "status": "retracted",
        "note": "RETRACTED. Retraction in: Invented J. 2025;1:1.",
        "container-title": "Invented journal of cell therapy",
        "container-title-short": "Invented J Cell Ther",
        "volume": "12",
        "issue": "3",
        "ISSN": "9999-0001",
    }


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        (PartialDate(2024, season="Winter"), {"date-parts": [[2024]], "season": "Winter"}),
        (PartialDate(2020, 11, text="2020 Nov-Dec"), {"date-parts": [[2020]], "literal": "2020 Nov-Dec"}),
        (PartialDate(None, text="Forthcoming"), {"literal": "Forthcoming"}),
        (PartialDate(1998, text=" "), {"date-parts": [[1998]]}),
        (PartialDate(2020, 2, 29), {"date-parts": [[2020, 2, 29]]}),
    ],
)
def test_csl_dates(date: PartialDate, expected: dict[str, Any]) -> None:
    assert items(citation(journal={"pub_date": date}))[0]["issued"] == expected


def test_csl_preprint_and_books() -> None:
    preprint, part, whole = items(
        citation(publication_types={"D000076942": "Preprint"}), chapter(), chapter(title=None)
    )
    assert (preprint["type"], preprint["genre"]) == ("article", "Preprint")
    assert (part["type"], part["container-title"], part["title"]) == ("chapter", "StatPearls", "Invented Chapter")
    assert part["URL"] == "https://www.ncbi.nlm.nih.gov/books/NBK537320/"
    assert (whole["type"], whole["title"]) == ("book", "StatPearls")
    assert "container-title" not in whole


def test_csl_of_nothing_is_an_empty_array() -> None:
    assert items() == []


@RELAXED
@given(citations())
def test_any_citation_is_one_csl_item(record: Citation) -> None:
    found = items(record, citation(90000002))
    assert [each["id"] for each in found] == [f"pmid:{record.pmid}", "pmid:90000002"]


# CSV


def rows(*records: Citation) -> list[dict[str, str]]:
    text = "".join(table.write(records))
    assert text.startswith("\ufeffpmid,")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True))


def test_csv_row() -> None:
    (row,) = rows(citation(corrections=RETRACTED, pmcid="PMC9900001"))
    assert row["pmid"] == "90000001"
    assert row["authors"] == "Example AB; Placeholder C"
    assert row["date"] == "2024 Mar"
    assert row["standing"] == "retracted"
    assert row["notices"] == "Retraction in: Invented J. 2025;1:1."
    assert row["source"].endswith("Epub 2024 Jan 15.")
    assert row["publication_types"] == "Journal Article"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "\n=", " =", "＝", "<i>=</i>"])
def test_csv_disarms_formulas(start: str) -> None:
    (row,) = rows(citation(title=InlineXml(f"{start}HYPERLINK(1)")))
    assert row["title"].startswith("'")


def test_csv_leaves_harmless_text_alone() -> None:
    (row,) = rows(citation(title=InlineXml('"Quoted", with = and ; inside')))
    assert row["title"] == '"Quoted", with = and ; inside'


@RELAXED
@given(citations())
def test_any_citation_is_one_safe_csv_row(record: Citation) -> None:
    text = "".join(table.write([record, citation(90000002)]))
    found = rows(record, citation(90000002))
    assert [row["pmid"] for row in found] == [str(record.pmid), "90000002"]
    assert text.count("\r\n") == 3
    assert all(
        None not in row and not (cell or "x").startswith(tuple("=+-@\t\r")) for row in found for cell in row.values()
    )


def test_electronic_date_is_issued_where_nothing_else_is() -> None:
    record = citation(journal={"pub_date": None}, article_dates=(ArticleDate(PartialDate(2024, 1, 15)),))
    assert rows(record)[0]["year"] == "2024"
