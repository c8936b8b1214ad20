"""Sentences: where they end, where they do not, and that nothing of a text is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.citation import AbstractSection, InlineXml, OtherAbstract
from monitor.core.markup import bare, runs, safe_html
from monitor.core.sentences import abstract_of, sections, split, translation_of
from tests.factories import citation

WHOLE = [
    "Cells (e.g. NK cells) were given i.v. to mice in 3.5 mL.",
    "As Example et al. Showed, it holds.",
    "CAR-NK vs. CAR-T cells were compared.",
    "See Fig. 3 and Ref. 12 for Dr. Example.",
    "Sample No. 5 was lost.",
    "The isolate E. coli grew at 37.5 °C.",
    "J. Example and A. B. Placeholder wrote it.",
    "The U.S. Agency agreed.",
    "P < .05 was significant (95% CI 0.4-0.9).",
]
CUT = [
    ("We gave it i.v. The mice lived.", ["We gave it i.v. ", "The mice lived."]),
    ("So say Example et al. However, we differ.", ["So say Example et al. ", "However, we differ."]),
    ("It was due to vitamin C. The dose was low.", ["It was due to vitamin C. ", "The dose was low."]),
    ("It works! Does it? Yes.", ["It works! ", "Does it? ", "Yes."]),
    ("It failed (P = 0.6). iPSC-derived cells lived.", ["It failed (P = 0.6). ", "iPSC-derived cells lived."]),
    ("They died. γδ T cells lived.", ["They died. ", "γδ T cells lived."]),
    ('He said "no." Then he left.', ['He said "no." ', "Then he left."]),
    ("It ended. 12 patients lived.", ["It ended. ", "12 patients lived."]),
    ("The answer was no. We asked again.", ["The answer was no. ", "We asked again."]),
    ("It ended... The rest is lost.", ["It ended... ", "The rest is lost."]),
    ("细胞被回输。未见毒性！结果如何？很好。", ["细胞被回输。", "未见毒性！", "结果如何？", "很好。"]),
    ("他说“没有。”然后离开。", ["他说“没有。”", "然后离开。"]),
    ("共12例（1.5%）。CAR-NK有效。", ["共12例（1.5%）。", "CAR-NK有效。"]),
    ("", []),
]
TEXT = st.lists(
    st.sampled_from(["i.v.", "et al.", "vs.", "3.5", "The", "cells", "NK", ".", "!", "。", "？", " ", "  ", "(", ")", '"', "p53", "未见", "β"])
    | st.text(max_size=4)
).map("".join)  # fmt: skip


@pytest.mark.parametrize("text", WHOLE)
def test_an_abbreviation_or_a_number_ends_no_sentence(text: str) -> None:
    assert split(text) == [text]


@pytest.mark.parametrize(("text", "pieces"), CUT)
def test_a_sentence_ends_where_the_next_begins(text: str, pieces: list[str]) -> None:
    assert split(text) == pieces


@given(TEXT)
def test_sentences_put_together_are_the_text(text: str) -> None:
    assert "".join(split(text)) == text
    assert all(split(text))


@given(st.lists(st.builds(AbstractSection, TEXT.map(lambda t: InlineXml(t.replace("<", "").replace("&", ""))))))
def test_every_section_is_its_sentences_and_its_runs_and_numbers_go_on(held: list[AbstractSection]) -> None:
    found = sections(held)
    for given_, section in zip(held, found, strict=True):
        assert section.text == bare(given_.text) == "".join(run.text for run in section.runs)
        assert "".join(section.text[each.start : each.end] for each in section.sentences) == section.text
    numbers = [each.number for section in found for each in section.sentences]
    assert numbers == list(range(1, len(numbers) + 1))


MARKUP = st.recursive(
    st.text("ab <>&2 \n", max_size=5).map(lambda t: t.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")),
    lambda inner: (
        st.builds(
            lambda tag, parts: f"<{tag}>{''.join(parts)}</{tag}>",
            st.sampled_from(["b", "i", "sub", "sup", "u", "math"]),
            st.lists(inner, max_size=3),
        )
        | st.lists(inner, max_size=3).map("".join)
    ),
)


@given(MARKUP)
def test_runs_hold_the_bare_text_and_only_safe_tags(xml: str) -> None:
    found = runs(InlineXml(xml))
    assert "".join(each.text for each in found) == bare(InlineXml(xml))
    assert {tag for each in found for tag in each.tags} <= {"b", "i", "sub", "sup", "u"}
    assert all(f"<{tag}>" in safe_html(InlineXml(xml)) for each in found for tag in each.tags)


def test_labels_are_kept_and_a_bare_colon_is_none() -> None:
    found = abstract_of(citation(abstract={"BACKGROUND": "One. Two.", "RESULTS": "Three."}))
    assert [(each.label, [s.number for s in each.sentences]) for each in found] == [
        ("BACKGROUND", [1, 2]),
        ("RESULTS", [3]),
    ]
    assert sections([AbstractSection(InlineXml("One."), label=":")])[0].label is None


@pytest.mark.parametrize(
    "text", ["Abstract available from the publisher.", " abstract available from the publisher", "[Abstract available from the publisher.]"]
)  # fmt: skip
def test_the_sentence_that_stands_for_an_abstract_is_none(text: str) -> None:
    assert abstract_of(citation(abstract=text)) == ()


def test_no_abstract_and_an_empty_one_are_the_same() -> None:
    assert abstract_of(citation(abstract=None)) == ()
    assert abstract_of(citation(abstract="  ")) == ()


def test_a_translation_is_found_by_language_and_a_summary_for_patients_is_none() -> None:
    held = citation(
        other_abstracts=(
            OtherAbstract((AbstractSection(InlineXml("通俗摘要。")),), "plain-language-summary", "chi"),
            OtherAbstract((AbstractSection(InlineXml("Abstract available from the publisher.")),), "Publisher", "chi"),
            OtherAbstract((AbstractSection(InlineXml("未见毒性。全部存活。")),), "Publisher", "chi"),
        )
    )
    assert [len(each.sentences) for each in translation_of(held, "chi")] == [2]
    assert translation_of(held, "fre") == ()
