"""The word index held against a reading that tries every place."""

from __future__ import annotations

from itertools import combinations

from hypothesis import example, given
from hypothesis import strategies as st

from monitor.core.query.document import FieldText, Index
from monitor.core.query.words import SearchWords, search_words

words = st.lists(st.sampled_from(["aaaa", "aaab", "b", "c"]), max_size=9)
wanted = st.lists(st.sampled_from(["aaaa", "aaab", "b", "c"]), min_size=1, max_size=4).map(tuple)


@given(st.lists(words, min_size=1, max_size=3), wanted, st.booleans())
def test_phrases(texts: list[list[str]], phrase: tuple[str, ...], truncated: bool) -> None:
    if truncated:
        phrase = (*phrase[:-1], "aaa")
    index = Index(FieldText("title", n, " ".join(text)) for n, text in enumerate(texts))
    expected = {
        (n, at)
        for n, text in enumerate(texts)
        for at in range(len(text) - len(phrase) + 1)
        if text[at : at + len(phrase) - 1] == list(phrase[:-1])
        and (text[at + len(phrase) - 1].startswith("aaa") if truncated else text[at + len(phrase) - 1] == phrase[-1])
    }
    hits = list(index.phrase(SearchWords(phrase, truncated)))
    found = {(hit.source.part, hit.source.text[: hit.start].count(" ")) for hit in hits}
    assert found == expected
    assert len(hits) == len(expected)


@given(words, wanted, st.integers(0, 5))
@example(["b", "c", "b"], ("b", "b"), 1)
@example(["aaaa", "b", "c", "aaaa"], ("aaaa", "aaaa", "c"), 1)
def test_proximity(text: list[str], near: tuple[str, ...], distance: int) -> None:
    index = Index([FieldText("title", 0, " ".join(text))])
    possible = any(
        sorted(text[at] for at in places) == sorted(near) and places[-1] - places[0] + 1 - len(near) <= distance
        for places in combinations(range(len(text)), len(near))
    )
    hits = list(index.near(near, distance))
    assert bool(hits) is possible
    for hit in hits:
        inside = hit.source.text[hit.start : hit.end].split()
        assert len(inside) - len(near) <= distance
        assert all(inside.count(word) >= near.count(word) for word in near)


def test_a_star_counts_only_at_the_end_and_after_four_characters() -> None:
    assert search_words("feed*") == SearchWords(("feed",), True)
    assert search_words("CAR*") == SearchWords(("car",), False)
    assert search_words("CAR-T*") == SearchWords(("car", "t"), False)
    assert search_words("breast-feed*") == SearchWords(("breast", "feed"), True)
    assert search_words("breas* feeding") == SearchWords(("breas", "feeding"), False)
    assert search_words("leuk*mia") == SearchWords(("leuk", "mia"), False)
    assert search_words("feed-*") == SearchWords(("feed",), False)
