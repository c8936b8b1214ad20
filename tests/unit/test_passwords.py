"""Which passwords may be set."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.commonwords import CHOSEN, SHORT
from monitor.core.passwords import LONGEST, SHORTEST, Refusal, normal, refusal, words_of

OWN = words_of("Evidence Monitor", "NK evidence", "member@lab.example", "Member Two")


@pytest.mark.parametrize(
    "password",
    [
        "password", "Password1!", "P@ssw0rd", "passwordpassword", "12345678", "11111111", "qwertyuiop", "1q2w3e4r5t", "1qaz2wsx",
        "abcdefgh", "aaaabbbb", "iloveyou2", "monkey123", "Dragon2026!", "football99", "hotdog1234", "2026-11-23", "23111999",
        "letmein!!!", "trustno1", "zaq12wsx", "147258369", "ghbdtn12", "sunshine", "superman", "asdfasdf", "!@#$%^&*",
    ],
)  # fmt: skip
def test_what_many_people_use_is_refused(password: str) -> None:
    assert refusal(password) is Refusal.COMMON


@pytest.mark.parametrize(
    "password",
    [
        "gravel otter lantern", "correct horse battery staple", "Tr0ub4dor&3x", "xk7 qpz4", "naïve façade", "八个字符的密码啊",
        "🐙🦑🐚🐠🦀🐟🐬🐳", "evidence of the tide tables", "member of the secret choir", "q7!Lk2#v", "x" * 30 + "y z w",
    ],
)  # fmt: skip
def test_what_nobody_would_guess_is_taken(password: str) -> None:
    assert refusal(password, OWN) is None


@pytest.mark.parametrize(
    "password", ["evidence2026!", "NK evidence", "member@lab.example", "lab.example", "Evidence Monitor", "1member1!"]
)
def test_words_of_the_site_and_of_the_person_are_refused(password: str) -> None:
    assert refusal(password, OWN) in (Refusal.OURS, Refusal.COMMON)
    assert refusal(password + " by candlelight", OWN) is None


def test_the_bounds() -> None:
    assert refusal("x7q!k2z") is Refusal.SHORT
    assert refusal("x7q!k2zv") is None
    assert refusal("ab cd ef" * (LONGEST // 8)) is None
    assert refusal("ab cd ef" * (LONGEST // 8) + "g") is Refusal.LONG


@given(st.text(max_size=60), st.lists(st.text(max_size=12), max_size=3))
def test_any_text_is_taken_or_refused(password: str, own: list[str]) -> None:
    found = refusal(password, words_of(*own))
    assert (found is Refusal.SHORT) == (len(normal(password)) < SHORTEST)


@given(st.lists(st.sampled_from(sorted(SHORT)), min_size=5, max_size=8, unique=True))
def test_five_everyday_words_are_enough(words: list[str]) -> None:
    """A list of words must not turn against those who use several of them."""
    if not 16 <= sum(map(len, words)) <= LONGEST:
        return
    assert refusal(" ".join(words)) is None


@given(st.sampled_from(sorted(CHOSEN)), st.text("0123456789!?.", max_size=4), st.booleans())
def test_figures_and_capitals_make_no_word_new(word: str, tail: str, capital: bool) -> None:
    password = (word.capitalize() if capital else word) + tail
    if len(password) >= SHORTEST:
        assert refusal(password) is Refusal.COMMON


@given(st.text(min_size=8, max_size=30))
def test_how_a_keyboard_composes_letters_does_not_matter(password: str) -> None:
    assert normal(unicodedata.normalize("NFD", password)) == normal(password)
    assert refusal(unicodedata.normalize("NFD", password)) == refusal(normal(password))
