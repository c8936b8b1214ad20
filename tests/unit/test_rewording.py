"""What became of a title and an abstract, word by word."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.core.citation import InlineXml
from monitor.core.rewording import Piece, pieces, rewording
from tests.factories import citation, texts


def marked(before: str, after: str) -> str:
    sign = {"kept": "{}", "added": "+{}+", "removed": "-{}-"}
    return "".join(sign[each.kind].format(each.words) for each in pieces(before, after))


def test_a_sentence_turned_round_shows_the_words_that_turn_it() -> None:
    assert marked("Cells reduced mortality.", "Cells did not reduce mortality.") == (
        "Cells -reduced -+did not reduce +mortality."
    )


def test_a_number_that_changed_stands_beside_the_one_before() -> None:
    assert marked("CRS in 3 of 37 patients", "CRS in 0 of 37 patients") == "CRS in -3 -+0 +of 37 patients"


def test_changes_that_touch_are_one_change() -> None:
    assert marked("old words here", "new terms here") == "-old words -+new terms +here"


def test_chinese_is_compared_sign_by_sign() -> None:
    assert marked("自然杀伤细胞", "自然杀伤T细胞") == "自然杀伤+T+细胞"


def test_spaces_alone_change_nothing() -> None:
    assert pieces("two  words\nhere", "two words here") == (Piece("kept", "two words here"),)
    assert pieces("", "") == ()


def test_an_abstract_that_came_or_went_is_all_one_change() -> None:
    assert pieces("", "All new.") == (Piece("added", "All new."),)
    assert pieces("All gone.", "") == (Piece("removed", "All gone."),)


def test_texts_too_long_to_compare_are_told_whole() -> None:
    before, after = "a " * 5000, "b " * 5000
    assert pieces(before, after) == (Piece("removed", before), Piece("added", after))
    assert pieces(before, before) == (Piece("kept", before),)


def test_sections_are_held_side_by_side_under_their_labels() -> None:
    before = citation(abstract={"AIM": "To test cells.", "RESULTS": "They worked."})
    after = citation(abstract={"AIM": "To test cells.", "METHODS": "As usual.", "RESULTS": "They failed."})
    found = rewording(before, after)
    assert [[(each.kind, each.words) for each in (*section.label, *section.text)] for section in found.abstract] == [
        [("kept", "AIM"), ("kept", "To test cells.")],
        [("added", "METHODS"), ("added", "As usual.")],
        [("kept", "RESULTS"), ("kept", "They "), ("removed", "worked."), ("added", "failed.")],
    ]
    assert found


def test_a_label_that_was_renamed_is_no_other_section() -> None:
    before, after = citation(abstract={"RESULT": "They worked."}), citation(abstract={"RESULTS": "They worked."})
    (section,) = rewording(before, after).abstract
    assert [each.kind for each in (*section.label, *section.text)] == ["removed", "added", "kept"]


def test_markup_is_no_word() -> None:
    before, after = citation(title=InlineXml("CD19 cells")), citation(title=InlineXml("<i>CD19</i> cells"))
    assert not rewording(before, after)


@given(st.one_of(texts, st.text("ab \n杀伤", max_size=30)), st.one_of(texts, st.text("ab \n杀伤", max_size=30)))
def test_what_is_kept_and_added_is_the_new_text(before: str, after: str) -> None:
    found = pieces(before, after)
    assert "".join(each.words for each in found if each.kind != "removed") == after
    removed = "".join(each.words for each in found if each.kind != "added")
    assert "".join(removed.split()) == "".join(before.split())
    assert all(each.words for each in found)
    kinds = [each.kind for each in found]
    assert all(one != other for one, other in zip(kinds, kinds[1:], strict=False))
