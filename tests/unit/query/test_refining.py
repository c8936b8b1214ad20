"""Searches narrowed by facets and widened again: what is taken out leaves a search that asks for all the rest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.query import And, parse, render
from monitor.core.query.refining import EVERYTHING, Chosen, chosen, narrowed

PARTS = (
    '"car-nk"[topic]',
    '"crs/absent"[tag]',
    "b1[level]",
    '"review"[pt:noexp]',
    '"j invented"[ta]',
    "eng[la]",
    "keep[decision]",
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cells", ()),
        ('cells AND "car-nk"[topic]', (Chosen("topic", "car-nk", "cells"),)),
        ("car-nk[wide]", (Chosen("wide", "car-nk", ""),)),
        (
            "2024:2024[dp] AND isretracted[sb]",
            (Chosen("year", "2024", "isretracted"), Chosen("flag", "retracted", "2024:2024[dp]")),
        ),
        ("cells AND 2020:2024[dp]", ()),
        ("cells AND hasconcern", (Chosen("flag", "concern", "cells"),)),
        ("(cells OR crs[tag]) AND b1[level]", (Chosen("level", "b1", "cells OR crs[tag]"),)),
        ("keep[decision] NOT review[pt]", (Chosen("decision", "keep", "all[sb] NOT review[pt]"),)),
        (
            "cells AND eng[la] NOT (a OR b)",
            (Chosen("language", "eng", "cells NOT (a OR b)"),),
        ),
        ("cells OR crs[tag]", ()),
    ],
)
def test_facets_stand_side_by_side(text: str, found: tuple[Chosen, ...]) -> None:
    assert chosen(parse(text, own=True)) == found


@given(st.lists(st.sampled_from(PARTS), min_size=1, max_size=5, unique=True))
def test_what_was_added_can_be_taken_out_again_in_any_order(parts: list[str]) -> None:
    text = ""
    for part in parts:
        text = narrowed(text, part)
    found = chosen(parse(text, own=True))
    assert len(found) == len(parts)
    for at, each in enumerate(found):
        left = [render(parse(part, own=True)) for place, part in enumerate(parts) if place != at]
        wanted = " AND ".join(left)
        assert each.rest == wanted
        if len(left) > 1:
            assert isinstance(parse(each.rest, own=True), And)


def test_everything_is_a_search() -> None:
    assert render(parse(EVERYTHING, own=True)) == EVERYTHING
    assert narrowed("  ", "x[tag]") == "x[tag]"
