"""GB/T 7714-2015 on invented citations, in the shapes of the standard's own samples."""

from __future__ import annotations

from typing import Any

from monitor.core.citation import Correction, InlineXml, PartialDate
from monitor.formats import gbt7714
from tests.factories import citation
from tests.unit.formats.test_nlm import STATPEARLS, chapter


def test_journal_article() -> None:
    assert gbt7714.cite(citation()) == (
        "EXAMPLE A B, PLACEHOLDER C. Invented natural killer cells carry an invented receptor[J]. Invented journal of "
        "cell therapy, 2024, 12(3): 101-109. DOI: 10.99999/invented.90000001."
    )


def test_more_than_three_authors() -> None:
    text = gbt7714.cite(citation(authors=["One A", "Two B", "Three C", "Four D"]))
    assert text.startswith("ONE A, TWO B, THREE C, et al. Invented")


def test_online_only_is_marked_and_dated() -> None:
    ahead: dict[str, Any] = {"volume": None, "issue": None, "pub_date": PartialDate(2024, 1, 15)}
    record = citation(journal=ahead, pagination=None, publication_status="aheadofprint")
    assert gbt7714.cite(record, read_on=PartialDate(2024, 2, 1)).endswith(
        "receptor[J/OL]. Invented journal of cell therapy, 2024(2024-01-15)[2024-02-01]. "
        "https://doi.org/10.99999/invented.90000001. DOI: 10.99999/invented.90000001."
    )


def test_preprint() -> None:
    record = citation(publication_types={"D000076942": "Preprint"})
    assert (
        "[A/OL]. Invented journal of cell therapy, 2024, 12(3)(2024-01-15): 101-109. https://doi.org/"
        in gbt7714.cite(record)
    )


def test_online_without_doi_leads_to_pubmed() -> None:
    record = citation(journal={"volume": None, "issue": None}, pagination=None, doi=None)
    assert gbt7714.cite(record).endswith(". https://pubmed.ncbi.nlm.nih.gov/90000001/.")


def test_chapter_of_an_online_book() -> None:
    assert gbt7714.cite(chapter()) == (
        "HASSAN K Z, SHERMAN A L. Invented Chapter[M/OL]//StatPearls. Treasure Island (FL): StatPearls Publishing, "
        "2022. https://www.ncbi.nlm.nih.gov/books/NBK537320/."
    )


def test_printed_book() -> None:
    book = STATPEARLS._replace(medium=None, edition="2nd ed.")
    record = chapter(book, title=None)
    assert gbt7714.cite(record) == (
        "HASSAN K Z, SHERMAN A L. StatPearls[M]. 2nd ed. Treasure Island (FL): StatPearls Publishing, 2022."
    )


def test_retraction_is_stated() -> None:
    record = citation(corrections=(Correction("RetractionIn", "Invented J. 2025;1:1."),))
    assert gbt7714.cite(record).endswith(" Retraction in: Invented J. 2025;1:1.")


def test_foreign_title() -> None:
    record = citation(title=InlineXml("[Invented cells]."), vernacular_title=InlineXml("Erfundene Zellen."))
    assert ". Erfundene Zellen [Invented cells][J]. " in gbt7714.cite(record)
