"""The source line and the whole citation, held against citations that PubMed itself has shown.

Bibliographic facts are real where a sample is PubMed's own; titles and authors beside them are invented.
"""

from __future__ import annotations

from typing import Any

import pytest

from monitor.core.citation import (
    ArticleDate,
    ArticleId,
    Author,
    AuthorList,
    Book,
    BookTitle,
    Citation,
    Correction,
    ELocation,
    InlineXml,
    Journal,
    Pagination,
    PartialDate,
    PublicationType,
)
from monitor.formats import nlm
from tests.factories import author, citation


def placed(
    ta: str,
    date: PartialDate,
    volume: str | None = None,
    issue: str | None = None,
    pages: str | None = None,
    *,
    model: str = "Print",
    online: tuple[int, int, int] | None = None,
    doi: str | None = None,
    pii: str | None = None,
    **overrides: Any,
) -> Citation:
    """A citation that says no more than where it was published."""
    places = (ELocation(pii, "pii") if pii else None, ELocation(doi, "doi") if doi else None)
    return citation(
        pub_model=model,
        journal=Journal(medline_ta=ta, volume=volume, issue=issue, pub_date=date),
        pagination=Pagination(medline=pages) if pages else None,
        elocations=tuple(each for each in places if each is not None),
        article_ids=(),
        article_dates=(ArticleDate(PartialDate(*online)),) if online else (),
        publication_status=overrides.pop("status", "ppublish"),
        **overrides,
    )


AHEAD = "aheadofprint"
PREPRINT = {"D016428": "Journal Article", "D000076942": "Preprint"}

