"""Invented citations and a made-up corner of a subject tree for the query tests; nothing here is a real paper."""

from __future__ import annotations

from typing import Any

from monitor.core.citation import (
    Abstract,
    AbstractSection,
    Affiliation,
    ArticleDate,
    ArticleId,
    Author,
    AuthorList,
    Chemical,
    Citation,
    Correction,
    DataBank,
    ELocation,
    Grant,
    HistoryDate,
    Identifier,
    InlineXml,
    Issn,
    Journal,
    Keyword,
    KeywordList,
    MeshHeading,
    MeshTerm,
    OtherAbstract,
    Pagination,
    PartialDate,
    PublicationType,
    SupplementaryConcept,
)
from monitor.core.query import Document, MeshTree, document, explain, matches, parse

TREE = MeshTree.from_rows(
    [
        ("D007694", "Killer Cells, Natural", ("A11.118.637", "A15.145"), ("NK Cells", "Cell, Natural Killer")),
        ("D015979", "Killer Cells, Lymphokine-Activated", ("A11.118.637.500",), ("LAK Cells",)),
        ("D009369", "Neoplasms", ("C04",), ("Cancer", "Tumors")),
        ("D008175", "Lung Neoplasms", ("C04.588.894",), ("Lung Cancer",)),
        ("D001943", "Breast Neoplasms", ("C04.588.180",), ()),
        ("D016430", "Clinical Trial", ("V03.175.250",), ()),
        ("D016449", "Randomized Controlled Trial", ("V03.175.250.500.500",), ()),
        ("D016440", "Retraction of Publication", ("V01.775",), ("Retraction Notice",)),
        ("D006801", "Humans", ("B01.050.150",), ("Human",)),
        ("D000818", "Animals", ("B01.050",), ("Animal",)),
    ]
)


def citation(**changes: Any) -> Citation:
    """An invented citation with something in most fields."""
    base: dict[str, Any] = {
        "pmid": 90000001,
        "status": "MEDLINE",
        "owner": "NLM",
        "indexing_method": "Automated",
        "completed_on": PartialDate(2025, 2, 20),
        "revised_on": PartialDate(2025, 3, 4),
        "pub_model": "Print-Electronic",
        "journal": Journal(
            title="Invented journal of cell therapy",
            iso_abbreviation="Invent. J. Cell Ther.",
            medline_ta="Invented J Cell Ther",
            nlm_unique_id="9990001",
            issn=Issn("9999-0001", "Print"),
            issn_linking="9999-0000",
            country="Utopia",
            volume="12",
            issue="3",
            pub_date=PartialDate(2025, 4),
        ),
        "title": InlineXml("CAR-NK cells and the <i>NK-92</i> line in invented lung cancer"),
        "pagination": Pagination("113", "125", "113-25"),
        "elocations": (ELocation("10.9999/invented(25)00001-X", "doi"),),
        "abstract": Abstract(
            (
                AbstractSection(InlineXml("Natural killer cells carry receptors."), "BACKGROUND"),
                AbstractSection(InlineXml("Invented CD3<sup>+</sup>CD56<sup>+</sup> killers met tumours."), "METHODS"),
            )
        ),
        "other_abstracts": (OtherAbstract((AbstractSection(InlineXml("自然杀伤细胞治疗")),), "Publisher", "chi"),),
        "author_lists": (
            AuthorList(
                (
                    Author(
                        "Dichter",
                        "Johanna K",
                        "JK",
                        identifiers=(Identifier("ORCID", "https://orcid.org/0000-0001-9999-0001"),),
                        affiliations=(Affiliation(InlineXml("Institute of Fables, Utopia City")),),
                    ),
                    Author(collective_name=InlineXml("Invented Study Group")),
                    Author("García Sánchez", "Luz", "L", suffix=InlineXml("Jr")),
                )
            ),
        ),
        "languages": ("eng",),
        "data_banks": (DataBank("ClinicalTrials.gov", ("NCT99999999",)),),
        "grants": (Grant("FAB-17", "FA", "Fable Agency", "Utopia"),),
        "publication_types": (
            PublicationType("D016428", "Journal Article"),
            PublicationType("D016449", "Randomized Controlled Trial"),
        ),
        "article_dates": (ArticleDate(PartialDate(2024, 12, 28)),),
        "chemicals": (Chemical("EC 9.9.9.9", "D999001", "Fabulase"),),
        "supplementary_concepts": (SupplementaryConcept("Protocol", "C999002", "FAB protocol"),),
        "citation_subsets": ("IM",),
        "corrections": (Correction("ErratumIn", "Invented J Cell Ther. 2025;12(4):1"),),
        "mesh_headings": (
            MeshHeading(MeshTerm("D007694", "Killer Cells, Natural"), (MeshTerm("Q000637", "transplantation", True),)),
            MeshHeading(MeshTerm("D008175", "Lung Neoplasms", True), (MeshTerm("Q000188", "drug therapy"),)),
            MeshHeading(MeshTerm("D006801", "Humans")),
        ),
        "keyword_lists": (
            KeywordList((Keyword(InlineXml("off-the-shelf")), Keyword(InlineXml("fable"))), "NOTNLM"),
            KeywordList((Keyword(InlineXml("agency word")),), "NASA"),
        ),
        "history": (
            HistoryDate("entrez", PartialDate(2025, 1, 5)),
            HistoryDate("pubmed", PartialDate(2025, 1, 6)),
            HistoryDate("medline", PartialDate(2025, 2, 19)),
        ),
        "publication_status": "ppublish",
        "article_ids": (ArticleId("90000001"), ArticleId("10.9999/invented(25)00001-X", "doi")),
    }
    return Citation(**(base | changes))


def prepared(**changes: Any) -> Document:
    return document(citation(**changes))


def titled(title: str) -> Document:
    """A document that has a title and nothing else."""
    return document(Citation(pmid=90000002, title=InlineXml(title)))


def found(search: str, on: Document | None = None, **options: Any) -> bool:
    return matches(parse(search), on or prepared(), TREE, **options)


def reasons(search: str, on: Document | None = None, **options: Any) -> list[tuple[str, int, str]]:
    return [(m.place, m.part, m.words) for m in explain(parse(search), on or prepared(), TREE, **options)]
