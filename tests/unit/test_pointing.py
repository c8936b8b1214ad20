"""The mark stands under the character that is wrong, whatever stands before it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.cli.pointing import WIDTH, pointed


@pytest.mark.parametrize(
    ("text", "column", "shown"),
    [
        ("(cells OR", 1, "  (cells OR\n  ^"),
        ("cells[nosuch]", 6, "  cells[nosuch]\n       ^"),
        ("cells OR", 9, "  cells OR\n          ^"),
        ("肝癌 (", 4, "  肝癌 (\n       ^"),
        ("e\u0301 (", 4, "  e\u0301 (\n    ^"),
        ("a\nb\t(", 5, "  a b (\n      ^"),
        ("a", 99, "  a\n   ^"),
    ],
)
def test_the_caret_stands_under_the_place(text: str, column: int, shown: str) -> None:
    assert pointed(text, column) == shown


def test_of_a_long_search_the_part_around_the_place_is_shown() -> None:
    text = "a" * 500 + "(" + "b" * 500
    line, mark = pointed(text, 501).splitlines()
    assert line[mark.index("^")] == "("
    assert line.startswith("  …a")
    assert line.endswith("b…")
    assert len(line) == WIDTH + 4


@given(st.text(st.characters(codec="ascii"), min_size=1, max_size=200), st.integers(1, 200))
def test_the_character_above_the_caret_is_the_one_named(text: str, column: int) -> None:
    column = min(column, len(text))
    line, mark = pointed(text, column).split("\n")
    wanted = text[column - 1]
    assert line[len(mark) - 1] == (wanted if wanted.isprintable() else " ")
    assert "\x1b" not in line