SAMPLES = {
    "print, year only": (
        placed("Clin Lab", PartialDate(2003), "49", "7-8", "367-77"),
        "Clin Lab. 2003;49(7-8):367-77.",
    ),
    "print, month": (
        placed("Brief Bioinform", PartialDate(2002, 9), "3", "3", "296-302"),
        "Brief Bioinform. 2002 Sep;3(3):296-302.",
    ),
    "print-electronic without DOI": (
        placed(
            "Bioinformatics",
            PartialDate(2006, 3, 1),
            "22",
            "5",
            "616-7",
            model="Print-Electronic",
            online=(2005, 12, 23),
        ),
        "Bioinformatics. 2006 Mar 1;22(5):616-7. Epub 2005 Dec 23.",
    ),
    "print-electronic": (
        placed(
            "Int J Geriatr Psychiatry",
            PartialDate(2020, 4),
            "35",
            "4",
            "396-404",
            model="Print-Electronic",
            online=(2020, 1, 23),
            doi="10.1002/gps.5255",
        ),
        "Int J Geriatr Psychiatry. 2020 Apr;35(4):396-404. doi: 10.1002/gps.5255. Epub 2020 Jan 23.",
    ),
    "print-electronic, issue dated by year only": (
        placed(
            "Eur Neurol",
            PartialDate(2020),
            "83",
            "4",
            "426-432",
            model="Print-Electronic",
            online=(2020, 8, 5),
            doi="10.1159/000509685",
        ),
        "Eur Neurol. 2020;83(4):426-432. doi: 10.1159/000509685. Epub 2020 Aug 5.",
    ),
    "print-electronic without issue": (
        placed(
            "Biomed Pharmacother",
            PartialDate(2023, 9),
            "165",
            None,
            "115123",
            model="Print-Electronic",
            online=(2023, 7, 4),
            doi="10.1016/j.biopha.2023.115123",
        ),
        "Biomed Pharmacother. 2023 Sep;165:115123. doi: 10.1016/j.biopha.2023.115123. Epub 2023 Jul 4.",
    ),
    "electronic": (
        placed("BMC Bioinformatics", PartialDate(2006), "7", None, "10", model="Electronic", online=(2006, 1, 10)),
        "BMC Bioinformatics. 2006 Jan 10;7:10.",
    ),
    "electronic with an issue date as precise": (
        placed(
            "Sci Rep",
            PartialDate(2020, 9, 25),
            "10",
            "1",
            "15816",
            model="Electronic",
            online=(2020, 9, 24),
            doi="10.1038/s41598-020-73019-x",
        ),
        "Sci Rep. 2020 Sep 25;10(1):15816. doi: 10.1038/s41598-020-73019-x.",
    ),
    "electronic-print": (
        placed(
            "Nucleic Acids Res",
            PartialDate(2005),
            "33",
            "4",
            "1141-53",
            model="Electronic-Print",
            online=(2005, 2, 23),
            doi="10.1093/nar/gki242",
        ),
        "Nucleic Acids Res. 2005 Feb 23;33(4):1141-53. doi: 10.1093/nar/gki242. Print 2005.",
    ),
    "electronic-ecollection, year": (
        placed(
            "Front Immunol",
            PartialDate(2022),
            "13",
            None,
            "1030409",
            model="Electronic-eCollection",
            online=(2022, 11, 10),
            doi="10.3389/fimmu.2022.1030409",
        ),
        "Front Immunol. 2022 Nov 10;13:1030409. doi: 10.3389/fimmu.2022.1030409. eCollection 2022.",
    ),
    "electronic-ecollection, month": (
        placed(
            "PLoS Genet",
            PartialDate(2022, 5),
            "18",
            "5",
            "e1010220",
            model="Electronic-eCollection",
            online=(2022, 5, 23),
            doi="10.1371/journal.pgen.1010220",
        ),
        "PLoS Genet. 2022 May 23;18(5):e1010220. doi: 10.1371/journal.pgen.1010220. eCollection 2022 May.",
    ),
    "electronic-ecollection, MedlineDate": (
        placed(
            "Invented J",
            PartialDate(2023, text="2023 Jan-Dec"),
            "9",
            None,
            "1",
            model="Electronic-eCollection",
            online=(2023, 2, 1),
        ),
        "Invented J. 2023 Feb 1;9:1. eCollection 2023 Jan-Dec.",
    ),
    "ahead of print": (
        placed(
            "Rev Bras Ginecol Obstet",
            PartialDate(2021, 1, 19),
            model="Print-Electronic",
            online=(2021, 1, 19),
            doi="10.1055/s-0040-1719149",
            status=AHEAD,
        ),
        "Rev Bras Ginecol Obstet. 2021 Jan 19. doi: 10.1055/s-0040-1719149. Online ahead of print.",
    ),
    "ahead of print with pii as location": (
        placed(
            "Wilderness Environ Med",
            PartialDate(2022, 10, 7),
            model="Print-Electronic",
            online=(2022, 10, 7),
            doi="10.1016/j.wem.2022.07.008",
            pii="S1080-6032(22)00139-9",
            status=AHEAD,
        ),
        "Wilderness Environ Med. 2022 Oct 7:S1080-6032(22)00139-9. doi: 10.1016/j.wem.2022.07.008. "
        "Online ahead of print.",
    ),
    "ahead of print with pages": (
        placed(
            "J Neurosurg",
            PartialDate(2018, 11, 1),
            pages="1-7",
            model="Print-Electronic",
            online=(2018, 11, 1),
            doi="10.3171/2018.6.JNS181045",
            pii="2018.6.JNS181045",
            status=AHEAD,
        ),
        "J Neurosurg. 2018 Nov 1:1-7. doi: 10.3171/2018.6.JNS181045. Online ahead of print.",
    ),
    "pii in the place of pages": (
        placed(
            "Ann Psychiatry Clin Neurosci",
            PartialDate(2021),
            "4",
            "1",
            model="Print-Electronic",
            online=(2021, 12, 27),
            pii="1042",
        ),
        "Ann Psychiatry Clin Neurosci. 2021;4(1):1042. Epub 2021 Dec 27.",
    ),
    "preprint": (
        placed(
            "bioRxiv",
            PartialDate(2024, 10, 26),
            pages="2024.09.18.613279",
            model="Electronic",
            doi="10.1101/2024.09.18.613279",
            publication_types=PREPRINT,
        ),
        "bioRxiv [Preprint]. 2024 Oct 26:2024.09.18.613279. doi: 10.1101/2024.09.18.613279.",
    ),
    "preprint without DOI": (
        placed(
            "ArXiv",
            PartialDate(2020, 4, 22),
            pages="arXiv:2004.10706v4",
            model="Electronic",
            publication_types=PREPRINT,
        ),
        "ArXiv [Preprint]. 2020 Apr 22:arXiv:2004.10706v4.",
    ),
    "season": (
        placed("J Child Adolesc Psychopharmacol", PartialDate(2000, season="Fall"), "10", "3", "205-16"),
        "J Child Adolesc Psychopharmacol. 2000 Fall;10(3):205-16.",
    ),
    "MedlineDate": (
        placed("Am J Sports Med", PartialDate(2000, text="2000 Sep-Oct"), "28", "5", "626-33"),
        "Am J Sports Med. 2000 Sep-Oct;28(5):626-33.",
    ),
    "supplement as issue": (
        placed("Nucleic Acids Res", PartialDate(2013, 1), "41", "Database issue", "D36-42"),
        "Nucleic Acids Res. 2013 Jan;41(Database issue):D36-42.",
    ),
    "supplement in the volume": (
        placed("Invented J", PartialDate(2011), "12 Suppl 1", None, "S1-9"),
        "Invented J. 2011;12 Suppl 1:S1-9.",
    ),
    "issue without volume": (
        placed("Cochrane Database Syst Rev", PartialDate(2000), None, "2", "CD002112"),
        "Cochrane Database Syst Rev. 2000;(2):CD002112.",
    ),
    "neither volume nor issue nor pages": (placed("Invented J", PartialDate(2019, 6)), "Invented J. 2019 Jun."),
    "discussion after the pages": (
        placed("Health Educ Behav", PartialDate(2000, 8), "27", "4", "417-20; discussion 421-2"),
        "Health Educ Behav. 2000 Aug;27(4):417-20; discussion 421-2.",
    ),
}


