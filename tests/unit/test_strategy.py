"""Topics and strategies as values: reading the file, inserting blocks, rendering lanes, saying which lines match."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.draft import unreadable
from monitor.core.query import document, parse
from monitor.core.strategy import (
    DEEPEST,
    LONGEST,
    MOST_LINES,
    Block,
    Line,
    Screen,
    Strategy,
    TooLarge,
    all_lines,
    inserted,
    with_blocks,
)
from monitor.core.topicfile import read_topics
from monitor.errors import UsageError
from monitor.resources import load_mesh_tree, resource_dir
from tests.factories import citation


def line(query: str, **more: Any) -> Line:
    return Line(query, "invented reason", **more)


def topics_file(**parts: Any) -> dict[str, Any]:
    return {"version": 1, "blocks": {}, "topics": {}, **parts}


def topic(*core: str, **more: Any) -> dict[str, Any]:
    return {"title": "Invented", "core": [{"q": each, "why": "because"} for each in core], **more}


STARTER_TOPICS = read_topics(yaml.safe_load((resource_dir("db") / "seed" / "queries.yaml").read_text("utf-8")))


def test_the_starter_is_whole() -> None:
    assert [each.id for each in STARTER_TOPICS] == [
        "car-nk",
        "ipsc-nk",
        "cik",
        "nk-adoptive",
        "nk-engager",
        "car-t-comparator",
        "safety",
        "integrity",
    ]
    cik = next(each for each in STARTER_TOPICS if each.id == "cik")
    assert [block.name for block in cik.strategy.blocks] == ["ADOPTIVE", "CANCER", "CIK"]
    assert len(cik.sentinels) == 10


@pytest.mark.parametrize("topic", STARTER_TOPICS, ids=lambda each: each.id)
def test_every_starter_line_can_be_read_and_is_tagged_whole(topic: Any) -> None:
    for lane in ("core", "wide"):
        query = topic.strategy.query(lane)
        if query is None:
            assert topic.id == "integrity"
            continue
        parse(query)
        assert "{" not in query
        assert query.count("(") == query.count(")")
        for each in topic.strategy.lines(lane):
            parse(topic.strategy.line_query(each))
            assert each.owner == "starter"
            assert each.enabled
            assert each.reason


def test_one_line_stands_alone_and_several_get_parentheses() -> None:
    assert Strategy((line("a[ti] OR b[ti]"),)).query("core") == "a[ti] OR b[ti]"
    assert Strategy((line("a[ti] OR b[ti]"), line("c[ti]"))).query("core") == "(a[ti] OR b[ti]) OR (c[ti])"
    assert Strategy((line("a[ti]"),)).query("wide") is None


def test_lines_that_are_off_are_left_out() -> None:
    strategy = Strategy((line("a[ti]"), line("b[ti]", enabled=False), line("c[ti]")))
    assert strategy.query("core") == "(a[ti]) OR (c[ti])"
    assert Strategy((line("b[ti]", enabled=False),)).query("core") is None


def test_blocks_are_inserted_in_parentheses_whatever_stands_around() -> None:
    blocks = {
        "A": Block("A", (line("a[ti]"), line("b[ti]"))),
        "B": Block("B", (line("{A}"), line("c[ti]")), joined="all"),
    }
    strategy = with_blocks([line("x[ti] AND {B}")], [line("{A} NOT {B}")], blocks)
    assert strategy.query("core") == "x[ti] AND ((((a[ti]) OR (b[ti]))) AND (c[ti]))"
    assert strategy.query("wide") == "((a[ti]) OR (b[ti])) NOT ((((a[ti]) OR (b[ti]))) AND (c[ti]))"
    assert [each.name for each in strategy.blocks] == ["A", "B"]


def test_only_blocks_in_use_are_carried() -> None:
    blocks = {"A": Block("A", (line("a[ti]"),)), "B": Block("B", (line("b[ti]"),))}
    assert [each.name for each in with_blocks([line("{B}")], [], blocks).blocks] == ["B"]


def test_another_topic_s_core_lane_can_be_inserted() -> None:
    first, second = read_topics(
        topics_file(topics={"one": topic("a[ti]", "b[ti]"), "two-b": topic("{T:one} AND c[ti]")})
    )
    assert first.strategy.blocks == ()
    assert second.strategy.query("core") == "((a[ti]) OR (b[ti])) AND c[ti]"


@given(st.text(alphabet='{}AT:b1-_ [ti]"', max_size=30))
def test_any_line_is_read_or_refused(query: str) -> None:
    try:
        names = inserted(query)
    except UsageError:
        return
    strategy = Strategy((line(query),), (), tuple(Block(name, (line("x[ti]"),)) for name in set(names)))
    assert "{" not in (strategy.query("core") or "")


def test_lines_that_match_are_told_by_their_numbers() -> None:
    strategy = Strategy(
        (
            line('"CAR-NK"[tiab]'),
            line("nothing[ti]"),
            line("killer[ti]", enabled=False),
            line("this is (not a query"),
            line("{A} AND killer[ti]"),
        ),
        (line("killer[ti]"),),
        (Block("A", (line("natural[ti]"),)),),
    )
    held = document(citation(title="CAR-NK: natural killer cells, invented"))
    screen = Screen(strategy, "core", load_mesh_tree(), date(2026, 11, 22))
    assert screen.positions(held) == [1, 5]
    first, second = screen.reasons(held)
    assert (first.position, first.line.query, second.position) == (1, '"CAR-NK"[tiab]', 5)
    assert first.matches
    assert second.matches
    assert Screen(strategy, "wide", load_mesh_tree(), date(2026, 11, 22)).positions(held) == [1]


def test_every_line_is_listed_as_it_is_stored() -> None:
    strategy = Strategy((line("a"),), (line("b"), line("c")), (Block("A", (line("d"),)),))
    assert [(name, at, each.query) for name, at, each in all_lines(strategy)] == [
        ("core", 1, "a"),
        ("wide", 1, "b"),
        ("wide", 2, "c"),
        ("A", 1, "d"),
    ]


def nested(deep: int, line: str) -> Strategy:
    blocks = [Block(f"B{at}", (Line(line.replace("NEXT", f"{{B{at + 1}}}"), "x"),)) for at in range(deep - 1)]
    return Strategy((Line("{B0}", "x"),), (), (*blocks, Block(f"B{deep - 1}", (Line("fable[tiab]", "x"),))))


def test_blocks_that_insert_the_next_twice_are_refused_before_they_grow() -> None:
    """2 to the power of 64 terms: this returns at all, and says it once."""
    grown = nested(65, "NEXT OR NEXT")
    with pytest.raises(TooLarge, match=f"longer than {LONGEST:,} characters"):
        grown.query("core")
    assert [each for each in unreadable(grown) if "longer" not in each] == []
    assert len(unreadable(grown)) <= 2
    text = nested(8, "NEXT OR NEXT").query("core")
    assert text is not None
    assert text.count("fable[tiab]") == 2**7


def test_a_line_and_a_lane_may_be_long_but_not_endless() -> None:
    half = Block("B", (Line("x" * (LONGEST // 2), "x"),))
    assert Strategy((Line("{B}", "x"),), (), (half,)).query("core") is not None
    for core in ((Line("{B} OR {B}", "x"),), (Line("{B}", "x"),) * 2):
        with pytest.raises(TooLarge, match="divide the topic"):
            Strategy(core, (), (half,)).query("core")


def test_blocks_nested_deeper_than_anybody_means_are_refused() -> None:
    assert nested(DEEPEST, "NEXT").query("core") is not None
    with pytest.raises(TooLarge, match=f"more than {DEEPEST} deep"):
        nested(DEEPEST + 1, "NEXT").query("core")
    with pytest.raises(TooLarge, match=f"more than {DEEPEST} deep"):
        nested(5_000, "NEXT").query("core")


def test_a_topic_of_too_many_lines_is_refused() -> None:
    lines = [Line(f"word{at}[tiab]", "x") for at in range(MOST_LINES + 1)]
    assert with_blocks(lines[1:], (), {}).query("core") is not None
    with pytest.raises(TooLarge, match=f"there are {MOST_LINES + 1} lines"):
        with_blocks(lines, (), {})
