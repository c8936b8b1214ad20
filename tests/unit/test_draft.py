"""Editing a strategy line by line, what keeps it from being searched, and what a new version changes."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.difference import difference
from monitor.core.draft import (
    add_line,
    change_line,
    line_at,
    move_line,
    one_line,
    put_block,
    remove_line,
    typed_line,
    unreadable,
    with_sentinels,
)
from monitor.core.phrases import answers
from monitor.core.strategy import Block, Line, Strategy, Topic
from monitor.errors import UsageError


def line(query: str, reason: str = "w", owner: str = "lab", enabled: bool = True) -> Line:
    return Line(query, reason, owner, enabled)


A, B, C = line("a[ti]"), line("b[ti]"), line("{X} AND c[ti]")
STRATEGY = Strategy((A, B, C), (line("wide[ti]"),), (Block("X", (line("x[ti]"), line("y[ti]"))),))


def queries(strategy: Strategy, where: str = "core") -> list[str]:
    lines = {"core": strategy.core, "wide": strategy.wide} | {each.name: each.lines for each in strategy.blocks}
    return [each.query for each in lines[where]]


def test_lines_are_added_at_the_end_or_where_they_are_wanted() -> None:
    assert queries(add_line(STRATEGY, "core", line("d"))) == ["a[ti]", "b[ti]", "{X} AND c[ti]", "d"]
    assert queries(add_line(STRATEGY, "core", line("d"), 1))[0] == "d"
    assert queries(add_line(STRATEGY, "wide", line("d")), "wide") == ["wide[ti]", "d"]
    assert queries(add_line(STRATEGY, "X", line("d")), "X") == ["x[ti]", "y[ti]", "d"]
    with pytest.raises(UsageError, match="core: a line can be put at 1 to 4, not at 5"):
        add_line(STRATEGY, "core", line("d"), 5)
    with pytest.raises(UsageError, match="no block Y; it has X"):
        add_line(STRATEGY, "Y", line("d"))


def test_a_change_leaves_the_rest_of_the_line() -> None:
    changed = change_line(STRATEGY, "core", 2, reason="better", enabled=False)
    assert changed.core == (A, line("b[ti]", "better", "lab", False), C)
    assert change_line(changed, "core", 2, enabled=True, reason="w") == STRATEGY
    assert queries(change_line(STRATEGY, "X", 1, query="  z[ti]\n OR q[ti] "), "X")[0] == "z[ti] OR q[ti]"


@pytest.mark.parametrize("position", [0, 4, -1])
def test_a_line_that_is_not_there_is_said_to_be_missing(position: int) -> None:
    with pytest.raises(UsageError, match=f"core has no line {position}; it has 3"):
        change_line(STRATEGY, "core", position, reason="x")
    with pytest.raises(UsageError, match="has no line"):
        remove_line(STRATEGY, "core", position)
    with pytest.raises(UsageError, match="wide has no line 1; it has none"):
        line_at(Strategy((A,)), "wide", 1)


def test_lines_move_and_go() -> None:
    assert queries(move_line(STRATEGY, "core", 3, 1)) == ["{X} AND c[ti]", "a[ti]", "b[ti]"]
    assert queries(move_line(STRATEGY, "core", 1, 3)) == ["b[ti]", "{X} AND c[ti]", "a[ti]"]
    assert remove_line(STRATEGY, "wide", 1).wide == ()


def test_a_block_is_replaced_or_added_in_its_place_by_name() -> None:
    added = put_block(STRATEGY, Block("A", (A,)))
    assert [each.name for each in added.blocks] == ["A", "X"]
    assert put_block(added, Block("A", (B,))).blocks[0].lines == (B,)


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        (("", "w"), "q, the search, is missing"),
        ((None, "w"), "q, the search, is missing"),
        (("a", " "), "why, the reason, is missing"),
        (("a", "b\x07"), "why, the reason, holds a control character"),
        (("a\ud800", "b"), "control character"),
        (("{a}", "b"), "braces hold the name of a block"),
        (("a", "b", ""), "owner is missing"),
        (("a", "b", "c", 1), "on is true or false"),
    ],
)
def test_a_line_that_is_none_is_refused(given_: tuple[object, ...], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        typed_line(*given_)
    assert says in str(caught.value)


@given(st.text())
def test_a_text_on_one_line_stays_as_it_is(text: str) -> None:
    try:
        once = one_line(text, "a text")
    except UsageError:
        return
    assert one_line(once, "a text") == once
    assert len(once.splitlines()) == 1


def test_sentinels_are_added_and_removed_in_order() -> None:
    assert with_sentinels((5, 7), ["+9", "-5", "9", " 3 "]) == (7, 9, 3)
    for odd in ("", "x", "+", "--5", "0", "+2147483648", "٣", "5.0"):
        with pytest.raises(UsageError, match="is not a PMID"):
            with_sentinels((), [odd])
    with pytest.raises(UsageError, match="8 is no sentinel"):
        with_sentinels((5,), ["-8"])


def test_what_cannot_be_searched_is_told_all_at_once_with_its_place() -> None:
    strategy = Strategy(
        (line("{X} AND (a[ti]"), line("{Y}"), line("((", enabled=False), line("b[ti]")),
        (line("{X} c[nofield]"),),
        (Block("X", (line("x[ti]"), line("OR y[ti]"))),),
    )
    assert unreadable(strategy) == (
        "core line 2: {Y} is inserted, but there is no such block",
        "X line 2, column 1: nothing stands before OR",
    )
    mended = Strategy(strategy.core[:1], strategy.wide, (Block("X", (line("x[ti]"),)),))
    first, second = unreadable(mended)
    assert first == "core line 1, column 9: this ( is never closed"
    assert second.startswith("wide line 1, column 6: ")
    assert unreadable(Strategy((line("(a[ti] AND {X}"),), (), STRATEGY.blocks))[0].startswith("core line 1, column 1: ")
    assert unreadable(STRATEGY) == ()
    assert unreadable(Strategy((line("a[ti]", enabled=False),))) == (
        "the core lane has no line that is on, so there is nothing to search",
    )


def test_lines_that_are_only_too_much_together_are_refused() -> None:
    deep = "(" * 149 + "a[ti] OR b[ti]" + ")" * 149
    problems = unreadable(Strategy((line(deep), line("c[ti]"))))
    assert len(problems) == 1
    assert problems[0].startswith("core: ")
    assert "nested" in problems[0]


def topic(strategy: Strategy, title: str = "T", sentinels: tuple[int, ...] = ()) -> Topic:
    return Topic("x", title, strategy, sentinels)


def test_the_difference_is_told_line_by_line() -> None:
    new = Strategy(
        (line("entirely[tw]"), C, A._replace(enabled=False, reason="why not", owner="me"), line("other[majr]")),
        (line("wide[ti] OR more[ti]"),),
        (Block("X", (line("x[ti]"),), "all", "two at once"), Block("Z", (line("z"), line("q")), reason="new")),
    )
    changes = difference(topic(STRATEGY, "Old", (1, 2)), topic(new, "New", (2, 3)))
    assert changes.words == (
        "title: Old  becomes  New",
        "+ core 1: entirely[tw]  (w)",
        "- core 2: b[ti]  (w)",
        "~ core 2: {X} AND c[ti]  moved from 3",
        "~ core 3: a[ti]  switched off; reason now: why not; owner now: me",
        "+ core 4: other[majr]  (w)",
        "~ wide 1: wide[ti]  becomes  wide[ti] OR more[ti]",
        "- X 2: y[ti]  (w)",
        "~ block X: lines are joined with AND now",
        "~ block X: reason now: two at once",
        "+ block Z, 2 lines: new",
        "+ sentinel 3",
        "- sentinel 1",
    )
    assert changes.summary == (
        "lines: 2 gained, 2 lost, 2 changed, 1 moved; blocks +Z; how a block is joined or explained; title changed; "
        "sentinels +3 -1"
    )
    assert difference(None, topic(STRATEGY)).words[-1] == "+ block X, 2 lines"
    assert difference(topic(STRATEGY), topic(Strategy((A,)))).words[-1] == "- block X, 2 lines"


LINES = st.lists(
    st.builds(
        Line,
        st.sampled_from(["a[ti]", "b[ti]", "a[ti] OR b[ti]", "long words[tiab] AND b[ti]"]),
        st.sampled_from("wv"),
        st.just("lab"),
        st.booleans(),
    ),
    max_size=5,
).map(tuple)
BLOCKS = st.lists(
    st.builds(Block, st.sampled_from("XYZ"), LINES.filter(bool), st.sampled_from(["any", "all"]), st.none()),
    unique_by=lambda each: each.name,
).map(lambda found: tuple(sorted(found)))
TOPICS = st.builds(
    topic,
    st.builds(Strategy, LINES, LINES, BLOCKS),
    st.sampled_from("TU"),
    st.sets(st.integers(1, 4)).map(sorted).map(tuple),
)


@given(TOPICS, TOPICS)
def test_nothing_differs_exactly_when_nothing_differs(old: Topic, new: Topic) -> None:
    changes = difference(old, new)
    assert bool(changes) == (old != new)
    assert changes.strategy == (old.strategy != new.strategy)
    assert bool(changes.words) == bool(changes)
    assert (changes.summary == "no change") == (old == new)


@given(LINES, LINES)
def test_every_line_that_differs_is_in_the_difference(old: tuple[Line, ...], new: tuple[Line, ...]) -> None:
    changes = difference(topic(Strategy(old)), topic(Strategy(new))).lines
    gone = sorted(each.before for each in changes if each.before is not None)
    come = sorted(each.after for each in changes if each.after is not None)
    assert Counter(old) - Counter(gone) == Counter(new) - Counter(come), "what is left over stands in both"
    assert not Counter(gone) - Counter(old)
    assert not Counter(come) - Counter(new)


def test_what_pubmed_reports_as_unknown_is_matched_with_the_phrases_it_was_asked_for() -> None:
    query = '"CAR-iNK"[tiab] OR "nk cell"[tiab] OR "CAR-iNK"[ti] OR alone[tiab] OR "nk cell*"[all]'
    assert answers(query, ()) == {
        ("car-ink", "tiab"): True,
        ("nk cell", "tiab"): True,
        ("car-ink", "ti"): True,
        ("nk cell*", "all"): True,
    }
    told = answers(query, ['"CAR-iNK"[Title/Abstract]', "alone[Title/Abstract]", '"NK  cell*"'])
    assert {key for key, known in told.items() if not known} == {
        ("car-ink", "tiab"),
        ("alone", "tiab"),
        ("nk cell*", "all"),
    }
    untagged = answers(query, ["car-ink"])
    assert [key for key, known in untagged.items() if not known] == [("car-ink", "tiab"), ("car-ink", "ti")]


def test_an_answer_about_a_search_or_a_field_we_cannot_read_is_kept_by_its_words() -> None:
    assert answers("#1 AND (", ['"odd phrase"[No Such Field]']) == {("odd phrase", "all"): False}