@pytest.mark.parametrize(("record", "expected"), SAMPLES.values(), ids=SAMPLES.keys())
def test_source_line_as_pubmed_shows_it(record: Citation, expected: str) -> None:
    assert nlm.source_line(record) == expected


def test_cite_names_ahead_of_print_epub() -> None:
    record, _ = SAMPLES["ahead of print"]
    expected = "Rev Bras Ginecol Obstet. 2021 Jan 19. doi: 10.1055/s-0040-1719149."
    assert nlm.source_line(record, "cite") == f"{expected} Epub ahead of print."
    assert nlm.source_line(record, "nbib") == expected


def test_cite_leaves_ecollection_out() -> None:
    record = placed(
        "Front Psychol",
        PartialDate(2020),
        "11",
        None,
        "1246",
        model="Electronic-eCollection",
        online=(2020, 6, 17),
        doi="10.3389/fpsyg.2020.01246",
    )
    expected = "Front Psychol. 2020 Jun 17;11:1246. doi: 10.3389/fpsyg.2020.01246."
    assert nlm.source_line(record, "cite") == expected
    assert nlm.source_line(record) == f"{expected} eCollection 2020."
    assert nlm.source_line(record, "nbib") == f"{expected} eCollection 2020."


def test_cite_leaves_print_date_out_and_keeps_epub() -> None:
    printed, _ = SAMPLES["electronic-print"]
    assert "Print" not in nlm.source_line(printed, "cite")
    epub, expected = SAMPLES["print-electronic"]
    assert nlm.source_line(epub, "cite") == expected


def test_cite_names_a_foreign_language_after_the_pages() -> None:
    record = placed(
        "Schmerz", PartialDate(2023, 4), "37", "2", "107-115", doi="10.1007/s00482-023-00703-y", languages=("ger",)
    )
    expected = "Schmerz. 2023 Apr;37(2):107-115. German. doi: 10.1007/s00482-023-00703-y."
    assert nlm.source_line(record, "cite") == expected
    assert "German" not in nlm.source_line(record)


def test_cite_names_both_languages_in_the_order_of_the_record() -> None:
    record = placed("Rev Paul Pediatr", PartialDate(2021), "39", None, "e2019226", languages=("por", "eng"))
    assert nlm.source_line(record, "cite") == "Rev Paul Pediatr. 2021;39:e2019226. Portuguese, English."


def test_an_unknown_language_stands_for_itself() -> None:
    record = placed("Invented J", PartialDate(2021), "3", languages=("qqq",))
    assert nlm.source_line(record, "cite") == "Invented J. 2021;3. qqq."


def test_a_known_wrong_doi_is_never_cited() -> None:
    record = citation(elocations=(ELocation("10.99999/wrong", "doi", valid=False),), article_ids=())
    assert "doi" not in nlm.source_line(record)


def test_doi_of_the_article_ids_serves_where_no_elocation_is() -> None:
    record = citation(elocations=(), article_ids=(ArticleId("10.99999/second", "doi"),))
    assert "doi: 10.99999/second." in nlm.source_line(record)


