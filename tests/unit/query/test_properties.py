"""Round trips, the left-to-right rule and a hail of nonsense."""

from __future__ import annotations

import random
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.query import Query, explain, matches, parse, render, terms
from monitor.core.query.words import split_words
from monitor.errors import QuerySyntaxError
from tests.unit.query.invented import TREE, prepared, titled
from tests.unit.query.strategies import queries

TODAY = date(2025, 1, 20)
PIECES = (
    *"()[]\"':*/&|#~,.$?+-<>{}\\ \t\n",
    " AND ", " OR ", " NOT ", " and ", " adj3 ", "exp ", "/", "a", "NK cells", "feed*", "细胞", "β", "\u0301", "\u00ad",
    "[tiab]", "[ti:~2]", "[mh:noexp]", "[crdt]", "[uid]", "[dp]", "[sb]", "[au]", "[nope]", "[:]", "[~2]", "[la]", "[pt]",
    "2025/01/01", "2025", "3000", "12345678", "99999999999", '"last 30 days"', "hasabstract", "#1", "10.9999/a(b)",
    "“", "”", "（", "］", "：", "\x00", "\ud800", "\U0001f9ec",
)  # fmt: skip
SOUND = (
    '("Fable Cells"[Mesh:NoExp] OR "fable cell*"[tiab] OR "FB-92"[tiab]) AND (2025/01/01:3000[crdt] OR 2025[dp])',
    '"CAR NK"[tiab:~2] NOT (animals[mh] NOT humans[mh]) hasabstract AND "last 30 days"[edat] | 10.9999/a(1)2[doi]',
    'dichter jk[au] AND "Invented J Cell Ther"[ta] & english[la] OR 90000001:90000009[uid] OR 90000001 90000002[pmid]',
    "细胞[tiab] OR killer cells OR #1 AND medline[sb] AND “lung neoplasms/dt”[majr] OR clinicaltrial[Filter]",
    '("2024/12/01"[Date - Create] : "3000"[Date - Create]) AND feed*[ti] not the[tw] OR adverse effects[sh:noexp]',
)


@given(queries)
def test_what_is_rendered_parses_to_the_same_tree(query: Query) -> None:
    assert parse(render(query)) == query


@given(st.lists(st.sampled_from(["AND", "OR", "NOT"]), min_size=1, max_size=12), st.data())
def test_precedence_is_left_to_right(operators: list[str], data: st.DataObject) -> None:
    """Held against a fold over truth values, which knows no precedence."""
    truth = data.draw(st.lists(st.booleans(), min_size=len(operators) + 1, max_size=len(operators) + 1))
    text = f"{'fable' if truth[0] else 'absent'}[ti]"
    value = truth[0]
    for operator, side in zip(operators, truth[1:], strict=True):
        text += f" {operator} {'fable' if side else 'absent'}[ti]"
        value = (value and side) if operator == "AND" else (value or side) if operator == "OR" else value and not side
    assert matches(parse(text), titled("fable"), TREE) is value


@given(queries)
def test_every_tree_can_be_evaluated_and_reasons_quote_the_text(query: Query) -> None:
    held = matches(query, prepared(), TREE, TODAY)
    found = explain(query, prepared(), TREE, TODAY)
    assert held or not found
    leaves = terms(query)
    for match in found:
        assert match.term in leaves
        assert len(match.words) == match.end - match.start > 0


@given(st.text(max_size=200))
def test_word_spans_cut_the_text_at_words(text: str) -> None:
    words, spans = split_words(text)
    assert len(words) == len(spans)
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert all(a[1] <= b[0] for a, b in zip(spans, spans[1:], strict=False))


def survives(text: str) -> None:
    try:
        query = parse(text)
    except QuerySyntaxError as error:
        column = error.column
    else:
        assert parse(render(query)) == query
        matches(query, prepared(), TREE, TODAY)
        return
    assert 1 <= column <= len(text) + 1


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=25).map("".join))
@settings(max_examples=400)
def test_nonsense_is_read_or_refused(text: str) -> None:
    survives(text)


def mutated(text: str, dice: random.Random) -> str:
    """A sound search with a few characters cut out, doubled or replaced by pieces of syntax."""
    for _ in range(dice.randrange(4)):
        at = dice.randrange(len(text) + 1)
        end = min(len(text), at + dice.randrange(6))
        text = text[:at] + dice.choice(("", text[at:end] * 2, dice.choice(PIECES))) + text[end:]
    return text


@given(st.randoms(use_true_random=False))
def test_damaged_searches_are_read_or_refused(dice: random.Random) -> None:
    survives(mutated(dice.choice(SOUND), dice))


@pytest.mark.torture
def test_a_hundred_thousand_damaged_searches() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    for turn in range(100_000):
        survives(mutated(dice.choice(SOUND), dice) if turn % 2 else "".join(dice.choices(PIECES, k=dice.randrange(25))))


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000, ")" * 100_000, "[" * 100_000, '"' * 100_001, "a" * 100_000, "a-" * 50_000, "exp " * 25_000,
        "adj3 " * 20_000, "a " * 50_000, "a/ " * 30_000, " " * 100_000, "a" + " " * 100_000 + "b", "1,1" * 30_000,
        "a[ti] OR " * 10_000 + "b", "." * 100_000, "a.ti" * 25_000, "10.9999/" * 12_000, "last " * 20_000, "*" * 100_000,
        "a:b" * 30_000, "AND " * 20_000, "#1 " * 30_000, "or/1" * 25_000, "1 and\n" * 20_000, "细" * 100_000,
    ],
    ids=lambda text: repr(text[:8]),
)  # fmt: skip
def test_no_input_takes_quadratic_time(text: str) -> None:
    """100,000 characters each; a quadratic reader would need minutes and be seen."""
    survives(text)
