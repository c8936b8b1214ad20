"""The fields and flags of our own library: read, refused for PubMed, matched, explained, written back."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.citation import Correction
from monitor.core.query import (
    DateRange,
    Flag,
    Own,
    Query,
    Recent,
    Term,
    UnknownField,
    document,
    explain,
    matches,
    parse,
    render,
    undecidable,
)
from monitor.core.query.fields import OWN_DATE_FIELDS, OWN_FIELDS
from monitor.core.query.flags import OWN_FLAGS
from monitor.core.query.own import OPEN, QUALIFIERS, VERDICTS, fits
from monitor.core.vocabulary.terms import COMPARATOR, POLARITIES
from monitor.errors import QuerySyntaxError
from tests.unit.query.invented import TREE, citation
from tests.unit.query.strategies import _grown, dates, quoted_text, text

OWN = Own(
    topics=frozenset({"car-nk", "ipsc-nk"}),
    wide=frozenset({"cik"}),
    tags=frozenset({"Solid tumour", "CAR-NK", "早期试验"}),
    levels=frozenset({"B2"}),
    claims=frozenset({"persistence", "safety and dose"}),
    decision="keep",
    added_on=date(2026, 11, 2),
)
TODAY = date(2026, 11, 22)


def found(search: str, own: Own = OWN) -> bool:
    return matches(parse(search, own=True), document(citation(), own), TREE, TODAY)


@pytest.mark.parametrize(
    "search",
    [
        "car-nk[topic]", "CAR NK[Topic]", "cik[wide]", '"solid tumour"[tag]', "SOLID TUMOUR[tags]", "sol*[tag]", "c*[topic]",
        "早期试验[tag]", "早期*[tag]", "b2[level]", "b2[evidence level]", "persistence[claim]", "safety*[claims]",
        "keep[decision]", "KEEP[verdict]", '"keep"[decision]', "2026/11/02[added]", "2026/11[added]", "2026[date added]",
        "2026/11/01:3000[added]", "2026/01:2026/11[added]", '"last 20 days"[added]', '"last 1 month"[added]',
        "fable[tiab] AND car-nk[topic] NOT (dismiss[decision] OR cik[topic])",
    ],
)  # fmt: skip
def test_found(search: str) -> None:
    assert found(search)


@pytest.mark.parametrize(
    "search",
    [
        "car[topic]", "cik[topic]", "car-nk[wide]", "solid[tag]", "olid*[tag]", "car-nk[level]", "b[level]", "dose[claim]",
        "open[decision]", "dismiss[decision]", "2026/11/03[added]", "2026/10[added]", "2026/11/03:3000[added]",
        '"last 19 days"[added]', "isretracted", "hasconcern", "fable[tiab] NOT car-nk[topic]",
    ],
)  # fmt: skip
def test_not_found(search: str) -> None:
    assert not found(search)


@pytest.mark.parametrize("search", ["open[decision]", "fable[tiab] NOT keep[decision]"])
def test_a_citation_of_which_nothing_is_known_is_open(search: str) -> None:
    assert found(search, Own())


@pytest.mark.parametrize("search", ["car-nk[topic]", "cik[wide]", "2026[added]", '"last 20 days"[added]', "b2[level]"])
def test_a_citation_of_which_nothing_is_known_has_none_of_the_rest(search: str) -> None:
    assert not found(search, Own())


def test_flags_decide_as_everywhere_in_the_library() -> None:
    links = (
        Correction("RetractionIn", "Invented J. 2026;1:1"),
        Correction("ExpressionOfConcernIn", "Invented J. 2026;1:2"),
    )
    retracted = document(citation(corrections=links))
    for search in ("isretracted", "hasconcern", "IsRetracted[sb]", "fable[tiab] AND isretracted AND hasconcern"):
        assert matches(parse(search, own=True), retracted, TREE), search


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("crs[tag]", True),
        ("crs/absent[tag]", True),
        ('"CRS absent"[tag]', True),
        ("cr*[tag]", True),
        ("crs/reported[tag]", False),
        ("car-t[tag]", True),
        ("car-t/comparator[tag]", True),
        ("nk[tag]", False),
        ("nk/t-cell[tag]", True),
        ("absent[tag]", False),
        ("crs[level]", False),
    ],
)
def test_a_tag_is_found_with_any_qualifier(search: str, expected: bool) -> None:
    assert found(search, Own(tags=frozenset({"crs/absent", "car-t/comparator", "nk/t-cell"}))) is expected


def test_qualifiers_are_those_that_the_vocabulary_gives() -> None:
    assert {*POLARITIES, COMPARATOR} == QUALIFIERS


@pytest.mark.parametrize("tag", ["tag", "Topics", "level", "claim", "wide", "decision", "added", "evidence level"])
def test_pubmed_is_not_asked_for_fields_of_ours(tag: str) -> None:
    with pytest.raises(UnknownField, match=r"is a field of this library; PubMed has no such field") as caught:
        parse(f"fable[tiab] AND fable[{tag}]")
    assert caught.value.tag == tag
    assert caught.value.column == len("fable[tiab] AND fable") + 1


def test_flags_of_ours_are_words_to_pubmed() -> None:
    assert parse("isretracted") == Term("isretracted")
    assert parse("isretracted", own=True) == Flag("isretracted")


def test_an_unknown_field_names_the_nearest_of_ours() -> None:
    with pytest.raises(
        UnknownField, match=r"neither PubMed nor this library has a field \[topik\]; did you mean \[topic\]\?"
    ):
        parse("car-nk[topik]", own=True)
    with pytest.raises(UnknownField, match=r"PubMed has no field \[topik\]"):
        parse("car-nk[topik]")


@pytest.mark.parametrize(
    ("search", "words"),
    [
        ("later[decision]", "knows keep, maybe, dismiss and open"),
        ("ke*[decision]", "knows keep, maybe, dismiss and open"),
        ("soon[added]", "is no date"),
        ("2026/13[added]", "no day of the calendar"),
        ('"last 3 weeks"[added]', "is no date"),
        ('"last 3 days"[mhda]', r"\[added\], \[crdt\], \[edat\] and \[dp\] only"),
        ("a[tag:noexp]", "does not explode"),
        ('"a b"[tag:~2]', "proximity works in"),
        ("2026[added]:fable[ti]", "the range has no end"),
    ],
)
def test_refused(search: str, words: str) -> None:
    with pytest.raises(QuerySyntaxError, match=words):
        parse(search, own=True)


def test_reasons_stand_in_the_library() -> None:
    search = 'c*[topic] AND "solid tumour"[tag] AND keep[decision] AND 2026:2026[added] NOT a[tag]'
    why = explain(parse(search, own=True), document(citation(), OWN), TREE)
    assert [(each.place, each.words, each.start, each.end) for each in why] == [
        ("library", "car-nk", 0, 6),
        ("library", "Solid tumour", 0, 12),
        ("library", "keep", 0, 4),
        ("library", "2026/11/02", 0, 10),
    ]


def test_every_own_field_is_decidable() -> None:
    query = parse(
        " OR ".join(f"2026[{each}]" for each in sorted(OWN_FIELDS - {"decision"})) + " OR isretracted", own=True
    )
    assert undecidable(query, TREE) == ()


def test_the_name_of_a_tag_counts_as_a_whole() -> None:
    assert fits("car nk", ["CAR-NK", "car-nk cells", "CAR/NK"]) == {"CAR-NK", "CAR/NK"}
    assert fits("c*", ["CAR-NK", "B"]) == {"CAR-NK"}
    assert fits("and", ["", "&", "And"]) == {"And"}


own_leaves: st.SearchStrategy[Query] = st.one_of(
    st.builds(Term, text, st.sampled_from(sorted(OWN_FIELDS - OWN_DATE_FIELDS - {"decision"}))),
    st.builds(Term, quoted_text, st.sampled_from(sorted(OWN_FIELDS - OWN_DATE_FIELDS - {"decision"})), st.just(True)),
    st.builds(Term, st.sampled_from(sorted(VERDICTS | {OPEN})), st.just("decision"), st.booleans()),
    st.builds(DateRange, st.just("added"), dates, st.none() | dates),
    st.builds(Recent, st.just("added"), st.integers(0, 99999), st.sampled_from(["days", "months", "years"])),
    st.builds(Flag, st.sampled_from(sorted(OWN_FLAGS))),
)
own_queries = st.recursive(st.one_of(own_leaves, st.builds(Term, text, st.just("tiab"))), _grown, max_leaves=10)


@given(own_queries)
def test_what_is_rendered_parses_to_the_same_tree(query: Query) -> None:
    assert parse(render(query), own=True) == query


@given(own_queries)
def test_every_tree_can_be_evaluated_and_reasons_quote_the_library(query: Query) -> None:
    prepared = document(citation(), OWN)
    why = explain(query, prepared, TREE, TODAY)
    assert matches(query, prepared, TREE, TODAY) or not why
    assert all(len(each.words) == each.end - each.start > 0 for each in why)