def test_no_journal_and_no_date_leave_no_punctuation() -> None:
    assert nlm.source_line(Citation(pmid=90000001)) == ""
    assert nlm.cite(Citation(pmid=90000001)) == "PMID: 90000001."


def test_electronic_date_serves_where_the_issue_has_none() -> None:
    record = citation(pub_model="Print", journal={"pub_date": None}, pagination=None, doi=None)
    assert nlm.source_line(record) == "Invented J Cell Ther. 2024 Jan 15;12(3)."


def test_impossible_month_leaves_the_year() -> None:
    assert nlm.source_line(placed("Invented J", PartialDate(2020, 13, 1), "1")) == "Invented J. 2020;1."


def test_date_that_is_no_date_stands_verbatim() -> None:
    record = placed("Invented J", PartialDate(2020, 2, text="2020 Feb 31"), "1")
    assert nlm.source_line(record) == "Invented J. 2020 Feb 31;1."


def test_whole_citation() -> None:
    record = citation(pmcid="PMC9900001")
    assert nlm.cite(record) == (
        "Example AB, Placeholder C. Invented natural killer cells carry an invented receptor. Invented J Cell Ther. "
        "2024 Mar;12(3):101-109. doi: 10.99999/invented.90000001. Epub 2024 Jan 15. "
        "PMID: 90000001; PMCID: PMC9900001."
    )


def test_summary_has_title_first_and_a_line_each() -> None:
    record = citation(corrections=(Correction("RetractionIn", "Invented J. 2025;13:1."),))
    assert nlm.summary(record).splitlines() == [
        "Invented natural killer cells carry an invented receptor.",
        "Example AB, Placeholder C.",
        "Invented J Cell Ther. 2024 Mar;12(3):101-109. doi: 10.99999/invented.90000001. Epub 2024 Jan 15.",
        "Retraction in: Invented J. 2025;13:1.",
        "PMID: 90000001.",
    ]


def test_erratum_stands_after_ahead_of_print_and_before_the_ids() -> None:
    record = placed(
        "Nat Rev Drug Discov",
        PartialDate(2022, 5, 30),
        model="Print-Electronic",
        online=(2022, 5, 30),
        doi="10.1038/s41573-022-00472-w",
        status=AHEAD,
        pmid=35637317,
        corrections=(Correction("ErratumIn", "Nat Rev Drug Discov. 2022 Jul;21(7):541. ", 35710630),),
    )
    assert nlm.cite(record).endswith(
        "Nat Rev Drug Discov. 2022 May 30. doi: 10.1038/s41573-022-00472-w. Epub ahead of print. "
        "Erratum in: Nat Rev Drug Discov. 2022 Jul;21(7):541. PMID: 35637317."
    )


def test_retraction_stands_before_the_ids() -> None:
    notice = "Occup Ther Int. 2023 Oct 4;2023:9763538. doi: 10.1155/2023/9763538."
    record = placed(
        "Occup Ther Int",
        PartialDate(2022),
        "2022",
        None,
        "6167197",
        model="Electronic-eCollection",
        online=(2022, 7, 12),
        doi="10.1155/2022/6167197",
        pmid=35936831,
        corrections=(Correction("RetractionIn", notice),),
    )
    assert nlm.source_line(record, "cite") == "Occup Ther Int. 2022 Jul 12;2022:6167197. doi: 10.1155/2022/6167197."
    assert nlm.cite(record).endswith(f" Retraction in: {notice} PMID: 35936831.")


def test_retracted_title_keeps_its_prefix() -> None:
    record = placed(
        "Cell",
        PartialDate(2024, 12, 26),
        "187",
        "26",
        "7637-7654.e29",
        model="Print-Electronic",
        online=(2024, 11, 11),
        doi="10.1016/j.cell.2024.10.021",
        pmid=39532094,
        title=InlineXml("RETRACTED: Invented screens."),
        authors=["Invented WW", "Madeup NE"],
        corrections=(
            Correction("RetractionIn", "Cell. 2025 Dec 24;188(26):7629. doi: 10.1016/j.cell.2025.11.032.", 41448147),
        ),
    )
    assert nlm.cite(record) == (
        "Invented WW, Madeup NE. RETRACTED: Invented screens. Cell. 2024 Dec 26;187(26):7637-7654.e29. "
        "doi: 10.1016/j.cell.2024.10.021. Epub 2024 Nov 11. Retraction in: Cell. 2025 Dec 24;188(26):7629. "
        "doi: 10.1016/j.cell.2025.11.032. PMID: 39532094."
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Pain Med. 2023 Feb 03;:", "Retraction in: Pain Med. 2023 Feb 03;:"),
        ("Circulation. 2005 Jul 26;112(4):e72", "Retraction in: Circulation. 2005 Jul 26;112(4):e72."),
        (None, "Retraction in: PMID: 90000009."),
    ],
)
def test_odd_sources_of_a_notice(source: str | None, expected: str) -> None:
    record = citation(corrections=(Correction("RetractionIn", source, 90000009),))
    assert f" {expected} PMID: 90000001." in nlm.cite(record)


