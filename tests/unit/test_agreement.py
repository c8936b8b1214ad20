"""Percent agreement and Cohen's kappa of verdicts given blindly, edge cases included."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.agreement import Agreement, Pair, agreement, between

verdicts = st.sampled_from(["keep", "maybe", "dismiss"])
pairs = st.lists(st.builds(lambda one, other: Pair(1, 2, (one, other)), verdicts, verdicts))


def of(table: dict[tuple[str, str], int], first: int = 1, second: int = 2) -> list[Pair]:
    return [Pair(first, second, both) for both, number in table.items() for _ in range(number)]


def test_the_textbook_example() -> None:
    # 2 x 2 table 20, 5, 10, 15: observed 0.70, by chance 0.50.
    found = agreement(of({("a", "a"): 20, ("a", "b"): 5, ("b", "a"): 10, ("b", "b"): 15}))
    assert (found.papers, found.agreed, found.percent) == (50, 35, 70.0)
    assert found.kappa == pytest.approx(0.4)


def test_nothing_judged_twice_says_nothing() -> None:
    assert agreement([]) == Agreement(0, 0, None)
    assert agreement([]).percent is None


def test_one_verdict_alone_has_no_kappa_and_full_agreement() -> None:
    found = agreement(of({("dismiss", "dismiss"): 7}))
    assert (found.percent, found.kappa) == (100.0, None)


def test_one_person_who_always_says_the_same_agrees_by_chance_alone() -> None:
    found = agreement(of({("keep", "keep"): 6, ("keep", "dismiss"): 2}))
    assert found.percent == 75.0
    assert found.kappa == pytest.approx(0.0)


def test_opposite_verdicts_are_worse_than_chance() -> None:
    assert agreement(of({("keep", "dismiss"): 5, ("dismiss", "keep"): 5})).kappa == pytest.approx(-1.0)


def test_several_people_are_weighed_by_the_papers_they_share() -> None:
    one = of({("a", "a"): 20, ("a", "b"): 5, ("b", "a"): 10, ("b", "b"): 15})
    other = of({("a", "a"): 5, ("b", "b"): 5}, 2, 3)
    assert [len(each) for each in between([*one, *other]).values()] == [50, 10]
    # Observed 45 of 60, by chance 25 + 5 of 60.
    assert agreement([*one, *other]).kappa == pytest.approx((45 - 30) / (60 - 30))


@given(pairs)
def test_kappa_is_at_most_one_and_one_only_for_perfect_agreement(found: list[Pair]) -> None:
    whole = agreement(found)
    assert whole.agreed == sum(each.agreed for each in found)
    if whole.kappa is not None:
        assert -1.0 <= whole.kappa <= 1.0
        assert (whole.kappa == pytest.approx(1.0)) == (whole.agreed == whole.papers)


@given(pairs)
def test_who_is_called_first_makes_no_difference(found: list[Pair]) -> None:
    turned = [Pair(1, 2, (each.verdicts[1], each.verdicts[0])) for each in found]
    assert agreement(turned).kappa == pytest.approx(agreement(found).kappa, nan_ok=True)
