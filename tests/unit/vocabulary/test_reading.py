"""A vocabulary is read whole or told what is wrong with it, everything at once and each at its place."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.faults import Fault, Faulty
from monitor.core.screening import OFF_TOPIC, REASONS, read_tag
from monitor.core.vocabulary import Vocabulary, read_vocabulary
from monitor.formats.rulebook import read, vocabulary_of
from tests.unit.vocabulary.shipped import vocabulary

SMALL: dict[str, Any] = {
    "version": 1,
    "facets": {
        "therapy": {
            "role_cues": {"comparator": ["unlike $"]},
            "terms": [
                {"id": "gallic", "en": "Gallic cells", "zh": "高卢细胞", "rx": ["gallic"], "imp": ["potion"]},
                {"id": "potion", "en": "Potion"},
            ],
        }
    },
}


def faults(change: Any) -> list[str]:
    values = copy.deepcopy(SMALL)
    change(values, values["facets"]["therapy"], values["facets"]["therapy"]["terms"][0])
    with pytest.raises(Faulty) as told:
        read_vocabulary(values)
    return [each.words for each in told.value.faults]


def small(**term: Any) -> Vocabulary:
    values = copy.deepcopy(SMALL)
    values["facets"]["therapy"]["terms"][0] |= term
    return read_vocabulary(values)


def test_the_shipped_vocabulary_is_read_and_labelled_in_two_languages() -> None:
    found = vocabulary()
    assert len(found.facets) == 14
    assert sum(len(each.terms) for each in found.facets) > 180
    assert found.label("crs/absent", "en") == "Cytokine release syndrome"
    assert found.label("CD19", "zh-Hans") == "CD19"
    assert found.label("cik", "zh-Hans") == "CIK细胞（细胞因子诱导的杀伤细胞）"
    assert found.label("our-own-tag", "en") == "our-own-tag"
    assert all(read_tag(term.id) for facet in found.facets for term in facet.terms)


@pytest.mark.parametrize("words", ["肝细胞癌", "hepatocellular Carcinoma", "HCC"])
def test_a_term_is_found_by_what_it_is_called(words: str) -> None:
    assert [each.id for each in vocabulary().named(words)] == ["hcc"]


def test_a_term_is_found_by_a_part_of_its_chinese_name_and_by_no_other_word() -> None:
    assert [each.id for each in vocabulary().named("细胞因子诱导的杀伤细胞")] == ["cik"]
    assert vocabulary().named("moonlight") == ()


def test_reasons_to_dismiss_are_the_programs_own() -> None:
    assert {each.id for each in vocabulary().off_topic} == OFF_TOPIC.keys()
    assert {each.id for each in vocabulary().general} == REASONS.keys() - OFF_TOPIC.keys()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda v, f, t: v.update(version=2), "version: version 2 is not known"),
        (lambda v, f, t: v.update(version=True), "version True is not known"),
        (lambda v, f, t: v.update(colour=1), "colour: unknown key; known are facets, general_reasons"),
        (lambda v, f, t: v.update(facets=[]), "facets: facets with their terms are wanted"),
        (lambda v, f, t: v.update(scoring={"title": "much"}), "scoring, title: a number from 0 to 100"),
        (lambda v, f, t: v.update(scoring={"luck": 1}), "scoring, luck: unknown key"),
        (lambda v, f, t: f.update(shade=1), "facet therapy, shade: unknown key"),
        (lambda v, f, t: f.update(single="yes"), "facet therapy, single: true or false is wanted"),
        (lambda v, f, t: f.update(single=True, multi=True), "single or multi, not both"),
        (lambda v, f, t: f.update(polarity=["good"]), "the three polarities are"),
        (lambda v, f, t: f.update(absent_cues=["no"]), "need polarity beside them"),
        (lambda v, f, t: f.update(role_cues={"hero": []}), "role_cues, hero: unknown key"),
        (lambda v, f, t: f.update(terms="all"), "facet therapy, terms: a list is wanted"),
        (lambda v, f, t: f["terms"].append("x"), "facet therapy, terms 3: names with values are wanted"),
        (lambda v, f, t: t.update(id="a b"), "an id of letters, digits, - _ and . is wanted; 'a b' is none"),
        (lambda v, f, t: t.update(id="x" * 60), "an id is at most 49 characters"),
        (lambda v, f, t: t.update(en=""), "terms 1, en: a text is wanted"),
        (lambda v, f, t: t.update(en="a\u0007b"), "without control characters"),
        (lambda v, f, t: t.update(rx="gallic"), "terms 1, rx: a list is wanted"),
        (lambda v, f, t: t.update(rx=["a", 7]), "terms 1, rx 2: a pattern is a text; write 7 in quotes"),
        (lambda v, f, t: t.update(rx=["(gallic"]), "rx 1: “(gallic” is no regular expression: missing )"),
        (lambda v, f, t: t.update(rx=["gal*lic|"]), "matches nothing at all as well"),
        (lambda v, f, t: t.update(rx=["(?:a+)+"]), "repeats without end what repeats without end"),
        (lambda v, f, t: t.update(rx=["x" * 501]), "a pattern is at most 500 characters"),
        (lambda v, f, t: t.update(rx=[" "]), "the pattern is empty"),
        (lambda v, f, t: t.update(rx=["[[a]b]"]), "can be read in two ways"),
        (lambda v, f, t: t.update(weak=["g"]), "a weak pattern needs ctx"),
        (lambda v, f, t: t.update(ctx=["g"]), "ctx goes with weak patterns"),
        (lambda v, f, t: t.update(only="sky"), "only: a field is wanted, one of title"),
        (lambda v, f, t: t.update(mesh=["Neoplasms"]), "'Neoplasms' is not a MeSH descriptor UI"),
        (lambda v, f, t: t.update(tree=["cancer"]), "is not a MeSH tree number"),
        (lambda v, f, t: t.update(nm=["X1"]), "is not a UI of a substance"),
        (lambda v, f, t: t.update(imp=["luck"]), "terms 1, imp 1: no term is called luck"),
        (lambda v, f, t: t.update(imp=["Gallic"]), "implies itself"),
        (lambda v, f, t: f["terms"].append({"id": "GALLIC", "en": "x"}), "GALLIC stands twice in this facet"),
        (
            lambda v, f, t: v["facets"].update(donor={"terms": [{"id": "potion", "en": "x"}]}),
            "potion stands in the facet therapy too",
        ),
        (lambda v, f, t: v.update(offtopic_reasons=[{"id": "luck", "en": "x"}]), "no paper can be dismissed as luck"),
        (
            lambda v, f, t: v.update(offtopic_reasons=[{"id": "maize", "en": "x"}] * 2),
            "maize stands twice among the reasons",
        ),
    ],
)
def test_what_is_wrong_is_told_at_its_place(change: Any, expected: str) -> None:
    told = faults(change)
    assert any(expected in each for each in told), told


def test_all_faults_are_told_at_once() -> None:
    def several(values: Any, facet: Any, term: Any) -> None:
        term.update(rx=["(", "ok", ")"], colour=1)
        facet.update(shade=1)

    assert len(faults(several)) == 4


def test_a_text_that_is_no_yaml_is_told_with_its_line() -> None:
    with pytest.raises(Faulty, match="line 3: expected the node content"):
        vocabulary_of("version: 1\nfacets: [\n")
    with pytest.raises(Faulty, match="line 2: version stands here twice"):
        vocabulary_of("version: 1\nversion: 1\n")
    with pytest.raises(Faulty, match="line 1: anchors and aliases"):
        vocabulary_of("version: *v\n")
    with pytest.raises(Faulty, match="at most 1,000,000 characters"):
        read("#" * 1_000_001)
    with pytest.raises(Faulty, match="nested too deeply"):
        read("[" * 5000)
    with pytest.raises(Faulty, match="names with values are wanted"):
        vocabulary_of("- a list\n")


def test_a_fault_far_down_is_told_with_its_line() -> None:
    text = "version: 1\nfacets:\n  a:\n    terms:\n      - {id: x, en: X}\n      - id: y\n        en: Y\n        rx:\n          - ok\n          - '('\n"
    with pytest.raises(Faulty) as told:
        vocabulary_of(text)
    assert [each.line for each in told.value.faults] == [10]


def test_chinese_labels_are_divided_at_strokes_and_brackets() -> None:
    assert small(zh="手术/术后辅助").facets[0].terms[0].words == ("手术", "术后辅助")
    assert small(zh="CIK细胞（杀伤细胞）").facets[0].terms[0].words == ("CIK细胞", "杀伤细胞")
    assert small(zh="I/II期").facets[0].terms[0].words == ("I/II期",)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=12,
    ),
    st.sampled_from(["", "facets", "scoring", "offtopic_reasons", "terms", "term"]),
)
def test_whatever_is_given_is_read_or_told(value: Any, where: str) -> None:
    values: Any = copy.deepcopy(SMALL)
    if where == "":
        values = value
    elif where == "terms":
        values["facets"]["therapy"]["terms"] = value
    elif where == "term":
        values["facets"]["therapy"]["terms"][0]["rx"] = value
    else:
        values[where] = value
    told: tuple[Fault, ...] | None = None
    try:
        found = read_vocabulary(values)
    except Faulty as error:
        told = error.faults
    assert isinstance(found, Vocabulary) if told is None else all(each.words for each in told)