def test_comments_and_cited_works_are_not_stated() -> None:
    record = citation(corrections=(Correction("CommentIn", "Invented J."), Correction("Cites", "Invented J.")))
    assert "Comment" not in nlm.cite(record)
    assert "Cites" not in nlm.cite(record)


def people(*authors: Author, complete: bool = True, kind: str = "authors") -> str:
    return nlm.cite(citation(author_lists=(AuthorList(authors, complete, kind),), title=InlineXml("T.")))


def test_suffix_follows_the_initials() -> None:
    assert people(author("Invented GW", suffix=InlineXml("Jr"))).startswith("Invented GW Jr. T.")


def test_group_is_parted_by_semicolons() -> None:
    group = Author(collective_name=InlineXml("Invented <i>NK</i> Study Group"))
    listed = people(author("Invented A"), group, author("Madeup B"))
    assert listed.startswith("Invented A; Invented NK Study Group; Madeup B. T.")


def test_group_alone() -> None:
    assert people(Author(collective_name=InlineXml("Invented Group of R&amp;D"))).startswith(
        "Invented Group of R&D. T."
    )


def test_incomplete_list_means_et_al() -> None:
    assert people(author("Invented A"), complete=False).startswith("Invented A, et al. T.")


def test_superseded_name_is_not_shown() -> None:
    assert people(author("Wrong A", valid=False), author("Right A")).startswith("Right A. T.")


def test_last_name_alone() -> None:
    assert people(Author(last_name="Plato")).startswith("Plato. T.")


def test_initials_are_made_of_forenames_where_pubmed_has_none() -> None:
    assert people(Author("Invented", "Ada Bea")).startswith("Invented AB. T.")


def test_editors_stand_for_authors() -> None:
    assert people(author("Invented A"), author("Madeup B"), kind="editors").startswith(
        "Invented A, Madeup B, editors. T."
    )
    assert people(author("Invented A"), kind="editors").startswith("Invented A, editor. T.")


def test_no_authors_start_with_the_title() -> None:
    assert nlm.cite(citation(author_lists=(), title=InlineXml("T."))).startswith("T. Invented J Cell Ther.")


@pytest.mark.parametrize("title", ["Does it work?", "It works!", "It works...", "[It works.]"])
def test_title_keeps_its_closing_mark(title: str) -> None:
    expected = "[It works.]." if title.startswith("[") else title
    assert f" {expected} Invented J Cell Ther." in nlm.cite(citation(title=InlineXml(title)))


def test_title_without_stop_gets_one() -> None:
    assert " It works. Invented J Cell Ther." in nlm.cite(citation(title=InlineXml("It works")))


def test_original_title_stands_before_the_english_one() -> None:
    record = citation(title=InlineXml("[Invented cells]."), vernacular_title=InlineXml("Erfundene Zellen."))
    assert " Erfundene Zellen [Invented cells]. Invented J" in nlm.cite(record)


def test_original_title_beside_an_english_one_without_brackets() -> None:
    record = citation(title=InlineXml("Invented cells."), vernacular_title=InlineXml("Erfundene Zellen"))
    assert " Erfundene Zellen [Invented cells]. Invented J" in nlm.cite(record)


def test_subscripts_in_a_title_are_readable() -> None:
    assert " CO₂ works. " in nlm.cite(citation(title=InlineXml("CO<sub>2</sub> works.")))


STATPEARLS = Book(
    title=BookTitle(InlineXml("StatPearls")),
    publisher=InlineXml("StatPearls Publishing"),
    publisher_location="Treasure Island (FL)",
    pub_date=PartialDate(2022, 1),
    beginning_date=PartialDate(2022, 1),
    medium="Internet",
    contribution_date=PartialDate(2022, 7, 19),
)


