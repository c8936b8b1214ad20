"""Patterns that could hold everything up are found in a process that can be stopped."""

from __future__ import annotations

from monitor.services.slow_patterns import LENGTH, slow, unlucky
from tests.unit.vocabulary.shipped import rules, vocabulary


def test_a_pattern_that_never_ends_is_named_and_those_around_it_are_fine() -> None:
    late = "(?:a|aa)+b"
    assert slow([("CAR-NK", False), (late, False), ("\\bNK\\b", True)]) == [late]


def test_what_ships_is_quick() -> None:
    patterns = {(each.text, each.cased) for each in (*vocabulary().patterns, *rules().patterns)}
    assert slow(sorted(patterns)) == []


def test_no_pattern_is_no_trouble() -> None:
    assert slow([]) == []


def test_unlucky_texts_are_made_of_the_pattern_itself() -> None:
    texts = list(unlucky("\\bNK(?:-92)? cells"))
    assert all(len(each) == LENGTH for each in texts)
    assert any(each.startswith("NKNKNK") for each in texts)
