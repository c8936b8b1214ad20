"""How a term is found: places and scores, roles, polarity, vetoes, weak patterns, headings, one value, Chinese labels."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.core.citation import (
    Abstract,
    AbstractSection,
    Affiliation,
    Author,
    AuthorList,
    Chemical,
    Citation,
    Correction,
    InlineXml,
    Keyword,
    KeywordList,
    MeshHeading,
    MeshTerm,
    OtherAbstract,
    PublicationType,
)
from monitor.core.patterns import compiled, fold, normal
from monitor.core.vocabulary import Proposals, Suggestion, propose, read_vocabulary
from monitor.resources import load_mesh_tree
from tests.factories import citation, citations
from tests.unit.vocabulary.shipped import vocabulary


def paper(title: str = "Invented", abstract: str | dict[str, str] = "Invented.", **fields: Any) -> Citation:
    headings = fields.pop("mesh", {})
    found: dict[str, Any] = {
        "title": InlineXml(title),
        "abstract": abstract,
        "author_lists": (),
        "mesh_headings": tuple(MeshHeading(MeshTerm(ui, ui, major=major)) for ui, major in headings.items()),
        "publication_types": tuple(PublicationType(None, each) for each in fields.pop("types", ())),
    }
    words = fields.pop("keywords", ())
    found["keyword_lists"] = (
        (KeywordList(tuple(Keyword(InlineXml(each)) for each in words), "NOTNLM"),) if words else ()
    )
    return citation(**{**found, **fields})


def proposed(*arguments: Any, **fields: Any) -> Proposals:
    return propose(vocabulary(), paper(*arguments, **fields), load_mesh_tree())


def suggestion(term: str, *arguments: Any, **fields: Any) -> Suggestion | None:
    found = proposed(*arguments, **fields)
    return next((each for each in (*found.tags, *found.hidden, *found.flags) if each.term == term), None)


def score(term: str, *arguments: Any, **fields: Any) -> float:
    found = suggestion(term, *arguments, **fields)
    return found.score if found is not None else 0


# ---- places


def test_each_place_counts_once_and_places_add_up() -> None:
    assert score("melanoma", "Melanoma and melanomas") == 3
    assert score("melanoma", abstract="Melanoma. Melanoma.") == 1
    assert score("melanoma", keywords=["melanoma"]) == 2
    assert score("melanoma", mesh={"D008545": False}) == 2
    assert score("melanoma", mesh={"D008545": True}) == 3
    assert score("melanoma", "Melanoma", "Melanoma.", keywords=["melanoma"], mesh={"D008545": True}) == 9


def test_a_chip_is_preselected_from_three_up() -> None:
    def chosen(**fields: Any) -> bool:
        found = suggestion("melanoma", **fields)
        assert found is not None
        return found.preselected

    assert not chosen(abstract="Melanoma.")
    assert not chosen(keywords=["melanoma"])
    assert chosen(abstract="Melanoma.", keywords=["melanoma"])
    assert chosen(mesh={"D008545": True})


def test_reasons_name_place_words_and_sentence() -> None:
    found = suggestion("melanoma", "Melanomas", "First. Then melanoma shrank.", mesh={"D008545": True})
    assert found is not None
    assert [(each.place, each.words, each.sentence, each.pattern) for each in found.reasons] == [
        ("title", "Melanomas", None, "\\bmelanomas?\\b"),
        ("major MeSH heading", "Melanoma", None, "D008545"),
        ("abstract", "melanoma", 2, "\\bmelanomas?\\b"),
    ]


def test_markup_dashes_and_spaces_do_not_hide_a_word() -> None:
    assert suggestion("cik", "CD3<sup>+</sup>CD56<sup>+</sup> cytokine\u2010induced\u00a0killer cells") is not None
    assert suggestion("cik", "Cytokine\u2212induced<i> killer</i> cells") is not None


def test_case_counts_where_the_vocabulary_says_so() -> None:
    assert suggestion("os", abstract="Median OS was long.") is not None
    assert suggestion("os", abstract="The os calcis broke.") is None


def test_a_title_of_a_book_or_in_the_vernacular_is_a_title() -> None:
    assert score("melanoma", title=None, vernacular_title=InlineXml("Melanoma")) == 3


# ---- roles


@pytest.mark.parametrize(
    ("title", "abstract", "role"),
    [
        ("CAR-NK cells versus CAR-T cells in lymphoma", "CAR-T cells cause more harm.", "comparator"),
        ("CAR-NK cells", "Unlike CAR-T cells, CAR-NK cells are safe. CAR-T cells may persist.", "comparator"),
        ("CAR-T cells for lymphoma", "Compared with CAR-T cells of old, these persist.", "studied"),
        ("Cells", "We infused CAR-T cells.", "studied"),
        ("Cells", "Safe in contrast to earlier CAR-T cells.", "comparator"),
    ],
)
def test_what_stands_only_for_comparison_is_a_comparator(title: str, abstract: str, role: str) -> None:
    found = suggestion("car-t", title, abstract)
    assert found is not None
    assert found.role == role
    assert found.tag == ("car-t/comparator" if role == "comparator" else "car-t")


def test_the_one_studied_stays_so_and_a_comparator_implies_nothing() -> None:
    found = proposed("CAR-NK cells versus CAR-T cells in lymphoma")
    tags = {each.tag for each in found.tags}
    assert {"car-nk", "car-t/comparator", "eff-nk"} <= tags
    assert "eff-t" not in tags


def test_a_major_heading_makes_it_studied() -> None:
    substances = (Chemical("0", "C000626284", "tisagenlecleucel"),)
    mesh = {"D000076962": True, "D013601": True}
    found = suggestion("car-t", "Cells", "Unlike CAR-T cells.", mesh=mesh, chemicals=substances)
    assert found is not None
    assert found.role == "studied"
    assert "substance" in {each.place for each in found.reasons}


# ---- polarity


@pytest.mark.parametrize(
    ("sentence", "polarity"),
    [
        ("No notable toxicities such as cytokine release syndrome were seen.", "absent"),
        ("No cytokine release syndrome, neurotoxicity, and graft-versus-host disease was seen.", "absent"),
        ("Cytokine release syndrome was not observed.", "absent"),
        ("Cytokine release syndrome occurred in none of the patients.", "absent"),
        ("Cytokine release syndrome and neurotoxicity were not seen in any patient.", "absent"),
        ("Rates of cytokine release syndrome were 0% and 0%.", "absent"),
        ("0/37 patients had cytokine release syndrome.", "absent"),
        ("Patients remained free of cytokine release syndrome.", "absent"),
        ("None of the patients developed cytokine release syndrome.", "absent"),
        ("No patient was found to have cytokine release syndrome.", "absent"),
        ("The cells expanded without cytokine release syndrome or fever.", "absent"),
        ("Cytokine release syndrome occurred in 4 of 11 patients.", "reported"),
        ("Cytokine release syndrome was seen in 36%.", "reported"),
        ("Cytokine release syndrome occurred in 5.0% of patients.", "reported"),
        ("Four patients had cytokine release syndrome, with no deaths.", "reported"),
        ("No deaths occurred, and cytokine release syndrome was seen in 3 patients.", "reported"),
        ("There were no deaths, but cytokine release syndrome developed in two.", "reported"),
        ("Cytokine release syndrome occurred in 3 patients and fever was not observed.", "reported"),
        ("No grade 3 or higher cytokine release syndrome was seen.", "mentioned"),
        ("No severe cytokine release syndrome was observed.", "mentioned"),
        ("No cytokine release syndrome of grade 3 was observed.", "mentioned"),
        ("Cytokine release syndrome may limit such therapy.", "mentioned"),
    ],
)
def test_what_a_sentence_says_of_harm(sentence: str, polarity: str) -> None:
    found = suggestion("crs", "Cells", sentence)
    assert found is not None
    assert found.polarity == polarity
    assert found.tag == f"crs/{polarity}"


def test_each_harm_of_a_sentence_is_judged_by_itself() -> None:
    text = "Cytokine release syndrome occurred in 4 patients; no ICANS was seen."
    tags = {each.tag for each in proposed("Cells", text).tags}
    assert {"crs/reported", "icans/absent"} <= tags


def test_one_case_outweighs_a_denial_and_a_denial_a_mention() -> None:
    assert suggestion("crs", "Cells", "No CRS was seen at first. CRS occurred in two later.").tag == "crs/reported"  # type: ignore[union-attr]
    assert suggestion("crs", "CRS and cells", "No CRS was seen.").tag == "crs/absent"  # type: ignore[union-attr]


def test_background_reports_nothing() -> None:
    found = suggestion(
        "crs",
        "Cells",
        {"BACKGROUND": "CRS occurred in 90% of patients with other cells.", "RESULTS": "All were well."},
    )
    assert found is not None
    assert found.polarity == "mentioned"


# ---- vetoes, weak patterns, headings


def test_a_veto_cancels_words_unless_a_heading_or_the_title_says_otherwise() -> None:
    assert suggestion("crs", "Noses", "CRS (chronic rhinosinusitis) is common.") is None
    assert suggestion("crs", "CRS of the nose: chronic rhinosinusitis", "x") is None
    assert suggestion("crs", "CRS after infusion", "Chronic rhinosinusitis was common.") is not None
    assert suggestion("crs", "Noses", "CRS (chronic rhinosinusitis).", mesh={"D000080424": False}) is not None
    assert suggestion("rct", "A non-randomised trial", "x") is None


def test_a_weak_pattern_needs_its_context_and_counts_half() -> None:
    assert suggestion("cik", "CIK in yeast", "Proteins.") is None
    assert score("cik", "CIK in yeast", "A carcinoma.") == 1.5
    found = proposed("Cells", "A carcinoma and CIK.")
    assert "cik" in {each.term for each in found.hidden}


def test_a_broader_heading_supports_and_never_suffices() -> None:
    assert suggestion("gpc3", "Cells", mesh={"D053673": True}) is None
    assert score("GPC3", "Cells", "GPC3 was bound.") == 1
    assert score("GPC3", "Cells", "GPC3 was bound.", mesh={"D053673": True}) == 2


def test_several_headings_must_all_be_there() -> None:
    assert suggestion("car-nk", mesh={"D000076962": True}) is None
    assert score("car-nk", mesh={"D000076962": True, "D007694": True}) == 3
    assert score("car-nk", mesh={"D000076962": True, "D007694": False}) == 2


def test_a_heading_below_a_place_of_the_tree_counts() -> None:
    found = suggestion("sarcoma", mesh={"D012516": True})
    assert found is not None
    assert found.reasons[0].words == "Osteosarcoma"
    assert suggestion("sarcoma", mesh={"D008545": True}) is None


def test_mice_among_humans_make_no_animal_study() -> None:
    assert suggestion("animal", mesh={"D051379": False}) is not None
    assert suggestion("animal", mesh={"D051379": False, "D006801": False}) is None


def test_one_value_of_a_single_facet_is_offered_and_the_others_stay_at_hand() -> None:
    found = proposed("A trial", types=["Clinical Trial, Phase I", "Clinical Trial, Phase II"])
    assert [each.term for each in found.tags if each.facet == "phase"] == ["ph-1-2"]
    assert {each.term for each in found.hidden if each.facet == "phase"} == {"ph-1", "ph-2"}


def test_implications_go_on_and_name_where_they_come_from() -> None:
    tags = {each.tag: each for each in proposed("DC-CIK for lung adenocarcinoma").tags}
    assert tags["cik"].implied_by == "dc-cik"
    assert tags["eff-cik"].implied_by == "cik"
    assert tags["eff-cik"].preselected


def test_flags_stand_apart_from_tags() -> None:
    found = proposed(types=["Retracted Publication"], corrections=(Correction("ErratumIn"),))
    assert {each.term for each in found.flags} == {"retracted", "corrected"}
    assert not {each.facet for each in found.tags} & {"flags"}


@pytest.mark.parametrize("abstract", [None, "Abstract available from the publisher.", " "])
def test_a_field_may_be_looked_at_alone_even_if_empty(abstract: str | None) -> None:
    assert suggestion("no-abstract", abstract=abstract) is not None
    assert suggestion("no-abstract", "Abstract available from the publisher.", "A real one.") is None


def test_a_country_is_read_in_affiliations() -> None:
    author = Author("Example", affiliations=(Affiliation(InlineXml("Institute, Guangzhou, P.R. China.")),))
    lists = (AuthorList((author,)),)
    assert score("cn", author_lists=lists) == 1
    assert suggestion("cn", abstract="In China.") is None


# ---- Chinese


def chinese(text: str, **fields: Any) -> dict[str, Any]:
    return {"other_abstracts": (OtherAbstract((AbstractSection(InlineXml(text)),), "Publisher", "chi"),), **fields}


def test_chinese_labels_are_found_in_chinese_texts() -> None:
    found = proposed("Cells", **chinese("肝细胞癌患者接受CIK细胞治疗。"))
    tags = {each.term: each for each in found.tags}
    assert {"hcc", "cik", "eff-cik"} <= tags.keys()
    assert (tags["hcc"].reasons[0].place, tags["hcc"].reasons[0].words) == ("Chinese abstract", "肝细胞癌")
    assert score("gastric", vernacular_title=InlineXml("胃癌")) == 3


def test_a_label_is_not_found_within_another() -> None:
    found = {each.term for each in proposed("Cells", **chinese("CD56阳性细胞，II期试验，NKT细胞。")).tags}
    assert "ph-2" in found
    assert not {"CD5", "ph-1", "eff-t", "eff-nk"} & found


def test_markers_are_never_read_from_words() -> None:
    found = proposed("Cells", **chinese("本文已撤稿，预印本。Abstract available from the publisher."))
    assert not {each.term for each in found.flags} & {"retracted", "preprint"}


def test_a_sentence_that_stands_for_a_translation_is_none() -> None:
    found = proposed("Cells", **chinese("Abstract available from the publisher."))
    assert found.hidden == ()


# ---- all of it


@given(citations(depth=5))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_any_citation_is_read_and_twice_alike(found: Citation) -> None:
    once = propose(vocabulary(), found, load_mesh_tree())
    assert once == propose(vocabulary(), found, load_mesh_tree())
    assert all(each.score >= 1 for each in once.tags)
    assert len({each.tag for each in once.tags}) == len(once.tags)


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_text_that_matches_is_never_passed_over(data: st.DataObject) -> None:
    pattern = data.draw(st.sampled_from(vocabulary().patterns))
    text = data.draw(st.from_regex(pattern.regex))
    assert pattern.regex.search(text) is None or pattern.possible(fold(text))


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("cis", "C\u0131S"), ("kiss", "\u212ai\u017fs"), ("\u03c3\u03bf\u03c3", "\u03a3\u039f\u03a3"), ("a(?=b)b", "AB")]
    + [("(?:ab|cd)+x", "CDABX"), ("(?i:Ab)c?", "aB"), ("a{2}b", "AAB"), ("(a)\\1", "aA")],
)
def test_letters_that_count_as_one_are_not_passed_over(pattern: str, text: str) -> None:
    found = compiled(pattern)
    assert found.regex.search(text)
    assert found.possible(fold(text))


def test_a_long_abstract_is_read_to_a_limit() -> None:
    assert len(normal("word " * 50_000)) == 20_000


def test_a_scoring_of_ones_own_counts() -> None:
    values = {
        "version": 1,
        "scoring": {"title": 1, "suggest_at": 2},
        "facets": {"f": {"terms": [{"id": "x", "en": "X", "rx": ["gallic"]}]}},
    }
    found = propose(read_vocabulary(values), paper("Gallic"), load_mesh_tree())
    assert ([*found.tags], [each.score for each in found.hidden]) == ([], [1])


def test_an_abstract_of_structured_parts_keeps_its_sentence_numbers() -> None:
    sections = (
        AbstractSection(InlineXml("One. Two."), "AIM"),
        AbstractSection(InlineXml("Melanoma shrank."), "RESULTS"),
    )
    found = suggestion("melanoma", abstract=Abstract(sections))
    assert found is not None
    assert found.reasons[0].sentence == 3