def chapter(book: Book = STATPEARLS, **overrides: Any) -> Citation:
    fields: dict[str, Any] = {
        "pmid": 30726005,
        "title": InlineXml("Invented Chapter"),
        "author_lists": (AuthorList((author("Hassan KZ"), author("Sherman AL")), kind="authors"),),
    }
    return Citation(**{**fields, **overrides}, book=book, article_ids=(ArticleId("NBK537320", "bookaccession"),))


def test_chapter_as_in_summary_text() -> None:
    assert nlm.cite(chapter()) == (
        "Hassan KZ, Sherman AL. Invented Chapter. 2022 Jul 19. In: StatPearls [Internet]. Treasure Island (FL): "
        "StatPearls Publishing; 2022 Jan–. PMID: 30726005."
    )


def test_chapter_with_editors_of_the_book() -> None:
    edited = STATPEARLS._replace(author_lists=(AuthorList((author("Madeup E"),), kind="editors"),))
    assert " In: Madeup E, editor. StatPearls [Internet]." in nlm.cite(chapter(edited))


def test_chapter_without_authors_follows_its_book_as_in_summary_text() -> None:
    book = STATPEARLS._replace(
        title=BookTitle(InlineXml("Drugs and Lactation Database (LactMed)")),
        publisher=InlineXml("National Library of Medicine (US)"),
        publisher_location="Bethesda (MD)",
        beginning_date=PartialDate(2006),
        contribution_date=PartialDate(2020, 9, 21),
    )
    assert nlm.cite(chapter(book, pmid=30000115, title=InlineXml("Olanzapine"), author_lists=())) == (
        "Drugs and Lactation Database (LactMed) [Internet]. Bethesda (MD): National Library of Medicine (US); 2006–. "
        "Olanzapine. 2020 Sep 21. PMID: 30000115."
    )


def test_whole_book_with_report_number_as_in_summary_text() -> None:
    book = Book(
        title=BookTitle(InlineXml("Therapies for Clinically Localized Prostate Cancer")),
        publisher=InlineXml("Agency for Healthcare Research and Quality (US)"),
        publisher_location="Rockville (MD)",
        pub_date=PartialDate(2020, 9),
        author_lists=(AuthorList((author("Dahm P"), author("Wilt TJ")), kind="authors"),),
        medium="Internet",
        report_number="20-EHC022",
    )
    record = chapter(book, pmid=32986341, title=None, author_lists=())
    assert nlm.cite(record) == (
        "Dahm P, Wilt TJ. Therapies for Clinically Localized Prostate Cancer [Internet]. Rockville (MD): Agency for "
        "Healthcare Research and Quality (US); 2020 Sep. Report No.: 20-EHC022. PMID: 32986341."
    )


def test_source_of_a_chapter() -> None:
    assert nlm.source_line(chapter()) == (
        "2022 Jul 19. In: StatPearls [Internet]. Treasure Island (FL): StatPearls Publishing; 2022 Jan–."
    )


def test_finished_series_has_both_years() -> None:
    book = STATPEARLS._replace(beginning_date=PartialDate(1998), ending_date=PartialDate(2004), edition="2nd ed")
    assert " StatPearls [Internet]. 2nd ed. Treasure Island (FL): StatPearls Publishing; 1998–2004." in nlm.cite(
        chapter(book)
    )


def test_vancouver_stops_at_six_authors_and_has_no_ids() -> None:
    names = [f"Invented {letter}" for letter in "ABCDEFG"]
    text = nlm.vancouver(citation(authors=names))
    assert text.startswith("Invented A, Invented B, Invented C, Invented D, Invented E, Invented F, et al. Invented")
    assert "PMID" not in text
    assert "et al" not in nlm.vancouver(citation(authors=names[:6]))


def test_vancouver_keeps_a_retraction() -> None:
    record = citation(corrections=(Correction("RetractionIn", "Invented J. 2025;1:1."),))
    assert nlm.vancouver(record).endswith(" Retraction in: Invented J. 2025;1:1.")


def test_preprint_is_told_by_its_type_not_its_words() -> None:
    record = citation(publication_types=(PublicationType("D016428", "Journal Article"),), title=InlineXml("Preprint."))
    assert "[Preprint]" not in nlm.source_line(record)
