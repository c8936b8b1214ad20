"""Hypothesis strategies for trees that `parse` could have made."""

from __future__ import annotations

from hypothesis import strategies as st

from monitor.core.query import (
    And,
    DateRange,
    EarlierSearch,
    Flag,
    Not,
    Or,
    PmidRange,
    Pmids,
    Proximity,
    Query,
    Recent,
    SearchDate,
    Term,
)
from monitor.core.query.fields import DATE_FIELDS, FIELDS, HEADING_FIELDS, PROXIMITY_FIELDS, RELATIVE_FIELDS

WORDS = (
    "fable",
    "NK-92",
    "CD3+CD56+",
    "feed*",
    "γδ",
    "细胞",
    "notable",
    "β-story",
    "x",
    "of",
    "Ångström",
    "10.9999/a.b",
)
word = st.sampled_from(WORDS)
text = st.lists(word, min_size=1, max_size=3).map(" ".join)
quoted_text = st.one_of(text, st.sampled_from(["AND", "a (b) [c]", "Cells, Natural/transplantation", "a: b | c"]))
text_fields = st.sampled_from(sorted(FIELDS - DATE_FIELDS - {"uid"}))
dates = st.one_of(
    st.builds(SearchDate, st.integers(1000, 9999), st.none(), st.none()),
    st.builds(SearchDate, st.integers(1000, 9999), st.integers(1, 12), st.none()),
    st.builds(SearchDate, st.integers(1000, 9999), st.integers(1, 12), st.integers(1, 31)),
)
pmids = st.integers(1, 999_999_999)
leaves: st.SearchStrategy[Query] = st.one_of(
    st.builds(Term, text),
    st.builds(Term, text, text_fields),
    st.builds(Term, quoted_text, st.none() | text_fields, st.just(True)),
    st.builds(Term, quoted_text, st.sampled_from(sorted(HEADING_FIELDS)), st.just(True), st.just(False)),
    st.builds(Proximity, quoted_text, st.sampled_from(sorted(PROXIMITY_FIELDS)), st.integers(0, 9999)),
    st.builds(DateRange, st.sampled_from(sorted(DATE_FIELDS)), dates, st.none() | dates),
    st.builds(
        Recent,
        st.sampled_from(sorted(RELATIVE_FIELDS)),
        st.integers(0, 99999),
        st.sampled_from(["days", "months", "years"]),
    ),
    st.builds(Pmids, st.lists(pmids, min_size=1, max_size=4).map(tuple)),
    st.builds(PmidRange, pmids, pmids),
    st.builds(Flag, st.sampled_from(["hasabstract", "ownernasa", "pubstatusaheadofprint", "haserratumin"])),
    st.builds(EarlierSearch, st.integers(0, 999_999)),
)


def _grown(parts: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    several = st.lists(parts, min_size=2, max_size=4).map(tuple)
    some = st.lists(parts, min_size=1, max_size=3).map(tuple)
    return st.one_of(st.builds(And, several), st.builds(Or, several), st.builds(Not, parts, some))


queries: st.SearchStrategy[Query] = st.recursive(leaves, _grown, max_leaves=12)
