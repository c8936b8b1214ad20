"""Which citations a search finds and why, field by field, on one invented citation."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from monitor.core.citation import (
    Abstract,
    AbstractSection,
    Author,
    AuthorList,
    Book,
    BookTitle,
    Citation,
    Correction,
    InlineXml,
    MeshHeading,
    MeshTerm,
    PartialDate,
    PublicationType,
)
from monitor.core.markup import bare
from monitor.core.query import MeshTree, abstract_text, document, explain, ignored, matches, parse, terms, undecidable
from monitor.core.query.fields import FIELDS
from monitor.resources import load_mesh_tree
from tests.unit.query.invented import TREE, citation, found, prepared, reasons, titled


@pytest.mark.parametrize(
    "search",
    [
        # words, phrases, truncation
        '"NK 92"[tiab]', "NK-92[ti]", "nk[TI]", '"CD3+CD56+"[tiab]', "CD3CD56[tiab] OR cd56[tiab]", '"killer cell*"[tiab]',
        "tumour*[tiab]", "recept*[tiab]", '"the-shelf"[tiab]', "fable[ot]", "killers met tumours[tiab]", "BACKGROUND[tiab]",
        # Chinese text, in the other abstract
        "细胞[tiab]", '"杀伤"[tiab]', "自然杀伤细胞治疗[tiab]", "自[tw]",
        # proximity
        '"lung NK"[tiab:~6]', '"cells CAR"[tiab:~1]', '"NK NK"[ti:~4]', '"utopia fables"[ad:~0]', '"tumour*"[tiab:~3]',
        # MeSH
        '"Killer Cells, Natural"[mh]', "killer cells natural[mh:noexp]", '"NK Cells"[mh]', "D007694[mh]", "neoplasms[mh]",
        '"cancer"[mh]', "neoplas*[mh:noexp] OR lung neopl*[mh]", '"Lung Neoplasms"[majr]', "neoplasms[majr]",
        '"Killer Cells, Natural"[majr]', '"Killer Cells, Natural/transplantation"[mh:noexp]', '"NK Cells/TR"[majr]',
        '"Killer Cells, Natural/surgery"[mh]', "neoplasms/therapy[mh]", "transplantation[sh]", "surgery[sh]", "dt[sh]",
        "therapy[sh]", "transplantation[sh:noexp]",
        # publication types
        '"randomized controlled trial"[pt]', '"clinical trial"[pt]', "D016449[pt]", "randomized*[pt]", "journal article[pt]",
        # people
        "dichter[au]", "dichter j[au]", "dichter jk[au]", '"dichter jk"[au]', "dichter johanna[au]", "Johanna K Dichter[fau]",
        "garcia sanchez l[au]", "garcia sanchez[lastau]", "dichter[1au]", "dich*[au]", "García Sánchez L Jr[au]",
        "invented study group[cn]", "0000-0001-9999-0001[auid]", "orcid 0000-0001-9999-0001[auid]", "fables[ad]",
        # journal, pages, identifiers
        '"Invented J Cell Ther"[ta]', "invented journal of cell therapy[ta]", "9999-0001[ta]", "9999-0000[ta]", "invented jour*[ta]",
        "9990001[jid]", "12[vi]", "3[ip]", "113[pg]", "10.9999/INVENTED(25)00001-X[doi]", '"10.9999/invented(25)00001-x"[lid]',
        "10.9999*[aid]", "90000001[uid]", "90000001 5[pmid]", "90000000:90000002[uid]",
        # the rest
        "english[la]", "eng[la]", '"Fable Agency"[gr]', "FAB-17[gr]", "utopia[pl]", "clinicaltrials.gov[si]", "NCT99999999[si]",
        "clinicaltrials.gov/NCT99999999[si]", "fabulase[nm]", "C999002[nm]", "FAB protocol[nm]", '"EC 9.9.9.9"[rn]',
        "agency word[ot]", "agency word[tw]", "lung neoplasms[tw]", "fabulase[tw]", "dichter[all]", "90000001[all]", "utopia",
        # filters and special terms
        "medline[sb]", "all[sb]", "fha[filter]", "randomizedcontrolledtrial[filter]", "humans[filter]", "english[filter]",
        "jsubsetim[sb]", "data[sb]", "hasabstract", "hasstructuredabstract", "hasnonenglishabstract", "haskeyword",
        "hasdatabanklist", "haserratumin", "haserratumin[sb]", "ownernlm", "pubstatusppublish", "indexingmethod_automated",
        # Booleans
        "lung NK", "lung the of cells", "cancer[ti] NOT mice[ti]", "mice[ti] OR lung[ti]", "(lung[ti] OR mice[ti]) AND cells[ti]",
        "lung[ti] AND (the)", "lung[ti] and cells[ti]",
    ],
)  # fmt: skip
def test_found(search: str) -> None:
    assert found(search)
    assert reasons(search)


@pytest.mark.parametrize(
    "search",
    [
        "NK92[tiab]", '"NK cells CAR"[tiab]', '"CAR*"[ot]', "can*[tiab]", '"kill* cells"[tiab]', "agency word[tiab]",
        "治自[tiab]", '"lung NK"[tiab:~1]', '"NK NK NK"[ti:~9]', '"utopia nowhere"[ad:~9]', '"lung receptors"[tiab:~99]',
        "neoplasms[mh:noexp]", '"Breast Neoplasms"[mh]', "humans[majr]", '"Lung Neoplasms/transplantation"[mh]',
        '"Killer Cells, Natural/surgery"[mh:noexp]', '"NK Cells/dt"[mh]', "surgery[sh:noexp]", "physiology[sh]",
        '"clinical trial"[pt:noexp]', "review[pt]", "random[pt]",
        '"dichter j"[au]', '"dichter"[au]', "dich[au]", "dichter a[au]", "garcia sanchez[1au]", "dichter jk[fau]",
        "study group[cn] AND nobody[cn]", "cell[ta]", "invented j[ta]", "125[pg]", "1[vi]", "10.9999/invented[aid]",
        "9[uid]", "1:9[uid]", "chinese[la]", "nct9999999[si]", "fabul[nm]", "9.9.9[rn]", "2025[all] AND april[all]",
        "inprocess[sb]", "pubmed pmc[sb]", "pmcbook", "hasretractionin", "ownernasa", "pubstatusaheadofprint", "hascois",
        "indexingmethod_curated", "hasnihmsid", "review[filter]", "nonsense[sb]", "free full text[sb]", "fabulase[pa]",
        "#1", "lung mice", "lung[ti] NOT cancer[ti]", "the[ti]", "the AND of", "mice[ti] OR (rats[ti] AND lung[ti])",
        "(lung[ti] OR mice[ti]) NOT (cells[ti] AND cancer[ti])",
    ],
)  # fmt: skip
def test_not_found(search: str) -> None:
    assert not found(search)
    assert reasons(search) == []


@pytest.mark.parametrize(
    ("search", "held"),
    [
        ("2025/01/05[crdt]", True), ("2025/01/06[crdt]", False), ("2025/01[crdt]", True), ("2024:2024[crdt]", False),
        ("2025/01/05:2025/01/05[crdt]", True), ("2025/01/06:3000[edat]", True), ("2025/01/07:3000[edat]", False),
        ("2025/02/19[mhda]", True), ("2025/03/04[lr]", True), ("2025/02/20[dcom]", True), ("2025/03[dcom]", False),
        ("2025/04[ppdat]", True), ("2024/12/28[epdat]", True), ("2025[epdat]", False),
        # print 2025 Apr, electronic 28 Dec 2024: the single year loses it, the range keeps it
        ("2025[dp]", False), ("2025:2025[dp]", True), ("2024:2024[dp]", True), ("2024[dp]", False),
        ("2025/04/01:2025/04/01[dp]", True), ("2025/04/02:2025/04/30[dp]", False), ("2026:3000[dp]", False),
        ("2025[p1dat]", False),
    ],
)  # fmt: skip
def test_dates(search: str, held: bool) -> None:
    assert found(search) is held


@pytest.mark.parametrize(
    ("printed", "search"),
    [
        (PartialDate(2020), "2020/01/01:2020/01/01[dp]"),
        (PartialDate(2020, season="Winter"), "2020/01[dp]"),
        (PartialDate(2020, season="Spring"), "2020/04[dp]"),
        (PartialDate(2020, season="Summer"), "2020/07[dp]"),
        (PartialDate(2020, season="Fall"), "2020/10[dp]"),
        (PartialDate(2020, 11, text="2020 Nov-Dec"), "2020/11/01[dp]"),
        (PartialDate(2000, text="2000 Spring-Summer"), "2000/04/01[dp]"),
        (PartialDate(text="circa 1976-1977"), "1976/01[dp]"),
    ],
)
def test_partial_dates_begin_where_the_guide_says(printed: PartialDate, search: str) -> None:
    journal = citation().journal
    assert journal is not None
    assert found(search, prepared(journal=journal._replace(pub_date=printed), article_dates=()))


def test_a_date_without_a_year_is_never_found() -> None:
    journal = citation().journal
    assert journal is not None
    undated = prepared(journal=journal._replace(pub_date=PartialDate(text="in press")), article_dates=())
    assert not found("1000:3000[dp]", undated)


def test_mesh_date_equals_entry_date_until_indexed() -> None:
    fresh = prepared(history=citation().history[:2])
    assert found("2025/01/06[mhda]", fresh)


@pytest.mark.parametrize(
    ("search", "today", "held"),
    [
        ('"last 15 days"[crdt]', date(2025, 1, 20), True),
        ('"last 14 days"[crdt]', date(2025, 1, 20), False),
        ('"last 15 days"[crdt]', date(2025, 1, 4), False),  # not before it was made
        ('"last 1 month"[edat]', date(2025, 2, 6), True),
        ('"last 1 month"[edat]', date(2025, 2, 7), False),
        ('"last 1 year"[crdt]', date(2026, 1, 5), True),
        ('"last 1 day"[dp]', date(2025, 1, 1), True),  # [dp] returns coming dates too
        ('"last 1 month"[edat]', date(2025, 3, 31), False),  # begins on 28 February, not on the 31st
        ('"last 99999 days"[crdt]', date(2025, 1, 5), True),
        ('"last 99999 years"[crdt]', date(2025, 1, 5), True),
    ],
)
def test_relative_dates(search: str, today: date, held: bool) -> None:
    assert found(search, today=today) is held


def test_a_relative_date_without_today_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="today"):
        found('"last 5 days"[crdt]')


def test_every_branch_of_an_or_is_a_reason_and_nothing_under_not_is() -> None:
    assert reasons("(cells[ti] OR absent[ti] OR lung[ti]) NOT (absent[ti] OR nowhere[ti])") == [
        ("title", 0, "cells"),
        ("title", 0, "lung"),
    ]


def test_a_branch_that_fails_gives_no_reason_even_where_one_of_its_terms_fits() -> None:
    assert reasons("lung[ti] OR (cells[ti] AND absent[ti])") == [("title", 0, "lung")]


def test_every_place_is_a_reason() -> None:
    assert reasons('"NK Cells"[mh] AND 细胞[tiab] AND hasabstract AND 2025/01[crdt] AND off-the-shelf[tiab]') == [
        ("MeSH heading", 0, "Killer Cells, Natural"),
        ("other abstract", 0, "细胞"),
        ("record", 0, "hasabstract"),
        ("date", 0, "2025/01/05"),
        ("keyword", 0, "off-the-shelf"),
    ]


def test_spans_count_in_the_bare_text() -> None:
    made = citation()
    assert made.abstract is not None
    joined = abstract_text(made.abstract.sections)
    assert (
        joined == "BACKGROUND: Natural killer cells carry receptors.\nMETHODS: Invented CD3+CD56+ killers met tumours."
    )
    texts = {"title": bare(made.title), "abstract": joined}
    seen = set()
    for match in explain(parse('"NK 92"[tiab] AND killer*[tiab]'), document(made), TREE):
        assert texts[match.place][match.start : match.end] == match.words
        seen.add(match.words)
    assert seen == {"NK-92", "killer", "killers"}


def test_reasons_name_the_leaf_and_its_column() -> None:
    (match,) = explain(parse("absent[ti] OR lung[ti]"), prepared(), TREE)
    assert match.term == parse("lung[ti]")
    assert match.term.column == 15


def test_phrases_do_not_cross_from_one_field_to_the_next() -> None:
    made = prepared(title=InlineXml("fable"), abstract=Abstract((AbstractSection(InlineXml("story")),)))
    assert found("fable[tiab] AND story[tiab]", made)
    assert not found('"fable story"[tiab]', made)
    assert not found('"fable story"[tiab:~9]', made)


@pytest.mark.parametrize(
    ("title", "search"),
    [
        ("Ångström Müller naïve", "angstrom[ti] AND muller[ti] AND naive[ti]"),
        ("Mu\u0308ller", "müller[ti]"),
        ("Sørensen Łukasz Đorđe", "sorensen[ti] AND lukasz[ti] AND dorde[ti]"),
        ("Ħal ısı ǿ", "hal[ti] AND isi[ti] AND o[ti]"),
        ("ÆTHER œdema Þór Ðuro", "aether[ti] AND oedema[ti] AND thor[ti] AND duro[ti]"),
        ("Sorensen", "sørensen[ti]"),
        ("immuno\u00adtherapy", "immunotherapy[ti]"),
        ("ﬁbrosis STRASSE", "fibrosis[ti] AND straße[ti]"),
        ("ＣＡＲ－ＮＫ", '"CAR-NK"[ti]'),
        ("CO<sub>2</sub> 10<sup>3</sup>", "co2[ti] AND 103[ti]"),
        ("IL-2/IL-15 (IFN-γ)", '"IL 2 IL 15 ifn Γ"[ti]'),
        ("T&amp;B cells", '"t b cells"[ti]'),
        ("CAR-NK细胞治疗肝癌", '"NK细胞"[ti] AND 肝癌[ti]'),
        ("ナチュラルキラー細胞", "キラー[ti]"),
        ("자연살해세포 치료", "살해[ti]"),
        ("Crohn's disease", "crohn s disease[ti] AND crohn’s[ti]"),
    ],
)  # fmt: skip
def test_words_of_many_scripts(title: str, search: str) -> None:
    assert found(search, titled(title))


def test_stopwords_and_lower_case_booleans_are_ignored_and_said_so() -> None:
    query = parse("lung[ti] not (the[ti] and cells[ti])")
    assert [leaf.column for leaf in terms(query) if ignored(leaf)] == [10, 15, 23]
    assert matches(query, prepared(), TREE)
    assert not ignored(terms(parse('"the of"[ti]'))[0])
    assert not found('"the of"[ti]')


def test_not_with_only_stopwords_excludes_nothing() -> None:
    assert found("lung[ti] NOT the[ti]")
    assert not found("the NOT lung[ti]")


def test_headings_without_ui_match_by_name() -> None:
    old = prepared(mesh_headings=(MeshHeading(MeshTerm(None, "Lung Neoplasms"), (MeshTerm(None, "surgery"),)),))
    assert found("neoplasms[mh]", old)
    assert found('"Lung Neoplasms/surgery"[mh:noexp]', old)
    assert not found('"Breast Neoplasms"[mh]', old)


def test_headings_the_tree_lacks_match_by_name_without_explosion() -> None:
    empty = MeshTree.from_rows(())
    assert matches(parse('"lung neoplasms"[mh] AND D007694[mh]'), prepared(), empty)
    assert not matches(parse("neoplasms[mh]"), prepared(), empty)
    assert matches(parse("randomized controlled trial[pt]"), prepared(), empty)


def test_a_renamed_publication_type_is_the_same_by_ui() -> None:
    notice = prepared(publication_types=(PublicationType("D016440", "Retraction Notice"),))
    assert found('"retraction of publication"[pt]', notice)
    assert found('"retraction notice"[pt]', notice)


def test_retraction_flags_follow_the_links() -> None:
    retracted = prepared(corrections=(Correction("RetractionIn"), Correction("ExpressionOfConcernIn")))
    assert found("hasretractionin AND hasexpressionofconcernin NOT hasretractionof", retracted)


def test_a_book_is_found_by_its_titles() -> None:
    book = Book(BookTitle(InlineXml("Invented handbook")), collection_title=BookTitle(InlineXml("Fable series")))
    whole = document(Citation(pmid=90000003, book=book))
    chapter = document(Citation(pmid=90000004, title=InlineXml("A chapter"), book=book))
    assert found("handbook[ti] AND series[tiab] AND pmcbooktitle", whole)
    assert found("chapter[ti] AND handbook[book] AND pmcbookchapter NOT handbook[ti]", chapter)


def test_superseded_names_and_editors_are_apart() -> None:
    lists = (
        AuthorList((Author("Fabel", "Max", "M"),)),
        AuthorList((Author("Herausgeber", "Eva", "E"),), kind="editors"),
    )
    made = prepared(author_lists=lists)
    assert found("herausgeber e[ed] AND fabel m[au]", made)
    assert not found("herausgeber[au] OR fabel[ed]", made)


def test_an_almost_empty_citation_matches_nothing_and_breaks_nothing() -> None:
    bare_record = document(Citation(pmid=90000005))
    for field in (
        "tiab",
        "mh",
        "majr",
        "sh",
        "pt",
        "au",
        "ta",
        "aid",
        "la",
        "dp",
        "ad",
        "all",
        "sb",
        "nm",
        "pg",
        "isbn",
    ):
        assert not found(f"2025[{field}]", bare_record)
    assert found("90000005", bare_record)


def test_what_no_record_can_decide_is_said() -> None:
    text = "fable[ti] OR free full text[sb] OR fable[pa] OR #1 OR nonsense[sb] OR 2025[p1dat] OR review[filter]"
    unknown = ("free full", "fable[pa]", "#1", "nonsense", "2025")
    told = undecidable(parse(text), TREE)
    assert [leaf.column - 1 for leaf, _ in told] == [text.index(each) for each in unknown] + [text.index("review")]
    assert all(why for _, why in told)
    assert undecidable(parse("clinicaltrial[filter] AND medline[sb]"), TREE) == ()


def test_spans_cover_letters_that_fold_to_two() -> None:
    (reason,) = explain(parse('"oedema of sorensen"[ti]'), titled("An Œdema of Sørensen."), TREE)
    assert (reason.start, reason.end, reason.words) == (3, 20, "Œdema of Sørensen")


def test_an_author_is_found_by_the_name_in_ascii() -> None:
    person = document(Citation(pmid=1, author_lists=(AuthorList((Author("Þórðarson-Łuński", "Søren", "S"),)),)))
    for search in ("thordarson-lunski s[au]", '"thordarson lunski s"[au]', "Soren Thordarson-Lunski[fau]"):
        assert matches(parse(search), person, TREE), search


@pytest.mark.parametrize("name", ["Retraction Notice", "Retraction of Publication"])
@pytest.mark.parametrize("ui", ["D016440", None])
@pytest.mark.parametrize(
    "search",
    ["retractionnotice[filter]", "retractionofpublication[sb]", '"Retraction Notice"[pt]', "retraction notice[filter]"],
)
def test_a_publication_type_is_found_by_its_former_and_its_present_name(search: str, ui: str | None, name: str) -> None:
    notice = document(Citation(pmid=1, publication_types=(PublicationType(ui, name),)))
    assert matches(parse(search), notice, load_mesh_tree())
    assert undecidable(parse(search), load_mesh_tree()) == ()


def test_the_guide_names_every_field_there_is() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "query-language.md").read_text(encoding="utf-8")
    assert [each for each in sorted(FIELDS) if f"[{each}]" not in guide and f"[{each}:" not in guide] == []


@pytest.mark.parametrize(
    ("search", "code"),
    [("english[la]", "eng"), ("greek[la]", "gre"), ("gaelic[la]", "gla"), ("multiple[la]", "mul"), ("ENG[la]", "eng")],
)
def test_a_language_is_found_by_name_and_code(search: str, code: str) -> None:
    assert matches(parse(search), document(Citation(pmid=1, languages=(code,))), TREE)
