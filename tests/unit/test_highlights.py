"""What is marked in an abstract, and that marks never overlap."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.highlights import LAYERS, Layer, figures, highlights

WORDS: dict[Layer, list[re.Pattern[str]]] = {
    "therapy": [re.compile(r"\bCAR[- ]?NK\b", re.I)],
    "outcome": [re.compile(r"\boverall survival\b", re.I)],
    "safety": [re.compile(r"\bcytokine[- ]release syndrome\b", re.I), re.compile(r"\bsyndrome of release\b")],
}


def marked(text: str, layer: Layer) -> list[str]:
    return [text[each.start : each.end] for each in highlights(text, WORDS) if layer in each.layers]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Of 37 patients, 11 of 37 (29.7%) responded", ["37 patients", "11 of 37", "29.7%"]),
        ("HR 0.63, 95% CI 0.43-0.94, P < .001", ["HR 0.63", "95%", "CI 0.43-0.94", "P < .001"]),
        ("a median of 9.4 months at 1 × 10⁷ cells/kg", ["9.4 months", "1 × 10⁷ cells/kg"]),
        ("n = 12 with a 3.5-fold rise", ["n = 12", "3.5-fold"]),
        ("共12例患者，48.6%缓解", ["12例", "48.6%"]),
        ("CD19, IL-15 and NK-92 are names", []),
    ],
)
def test_numbers_that_say_something_are_marked_and_names_with_digits_are_not(text: str, found: list[str]) -> None:
    assert marked(text, "numbers") == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("No toxicity and without relapse", ["No", "without"]),
        ("It did not, and wasn't, in the absence of IL-2", ["not", "wasn't", "absence of"]),
        ("Nothing notable in a node of notice", []),
        ("未见毒性，无复发，无法评估，不同剂量", ["未见", "无"]),
    ],
)
def test_negation_is_marked(text: str, found: list[str]) -> None:
    assert marked(text, "negation") == found


def test_words_of_the_vocabulary_are_found_whatever_dash_was_printed() -> None:
    text = "CAR‑NK cells without cytokine–release syndrome"
    assert marked(text, "therapy") == ["CAR‑NK"]
    assert marked(text, "safety") == ["cytokine–release syndrome"]
    assert marked(text, "negation") == ["without"]


def test_where_layers_meet_each_piece_names_all_of_its_own() -> None:
    words: dict[Layer, list[re.Pattern[str]]] = {"therapy": [re.compile("bcd")], "outcome": [re.compile("cde")]}
    found = highlights("abcdef", words)
    assert [("abcdef"[each.start : each.end], each.layers) for each in found] == [
        ("b", ("therapy",)),
        ("cd", ("therapy", "outcome")),
        ("e", ("outcome",)),
    ]


@given(st.text("abcd 0123%.未-n=NK"), st.lists(st.sampled_from(["a+", "bc?", "[cd0-9]", "", "a.*d"]), max_size=4))
def test_marks_stand_in_order_apart_and_within_the_text(text: str, patterns: list[str]) -> None:
    found = highlights(text, {"therapy": [re.compile(each) for each in patterns], "safety": [re.compile("[b-d]+")]})
    edges = [edge for each in found for edge in (each.start, each.end)]
    assert edges == sorted(edges)
    assert all(each.start < each.end <= len(text) and each.layers for each in found)
    assert all(list(each.layers) == [layer for layer in LAYERS if layer in each.layers] for each in found)


def test_a_translation_must_repeat_its_numbers_and_markers() -> None:
    assert figures("Of 1,200 CD3+ cells 48.6% (HR 0·63)") == {"1200", "CD3+", "48.6%", "0.63"}
    assert figures("1200个CD3＋细胞中４８.６％（HR 0.63）") == {"1200", "CD3+", "48.6%", "0.63"}
    assert figures("three") == frozenset()
