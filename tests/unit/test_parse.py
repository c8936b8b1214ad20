"""What stands in a record stands in the citation: one named test per oddity of PubMed's XML."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

import pytest

from monitor.core.citation import (
    Affiliation,
    ArticleId,
    Author,
    Citation,
    Correction,
    Deleted,
    HistoryDate,
    Identifier,
    InlineXml,
    MeshTerm,
    PartialDate,
    Reference,
    Unknown,
)
from monitor.core.markup import plain
from monitor.errors import RecordError
from monitor.pubmed.parse import Found, open_records, read_records
from tests.unit.parse_emitting import emit, facts, normalise

EVERYTHING = Path(__file__).resolve().parents[1] / "data" / "pubmed" / "everything.xml"


def record(
    citation: str = "", article: str = "", data: str = "", pmid: str = '<PMID Version="1">90000001</PMID>'
) -> bytes:
    return (
        f'<PubmedArticle><MedlineCitation Status="Publisher">{pmid}<Article PubModel="Print">{article}</Article>'
        f"{citation}</MedlineCitation><PubmedData>{data}</PubmedData></PubmedArticle>"
    ).encode()


def read(*records: bytes) -> list[Found]:
    return list(read_records([b"<PubmedArticleSet>", *records, b"</PubmedArticleSet>"]))


def one(citation: str = "", article: str = "", data: str = "") -> Citation:
    (found,) = read(record(citation, article, data))
    assert isinstance(found, Citation)
    return found


def pub_date(inner: str) -> PartialDate | None:
    issue = f'<Journal><JournalIssue CitedMedium="Print"><PubDate>{inner}</PubDate></JournalIssue></Journal>'
    return one(article=issue).pub_date


@pytest.fixture(scope="module")
def everything() -> tuple[Citation, Citation]:
    article, book, *deleted = read_records(open_records(EVERYTHING))
    assert deleted == [Deleted(90000020, 1), Deleted(90000021, 2)]
    assert isinstance(article, Citation)
    assert isinstance(book, Citation)
    return article, book


def test_every_element_of_the_dtd_finds_its_place(everything: tuple[Citation, Citation]) -> None:
    text = EVERYTHING.read_text(encoding="utf-8")
    text = text.replace("<PubmedArticleSet>", '<PubmedArticleSet xmlns:mml="http://www.w3.org/1998/Math/MathML">')
    explained: Counter[str] = Counter()
    for sent, held in zip(ET.fromstring(text), everything, strict=False):
        if sent.tag == "PubmedBookArticle":
            ids = sent.find("PubmedBookData/ArticleIdList")
            sent.find("BookDocument/ArticleIdList").extend(list(ids))
            sent.find("PubmedBookData").remove(ids)
        normalise(sent, explained)
        assert held.unknown == ()
        assert facts(emit(held)) == facts(sent)


def test_identity_and_status(everything: tuple[Citation, Citation]) -> None:
    c = everything[0]
    assert (c.pmid, c.version, c.version_id, c.version_date) == (90000001, 2, "v2", "2024/05/06")
    assert (c.status, c.owner, c.indexing_method, c.pub_model) == ("MEDLINE", "NASA", "Curated", "Print-Electronic")


def test_only_the_articles_own_ids_are_its_ids(everything: tuple[Citation, Citation]) -> None:
    c = everything[0]
    assert c.article_ids == (
        ArticleId("90000001", "pubmed"),
        ArticleId("10.99999/invented.other", "doi"),
        ArticleId("PMC9900001", "pmc"),
    )
    assert c.pmcid == "PMC9900001"
    assert c.reference_lists[0].references[0].ids[0].value == "NOT_FOUND;INVALID_JOURNAL"


def test_doi_known_to_be_wrong_is_never_the_doi(everything: tuple[Citation, Citation]) -> None:
    assert everything[0].elocations[0].valid is False
    assert everything[0].doi == "10.99999/invented.1"


def test_markup_is_kept_and_text_is_escaped(everything: tuple[Citation, Citation]) -> None:
    assert everything[0].title == (
        "[Invented <i>in vitro</i> dose of 10<sup>6</sup> cells &amp; CO<sub>2</sub>: p &lt; 0.05, <b><u>nested</u></b>]."
    )


def test_mathml_without_its_declaration_is_repaired(everything: tuple[Citation, Citation]) -> None:
    text = everything[0].abstract.sections[1].text
    assert text.startswith(
        'We used <mml:math xmlns:mml="http://www.w3.org/1998/Math/MathML"><mml:mi>x</mml:mi></mml:math>'
    )
    assert '<DispFormula><mml:math display="block" xmlns:mml="http://www.w3.org/1998/Math/MathML">' in text
    ET.fromstring(f"<x>{text}</x>")


def test_unusual_characters_are_untouched(everything: tuple[Citation, Citation]) -> None:
    text = everything[0].abstract.sections[2].text
    assert text == "مرحبا \N{MATHEMATICAL ITALIC SMALL ALPHA} e\u0301 soft\u00adhyphen\u00a0space."


def test_attribute_defaults_of_the_dtd_are_supplied() -> None:
    c = one(
        article='<ELocationID EIdType="doi">10.99999/x</ELocationID><AuthorList><Author><LastName>A</LastName></Author>'
        "</AuthorList><DataBankList/><GrantList/><ArticleDate><Year>2024</Year><Month>01</Month><Day>02</Day></ArticleDate>",
        citation='<MeshHeadingList><MeshHeading><DescriptorName UI="D1">M</DescriptorName></MeshHeading></MeshHeadingList>'
        '<OtherAbstract Type="AIDS"><AbstractText>t</AbstractText></OtherAbstract><KeywordList><Keyword>k</Keyword>'
        "</KeywordList><GeneralNote>n</GeneralNote>",
        data="<ArticleIdList><ArticleId>90000001</ArticleId></ArticleIdList>",
    )
    assert c.owner == "NLM"
    assert c.author_lists[0].complete is True
    assert c.author_lists[0].authors[0].valid is True
    assert c.elocations[0].valid is True
    assert (c.grants_complete, c.data_banks_complete) == (True, True)
    assert c.article_dates[0].kind == "Electronic"
    assert c.mesh_headings[0].descriptor == MeshTerm("D1", "M", False)
    assert c.other_abstracts[0].language == "eng"
    assert (c.keyword_lists[0].owner, c.keyword_lists[0].keywords[0].major) == ("NLM", False)
    assert c.general_notes[0].owner == "NLM"
    assert c.article_ids == (ArticleId("90000001", "pubmed"),)


def test_lists_not_sent_have_no_completeness() -> None:
    assert (one().grants_complete, one().data_banks_complete) == (None, None)


def test_authors_of_every_shape(everything: tuple[Citation, Citation]) -> None:
    c = everything[0]
    first = c.author_lists[0].authors[0]
    assert first.suffix == "Jr<sup>2</sup>"
    assert first.equal_contribution is True
    assert first.identifiers[0] == Identifier("ORCID", "https://orcid.org/0000-0000-0000-0001")
    assert first.affiliations[0] == Affiliation(
        InlineXml("Invented University &amp; Clinic."),
        (Identifier("ROR", "https://ror.example/1"), Identifier("GRID", "grid.1")),
    )
    assert [a.last_name or plain(a.collective_name) for a in c.authors] == ["Madeup", "Invented Study Group", "Mononym"]
    assert c.authors_complete is False
    assert c.author_lists[0].authors[1].investigators == c.investigator_lists[0].id == "G1"


def test_affiliation_of_exports_before_2015() -> None:
    c = one(
        article="<AuthorList><Author><LastName>A</LastName><Affiliation>Old &amp; plain</Affiliation></Author></AuthorList>"
    )
    assert c.authors == (Author(last_name="A", affiliations=(Affiliation(InlineXml("Old &amp; plain")),)),)


def test_three_thousand_authors() -> None:
    people = "".join(f"<Author><LastName>Invented{n}</LastName></Author>" for n in range(3000))
    assert [a.last_name for a in one(article=f"<AuthorList>{people}</AuthorList>").authors][-1] == "Invented2999"


def test_a_record_of_five_megabytes() -> None:
    reference = f"<Reference><Citation>{'Invented words. ' * 60}</Citation></Reference>"
    many = 5 * 2**20 // len(reference) + 1
    found = read(record(data=f"<ReferenceList>{reference * many}</ReferenceList>"), record())
    assert len(found[0].reference_lists[0].references) == many
    assert isinstance(found[1], Citation)


def test_major_by_qualifier_alone(everything: tuple[Citation, Citation]) -> None:
    place, cells, old = everything[0].mesh_headings
    assert (place.major, place.descriptor.kind) == (False, "Geographic")
    assert (cells.major, cells.descriptor.major, cells.descriptor.automatic) == (True, False, "Y")
    assert old.descriptor == MeshTerm(None, "Heading of an old export", True)


def test_correction_without_pmid(everything: tuple[Citation, Citation]) -> None:
    assert everything[0].corrections[1] == Correction("ErratumIn", "Invented J Cell Ther. 2023 Dec;12(5):1.")


def test_correction_with_an_empty_pmid() -> None:
    c = one(
        "<CommentsCorrectionsList><CommentsCorrections RefType='RetractionIn'><RefSource>S</RefSource><PMID Version='1'/>"
        "</CommentsCorrections></CommentsCorrectionsList>"
    )
    assert c.corrections[0].pmid is None


def test_unknown_reftype_pubstatus_and_idtype_are_taken_as_sent() -> None:
    c = one(
        '<CommentsCorrectionsList><CommentsCorrections RefType="FooIn"><RefSource>S</RefSource></CommentsCorrections>'
        "</CommentsCorrectionsList>",
        data='<History><PubMedPubDate PubStatus="foo"><Year>2024</Year><Month>1</Month><Day>2</Day></PubMedPubDate></History>'
        '<ArticleIdList><ArticleId IdType="foo">1</ArticleId></ArticleIdList>',
    )
    assert c.corrections == (Correction("FooIn", "S"),)
    assert c.history == (HistoryDate("foo", PartialDate(2024, 1, 2)),)
    assert c.article_ids == (ArticleId("1", "foo"),)
    assert c.unknown == ()


def test_references_nest(everything: tuple[Citation, Citation]) -> None:
    first, second = everything[0].reference_lists
    assert first.title == "Cited works"
    assert first.lists[0].title == "Further reading"
    assert first.lists[0].references == (Reference(InlineXml("Deeper.")),)
    assert second.references[0].citation == "Of a second list."


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("<Year>2024</Year>", PartialDate(2024)),
        ("<Year>2024</Year><Month>Sep</Month>", PartialDate(2024, 9)),
        ("<Year>2024</Year><Month>09</Month><Day>4</Day>", PartialDate(2024, 9, 4)),
        ("<Year>2018</Year><Season>Winter</Season>", PartialDate(2018, season="Winter")),
        ("<MedlineDate>2020 Nov-Dec</MedlineDate>", PartialDate(2020, 11, text="2020 Nov-Dec")),
        ("<MedlineDate>1998 Dec-1999 Jan</MedlineDate>", PartialDate(1998, 12, text="1998 Dec-1999 Jan")),
        (
            "<MedlineDate>2000 Spring-Summer</MedlineDate>",
            PartialDate(2000, season="Spring", text="2000 Spring-Summer"),
        ),
        ("<MedlineDate>1976-1977</MedlineDate>", PartialDate(1976, text="1976-1977")),
        ("<MedlineDate>1978 Jan 15-31</MedlineDate>", PartialDate(1978, 1, 15, text="1978 Jan 15-31")),
        ("<MedlineDate>Winter 2017</MedlineDate>", PartialDate(2017, text="Winter 2017")),
        ("<MedlineDate>no date at all</MedlineDate>", PartialDate(text="no date at all")),
        ("<Year>2021</Year><Month>Feb</Month><Day>31</Day>", PartialDate(2021, 2, None, text="2021 Feb 31")),
        ("<Year>2021</Year><Month>13</Month>", PartialDate(2021, text="2021 13")),
        ("<Year>20xx</Year>", PartialDate(text="20xx")),
        ("<Year>0001</Year><Month>1</Month><Day>1</Day>", PartialDate(1, 1, 1)),
        ("<Year>2999</Year>", PartialDate(2999)),
        ("", None),
    ],
)
def test_dates_keep_their_precision(inner: str, expected: PartialDate | None) -> None:
    assert pub_date(inner) == expected


def test_history_keeps_repeated_states_and_impossible_days(everything: tuple[Citation, Citation]) -> None:
    history = everything[0].history
    assert [each.status for each in history] == ["received", "revised", "revised", "entrez"]
    assert history[1].date == PartialDate(2023, 2, None, text="2023 2 31")
    assert history[3] == HistoryDate("entrez", PartialDate(2023, 10, 5), 6, 7, 8)


def test_hour_that_is_no_number_is_kept_as_unknown() -> None:
    entry = '<PubMedPubDate PubStatus="pubmed"><Year>2024</Year><Month>1</Month><Day>2</Day><Hour>six</Hour></PubMedPubDate>'
    c = one(data=f"<History>{entry}</History>")
    assert c.history == (HistoryDate("pubmed", PartialDate(2024, 1, 2)),)
    assert c.unknown == (Unknown("PubmedData/History/PubMedPubDate/Hour", "<Hour>six</Hour>"),)


@pytest.mark.parametrize(
    "title", ["<ArticleTitle/>", "<ArticleTitle></ArticleTitle>", "<ArticleTitle> \n </ArticleTitle>", ""]
)
def test_empty_title_is_none(title: str) -> None:
    assert one(article=title).title is None


def test_empty_abstract_is_none() -> None:
    assert one(article="<Abstract><AbstractText/></Abstract>").abstract is None


def test_blank_suffix_is_none() -> None:
    c = one(article="<AuthorList><Author><LastName>A</LastName><Suffix>\n\t\t</Suffix></Author></AuthorList>")
    assert c.authors[0].suffix is None


def test_plain_values_lose_the_white_space_around_them() -> None:
    assert one(article='<ELocationID EIdType="doi">\n 10.99999/x \n</ELocationID>').doi == "10.99999/x"


def test_unknown_elements_and_attributes_are_kept_with_their_place() -> None:
    c = one('<Foo a="1">x <i>y</i></Foo>', article='<ArticleTitle lang="en">T</ArticleTitle><Bar/>')
    assert c.title == "T"
    assert c.unknown == (
        Unknown("MedlineCitation/Article/ArticleTitle/@lang", "en"),
        Unknown("MedlineCitation/Article/Bar", "<Bar/>"),
        Unknown("MedlineCitation/Foo", '<Foo a="1">x <i>y</i></Foo>'),
    )


def test_plain_element_that_gained_markup_keeps_its_text() -> None:
    journal = "<Journal><Title>Invented <i>J</i></Title></Journal>"
    c = one(article=journal)
    assert c.journal.title == "Invented J"
    assert c.unknown == (Unknown("MedlineCitation/Article/Journal/Title", "<Title>Invented <i>J</i></Title>"),)


def test_a_single_element_sent_twice_keeps_the_first_and_files_the_second() -> None:
    c = one(article="<ArticleTitle>First</ArticleTitle><ArticleTitle>Second</ArticleTitle>")
    assert c.title == "First"
    assert [each.xml for each in c.unknown] == ["<ArticleTitle>Second</ArticleTitle>"]


def test_a_yes_or_no_that_is_neither_is_filed() -> None:
    c = one(article='<AuthorList CompleteYN="maybe"><Author ValidYN="?"><LastName>A</LastName></Author></AuthorList>')
    assert c.authors_complete is True
    assert [each.path for each in c.unknown] == [
        "MedlineCitation/Article/AuthorList/Author/@ValidYN",
        "MedlineCitation/Article/AuthorList/@CompleteYN",
    ]


def test_two_lists_of_one_name_are_both_kept() -> None:
    heading = (
        "<MeshHeadingList><MeshHeading><DescriptorName UI='D{0}'>M{0}</DescriptorName></MeshHeading></MeshHeadingList>"
    )
    c = one(heading.format(1) + heading.format(2))
    assert [each.descriptor.ui for each in c.mesh_headings] == ["D1", "D2"]


def test_namespaced_attribute_inside_mathml_stays_well_formed() -> None:
    c = one(article='<ArticleTitle><mml:math xmlns:l="urn:invented" l:href="a&quot;b" xml:lang="en"/></ArticleTitle>')
    ET.fromstring(f"<x>{c.title}</x>")
    assert 'l:href="a&quot;b"' in c.title
    assert 'xml:lang="en"' in c.title


def test_default_namespace_in_mathml_ends_where_it_ends() -> None:
    sent = '<math xmlns="http://www.w3.org/1998/Math/MathML"><mi>x</mi></math> and <i>y</i>'
    c = one(article=f"<ArticleTitle>{sent}</ArticleTitle>")
    assert c.title == sent


def test_cdata_and_comments_become_text_and_nothing() -> None:
    assert one(article="<ArticleTitle>a<!-- b --><![CDATA[ < & ]]>c<?pi d?></ArticleTitle>").title == "a &lt; &amp; c"


def test_record_without_pubmed_data() -> None:
    raw = b'<PubmedArticle><MedlineCitation Status="Publisher"><PMID>90000001</PMID></MedlineCitation></PubmedArticle>'
    (found,) = read(raw)
    assert (found.pmid, found.version, found.journal) == (90000001, 1, None)


@pytest.mark.parametrize(
    "pmid", ["", "<PMID/>", "<PMID>abc</PMID>", "<PMID>0</PMID>", "<PMID>99999999999</PMID>", "<PMID>-1</PMID>"]
)
def test_record_without_a_usable_pmid_is_an_error(pmid: str) -> None:
    (found,) = read(record(pmid=pmid))
    assert isinstance(found, RecordError)
    assert "no PMID" in found.why


def test_book_and_chapter(everything: tuple[Citation, Citation]) -> None:
    c = everything[1]
    assert c.title == "A chapter"
    assert c.book.title.text == "Invented <b>book</b>"
    assert (c.book.chapter_link.book, c.book.chapter_link.part) == ("inv", "ch7")
    assert c.pub_date == PartialDate(2020, season="Winter")
    assert c.article_id("bookaccession") == "NBK990001"
    assert [each.kind for each in c.book.author_lists] == ["editors"]
    assert c.authors[0].last_name == "Chapter"
    assert c.book.sections[0].sections[0].title.text == "Inner"
    assert c.owner is None
