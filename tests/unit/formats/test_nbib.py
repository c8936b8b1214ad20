"""NBIB as PubMed writes it, read back by our reader and by Biopython's."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from Bio import Medline
from hypothesis import given

from monitor.core.citation import (
    Abstract,
    AbstractSection,
    Affiliation,
    ArticleId,
    Author,
    AuthorList,
    Chemical,
    Citation,
    Correction,
    DataBank,
    GeneralNote,
    Grant,
    HistoryDate,
    Identifier,
    InlineXml,
    InvestigatorList,
    Keyword,
    KeywordList,
    MeshHeading,
    MeshTerm,
    OtherAbstract,
    OtherId,
    PartialDate,
    SupplementaryConcept,
)
from monitor.formats import nbib, reading
from monitor.formats.reading import Kind
from monitor.formats.reading_text import decode
from tests.factories import author, citation, citations
from tests.shared import SHARED, needs_shared
from tests.unit.formats.test_jsonl import RELAXED
from tests.unit.formats.test_nlm import chapter


def rich() -> Citation:
    """Every field that NBIB has a tag for."""
    return citation(
        pmcid="PMC9900001",
        status="MEDLINE",
        completed_on=PartialDate(2024, 5, 1),
        vernacular_title=InlineXml("Erfundene Zellen."),
        abstract=Abstract(
            (AbstractSection(InlineXml("To invent."), "AIM"), AbstractSection(InlineXml("Invented&lt;1."), "RESULTS")),
            "Copyright 2024 Nobody.",
        ),
        author_lists=(
            AuthorList(
                (
                    author(
                        "Example AB", suffix=InlineXml("Jr"), identifiers=(Identifier("ORCID", "0000-0000-0000-0000"),)
                    ),
                    Author(collective_name=InlineXml("Invented Group")),
                    author("Placeholder C"),
                ),
                kind="authors",
            ),
            AuthorList((author("Madeup E"),), kind="editors"),
        ),
        languages=("eng", "ger"),
        data_banks=(DataBank("ClinicalTrials.gov", ("NCT99999999",)), DataBank("Empty")),
        grants=(Grant("R99 XX000000", "XX", "Invented Agency", "Nowhere"), Grant(agency="Other Agency")),
        chemicals=(Chemical("0", "D000000", "Receptors, Invented"),),
        supplementary_concepts=(SupplementaryConcept("Disease", "C000000", "Invented disease"),),
        citation_subsets=("IM",),
        corrections=(Correction("RetractionIn", "Invented J. 2025;1:1.", 90000002), Correction("Cites", "x")),
        gene_symbols=("inv1",),
        mesh_headings=(
            MeshHeading(MeshTerm("D1", "Killer Cells, Natural", True)),
            MeshHeading(MeshTerm("D2", "Neoplasms"), (MeshTerm("Q1", "therapy", True), MeshTerm("Q2", "genetics"))),
        ),
        number_of_references="12",
        personal_name_subjects=(author("Subject P"),),
        other_ids=(OtherId("NLM", "EMS00000"),),
        other_abstracts=(OtherAbstract((AbstractSection(InlineXml("Einfach.")),), "plain-language-summary", "ger"),),
        keyword_lists=(KeywordList((Keyword(InlineXml("CAR-<i>NK</i>"), True), Keyword(InlineXml("iPSC"))), "NOTNLM"),),
        coi_statement=InlineXml("None invented."),
        space_flight_missions=("Flight Invented",),
        investigator_lists=(InvestigatorList((author("Helper H"),)),),
        general_notes=(GeneralNote("An invented note."),),
        history=(
            HistoryDate("received", PartialDate(2023, 12, 1)),
            HistoryDate("entrez", PartialDate(2024, 1, 16), 3, 12),
            HistoryDate("pubmed", PartialDate(2024, 1, 16), 6, 42),
            HistoryDate("medline", PartialDate(2024, 5, 1), 6, 0),
            HistoryDate("pmc-release", PartialDate(2024, 7, 1)),
        ),
    )


def test_record_in_pubmeds_order_and_form() -> None:
    assert nbib.record(rich()).split("\r\n") == [
        "PMID- 90000001",
        "OWN - NLM",
        "STAT- MEDLINE",
        "DCOM- 20240501",
        "LR  - 20240320",
        "IS  - 9999-0001 (Electronic)",
        "IS  - 9999-0001 (Linking)",
        "VI  - 12",
        "IP  - 3",
        "DP  - 2024 Mar",
        "TI  - Invented natural killer cells carry an invented receptor.",
        "PG  - 101-109",
        "LID - 10.99999/invented.90000001 [doi]",
        "AB  - AIM: To invent. RESULTS: Invented<1.",
        "CI  - Copyright 2024 Nobody.",
        "OAB - plain-language-summary: Einfach.",
        "OABL- ger",
        "FAU - Example, A B Jr",
        "AU  - Example AB Jr",
        "AUID- ORCID: 0000-0000-0000-0000",
        "CN  - Invented Group",
        "FAU - Placeholder, C",
        "AU  - Placeholder C",
        "FED - Madeup, E",
        "ED  - Madeup E",
        "LA  - eng",
        "LA  - ger",
        "SI  - ClinicalTrials.gov/NCT99999999",
        "GR  - R99 XX000000/XX/Invented Agency/Nowhere",
        "GR  - Other Agency",
        "PT  - Journal Article",
        "TT  - Erfundene Zellen.",
        "DEP - 20240115",
        "PL  - England",
        "TA  - Invented J Cell Ther",
        "JT  - Invented journal of cell therapy",
        "JID - 999000001",
        "RN  - 0 (Receptors, Invented)",
        "SB  - IM",
        "NM  - Invented disease",
        "RIN - Invented J. 2025;1:1. PMID: 90000002",
        "MH  - *Killer Cells, Natural",
        "MH  - Neoplasms/*therapy/genetics",
        "GS  - inv1",
        "RF  - 12",
        "FPS - Subject, P",
        "PS  - Subject P",
        "OID - NLM: EMS00000",
        "PMC - PMC9900001",
        "OTO - NOTNLM",
        "OT  - *CAR-NK",
        "OT  - iPSC",
        "COIS- None invented.",
        "SFM - Flight Invented",
        "FIR - Helper, H",
        "IR  - Helper H",
        "GN  - NLM: An invented note.",
        "EDAT- 2024/01/16 06:42",
        "MHDA- 2024/05/01 06:00",
        "PMCR- 2024/07/01",
        "CRDT- 2024/01/16 03:12",
        "PHST- 2023/12/01 [received]",
        "PHST- 2024/01/16 03:12 [entrez]",
        "PHST- 2024/01/16 06:42 [pubmed]",
        "PHST- 2024/05/01 06:00 [medline]",
        "PHST- 2024/07/01 [pmc-release]",
        "AID - 10.99999/invented.90000001 [doi]",
        "PST - ppublish",
        "SO  - Invented J Cell Ther. 2024 Mar;12(3):101-109. doi: 10.99999/invented.90000001. Epub ",
        "      2024 Jan 15.",
        "",
    ]


def test_chapter() -> None:
    assert nbib.record(chapter()).split("\r\n")[:8] == [
        "PMID- 30726005",
        "CTDT- 20220719",
        "PB  - StatPearls Publishing",
        "DP  - 2022 Jan",
        "TI  - Invented Chapter",
        "BTI - StatPearls",
        "FAU - Hassan, K Z",
        "AU  - Hassan KZ",
    ]
    assert "AID - NBK537320 [bookaccession]" in nbib.record(chapter())


def test_blank_line_between_records_and_none_around() -> None:
    text = "".join(nbib.write([citation(), citation(90000002)]))
    assert text.count("\r\n\r\n") == 1
    assert text.startswith("PMID- 90000001\r\n")
    assert not text.endswith("\r\n\r\n")


def test_long_values_break_at_blanks_and_words_never() -> None:
    word = "x" * 200
    text = nbib.record(citation(abstract=f"Short words {word} and " + "more words " * 30))
    lines = text.split("\r\n")
    assert any(word in line for line in lines)
    assert all(len(line) <= 91 for line in lines if word not in line)
    (found,) = reading.read(text.encode(), Kind.NBIB)
    assert found.citation is not None
    assert found.citation.abstract is not None
    assert found.citation.abstract.sections[0].text == f"Short words {word} and " + ("more words " * 30).strip()


def test_wrong_elocations_are_left_out() -> None:
    wrong = citation(elocations=(citation().elocations[0]._replace(valid=False),))
    assert "LID" not in nbib.record(wrong)


def test_reader_gives_back_what_the_format_keeps() -> None:
    (found,) = reading.read(nbib.record(rich()).encode(), Kind.NBIB)
    held, back = rich(), found.citation
    assert back is not None
    same = (
        "pmid",
        "status",
        "owner",
        "completed_on",
        "revised_on",
        "title",
        "vernacular_title",
        "languages",
        "elocations",
    )
    for name in (*same, "article_dates", "publication_status", "coi_statement", "history"):
        assert getattr(back, name) == getattr(held, name), name
    assert back.journal == held.journal._replace(iso_abbreviation=None, cited_medium=None)  # type: ignore[union-attr]
    assert back.authors[0] == held.authors[0]
    assert back.authors[1].collective_name == "Invented Group"
    assert back.author_lists[1].authors == held.author_lists[1].authors
    assert back.doi == held.doi
    assert back.pmcid == held.pmcid
    assert back.corrections == held.corrections[:1]
    assert [(h.descriptor.name, h.major, [q.name for q in h.qualifiers]) for h in back.mesh_headings] == [
        ("Killer Cells, Natural", True, []),
        ("Neoplasms", True, ["therapy", "genetics"]),
    ]
    assert back.keyword_lists == (
        KeywordList((Keyword(InlineXml("CAR-NK"), True), Keyword(InlineXml("iPSC"))), "NOTNLM"),
    )
    assert back.data_banks == held.data_banks[:1]
    assert back.pagination is not None
    assert back.pagination.medline == "101-109"


def test_biopython_reads_the_same() -> None:
    (found,) = Medline.parse(io.StringIO(nbib.record(rich()).replace("\r\n", "\n")))
    assert found["PMID"] == "90000001"
    assert found["TI"] == "Invented natural killer cells carry an invented receptor."
    assert found["FAU"] == ["Example, A B Jr", "Placeholder, C"]
    assert found["AU"] == ["Example AB Jr", "Placeholder C"]
    assert found["CN"] == ["Invented Group"]
    assert found["MH"] == ["*Killer Cells, Natural", "Neoplasms/*therapy/genetics"]
    assert found["RIN"] == ["Invented J. 2025;1:1. PMID: 90000002"]
    assert found["AB"] == "AIM: To invent. RESULTS: Invented<1."
    assert found["LA"] == ["eng", "ger"]
    assert found["PHST"][0] == "2023/12/01 [received]"


@RELAXED
@given(citations())
def test_any_citation_is_one_record_to_every_reader(record: Citation) -> None:
    text = "".join(nbib.write([record, citation(90000002)]))
    assert [each.pmid for each in reading.read(text.encode(), Kind.NBIB)] == [record.pmid, 90000002]
    found: list[dict[str, Any]] = [each for each in Medline.parse(io.StringIO(text.replace("\r\n", "\n"))) if each]
    assert [each["PMID"] for each in found] == [str(record.pmid), "90000002"]


@RELAXED
@given(citations())
def test_writing_what_was_read_writes_the_same_bibliography(record: Citation) -> None:
    kept = ("PMID", "STAT", "VI", "IP", "TI", "PG", "LA", "PT", "CN", "MHDA", "CRDT", "PST", "JT", "TA")
    first = [(tag, value) for tag, value in nbib.fields(record) if value and tag in kept and record.book is None]
    (found,) = reading.read(nbib.record(record).encode(), Kind.NBIB)
    assert found.citation is not None
    second = [(tag, value) for tag, value in nbib.fields(found.citation) if value and tag in kept]
    if record.book is None:
        assert second == first


def test_ids_without_a_tag_of_their_own_go_to_aid() -> None:
    record = citation(article_ids=(ArticleId("90000001"), ArticleId("S1", "pii"), ArticleId("NIHMS1", "mid")))
    text = nbib.record(record)
    assert "AID - S1 [pii]" in text
    assert "MID - NIHMS1" in text
    assert "AID - 90000001" not in text


@pytest.mark.parametrize("hour", [None, 6])
def test_history_without_time(hour: int | None) -> None:
    record = citation(history=(HistoryDate("accepted", PartialDate(2024, 1, 2), hour),))
    expected = "PHST- 2024/01/02 [accepted]" if hour is None else "PHST- 2024/01/02 06:00 [accepted]"
    assert expected in nbib.record(record)


def test_addresses_of_editors_stay_with_editors() -> None:
    editor = author("Madeup E", affiliations=(Affiliation(InlineXml("Elsewhere.")),))
    held = citation(
        author_lists=(AuthorList((author("Example AB"),), kind="authors"), AuthorList((editor,), kind="editors"))
    )
    (found,) = reading.read(nbib.record(held).encode(), Kind.NBIB)
    assert found.citation is not None
    assert found.citation.author_lists == held.author_lists


def test_group_of_investigators_is_no_author() -> None:
    group = Author(collective_name=InlineXml("Invented Site"))
    text = nbib.record(citation(investigator_lists=(InvestigatorList((group,)),)))
    assert "FIR - Invented Site\r\nIR  - Invented Site\r\n" in text
    assert "CN  - " not in text


@needs_shared
def test_a_real_download_is_written_as_pubmed_wrote_it() -> None:
    """75 records of one download: read by us and written again, every value and the order of tags are PubMed's.

    Left out: SO (NBIB has no publication model), second ISSNs, grants, and LIDs of no kind, which citations do not hold.
    """
    data = (SHARED / "formats" / "nbib" / "pubmed-balloongui-set.nbib").read_bytes()
    blocks = re.split(r"(?m)^(?=PMID-)", re.sub(r"\r?\n {2,}", " ", decode(data)))[1:]
    records = list(reading.read(data, Kind.NBIB))
    assert len(records) == len(blocks) == 75
    for record, block in zip(records, blocks, strict=True):
        assert record.citation is not None
        left_out = {"SO", "IS", "GR"}
        theirs = [
            (tag.strip(), " ".join(text.split())) for tag, text in re.findall(r"(?m)^([A-Z]{2,4}) *- (.*)$", block)
        ]
        theirs = [each for each in theirs if each[0] not in left_out and (each[0] != "LID" or "[" in each[1])]
        ours = [(tag, text) for tag, text in nbib.fields(record.citation) if text and tag not in left_out]
        assert sorted(ours) == sorted(theirs)
        assert list(dict.fromkeys(tag for tag, _ in ours)) == list(dict.fromkeys(tag for tag, _ in theirs))
