"""What a search asks of the index never misses what the evaluator finds, and finds no more where it says exact."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.core.citation import Author, AuthorList, Citation, MeshHeading, MeshTerm, PartialDate, PublicationType
from monitor.core.markup import bare
from monitor.core.query import (
    DateRange,
    EarlierSearch,
    Flag,
    Leaf,
    MeshTree,
    Own,
    PmidRange,
    Pmids,
    Proximity,
    Recent,
    SearchDate,
    Term,
    document,
    ignored,
    matches,
    parse,
)
from monitor.core.query.dates import citation_days
from monitor.core.query.document import TIERS
from monitor.core.query.exact import values
from monitor.core.query.fields import DATE_FIELDS, FIELDS
from monitor.core.query.people import people
from monitor.core.query.tree import terms
from monitor.resources import load_mesh_tree
from monitor.storage.fulltext import entry
from monitor.storage.lookup import ALL, EVERY, NOTHING, AllOf, AnyOf, Lookup, Phrase, Token, look_up
from monitor.storage.tokens import NAMES, VALUES
from tests import factories
from tests.storage.index_model import Words
from tests.unit.query import strategies
from tests.unit.query.invented import TREE
from tests.unit.query.invented import citation as invented

ADDED = date(2026, 11, 20)
TODAY = date(2026, 11, 22)


def agree(each: Citation, leaf: Leaf, tree: MeshTree = TREE) -> Lookup | None:
    """Hold the index against the evaluator for one leaf and one citation."""
    asked = look_up(leaf, tree, TODAY)
    if asked is None:
        assert ignored(leaf)
        return None
    truth = matches(leaf, document(each, Own(added_on=ADDED)), tree, TODAY)
    answer = Words(entry(each, ADDED, tree)).have(asked.wanted)
    assert answer >= truth, f"missed: {leaf} by {asked}"
    assert answer == truth or not asked.exact, f"not exact: {leaf} by {asked}"
    return asked


def texts_of(each: Citation) -> Iterator[str]:
    """Everything of a citation that somebody might search for."""
    for tier in TIERS.values():
        yield from (text for _, _, texts in tier(each, bare) for text in texts if text)
    for field in VALUES:
        yield from values(field, each)
    for field in NAMES:
        for _, person in people(each, field)[1]:
            parts: tuple[str | None, ...] = (person.last_name, person.initials, person.fore_name, person.suffix)
            yield from (" ".join(filter(None, some)) for some in (parts, parts[:2], (parts[2], parts[0]), parts[:1]))
    for heading in each.mesh_headings:
        yield from (heading.descriptor.name, heading.descriptor.ui or "")
        yield from (f"{heading.descriptor.name}/{one.name}" for one in heading.qualifiers)
    yield from (kind.ui or kind.name for kind in each.publication_types)
    yield from each.languages
    yield from (f"jsubset{code}" for code in each.citation_subsets)
    yield from (each.book.isbns if each.book else ())
    yield from (each.journal.country or "" if each.journal else "", each.status or "")


OTHERS = (
    "Neoplasms", "Lung Cancer", "Cancer/therapy", "Neoplasms/DI", "Clinical Trial", "Retraction Notice", "D009369", "English", "french", "humans",
    "all infant", "medline", "jsubsetim", "free full text", "fable", "feed*", "细胞", "the of", "the cells", "*", "", "—", "and", "John D", "van den",
)  # fmt: skip
TEXT_FIELDS = sorted(FIELDS - DATE_FIELDS - {"uid"})


@st.composite
def searches(draw: st.DrawFn, each: Citation) -> Leaf:
    """A search that has something to do with the citation, more often than not."""
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return draw(strategies.leaves)  # type: ignore[return-value]
    if kind <= 2:
        field = draw(st.sampled_from([*sorted(DATE_FIELDS), "added", "dp", "dp"]))
        days = [*citation_days(each, field), (ADDED.year, ADDED.month, ADDED.day), (2024, 1, 1)]
        low, high = sorted(draw(st.sampled_from(days)) for _ in range(2))
        shift = draw(st.integers(-2, 2))
        cut = draw(st.integers(1, 3))
        first = SearchDate(*(low[0] + shift, *low[1:])[:cut])
        last = SearchDate(*(high[0] + draw(st.sampled_from([0, 0, 0, 1, 30])), *high[1:])[: draw(st.integers(1, 3))])
        return DateRange(field, first, draw(st.sampled_from([None, first, last, SearchDate(3000)])))
    text = draw(st.sampled_from(sorted(set(texts_of(each)))) | st.sampled_from(OTHERS))
    words = text.split()
    if draw(st.booleans()) and words:
        start = draw(st.integers(0, len(words) - 1))
        text = " ".join(words[start : start + draw(st.integers(1, 4))])
    if draw(st.integers(0, 3)) == 0:
        text = text[: max(1, len(text) - draw(st.integers(0, 3)))] + "*"
    if kind == 3:
        return Proximity(text, draw(st.sampled_from(["ti", "tiab", "ad"])), draw(st.integers(0, 6)))
    tag: str | None = draw(st.sampled_from([None, *TEXT_FIELDS, "au", "au", "mh", "majr", "pt", "ta", "sh", "sb"]))
    return Term(text, tag, draw(st.booleans()), draw(st.booleans()))


def try_some(data: st.DataObject) -> None:
    each = data.draw(st.just(invented()) | factories.citations())
    for _ in range(8):
        agree(each, data.draw(searches(each)))


@settings(max_examples=100)
@given(st.data())
def test_the_index_never_misses_and_is_exact_where_it_says_so(data: st.DataObject) -> None:
    try_some(data)


@pytest.mark.torture
@settings(max_examples=10_000)
@given(st.data())
def test_the_index_never_misses_at_length(data: st.DataObject) -> None:
    try_some(data)


EXACT = (
    "cells[ti]", '"invented cells"[tiab]', "invent*[tw]", "cells[all]", '"killer cells"', "invented killer cells", "a the cells",
    "neoplasms[mh]", '"Lung Neoplasms"[majr:noexp]', "Killer Cell*[mh]", "D999999[mh]", "nowhere at all[mh]", "nowhere at all[pt]", "review[pt]", "Clinical Trial[pt:noexp]", "Retraction Notice[pt]",
    "therapy[sh]", "DI[sh:noexp]", "wang[au]", "wang l[au]", '"wang l"[au]', "van den berg[au]", "wang*[au]", "doe j[ir]", "doe j[ed]",
    "Blood Adv[ta]", "Blood Ad*[ta]", "1234-5678[ta]", "100[jid]", "12[vi]", "3[ip]", "113[pg]", "Interleukin-2[nm]", "0[rn]", "eng[la]", "chinese[la]",
    "2024[dp]", "2024/02[dp]", "2024/02/29[dp]", "2015:3000[dp]", "2024/03:2024/05[edat]", "2024[crdt]", "2026/11/22[added]", '"last 7 days"[edat]',
    "2015:2016[epdat]", "hasabstract", "isretracted", "hasconcern", "medline[sb]", "all[sb]", "humans[filter]", "all infant[filter]", "jsubsetim[sb]",
    "systematic[sb]", "randomized controlled trial[filter]", "90000001[uid]", "utopia[pl]", "x[aucl]",
)  # fmt: skip
SUPERSET = (
    '"invented cells"[tiab:~2]', "cells[ad]", "0000-0001[auid]", "x[ot]", "x[tt]", "x[cn]", "NCT01[si]", "R01[gr]", "x[ps]", "x[cois]", "10.1/x[doi]", "wang l[1au]",
    "wang l[lastau]", "wang lei[fau]", "doe j[fir]", "neoplasms/therapy[mh]", "2024[epdat]", "1:90000005[uid]", "978[isbn]",
    "new york[pl]", "car[tag]", "open[decision]",
)  # fmt: skip


@pytest.mark.parametrize("exact", [True, False])
def test_what_the_index_decides_alone(exact: bool) -> None:
    """The lists keep each other honest: what turns exact or stops being so moves from one to the other."""
    for query in EXACT if exact else SUPERSET:
        leaf = terms(parse(query, own=True))[0]
        asked = look_up(leaf, TREE, TODAY)
        assert asked is not None
        assert asked.exact is exact, query


@pytest.mark.parametrize("query", [*EXACT, *SUPERSET])
def test_every_kind_of_search_agrees_on_the_invented_record(query: str) -> None:
    leaf = terms(parse(query, own=True))[0]
    if not isinstance(leaf, Term) or leaf.field not in {"tag", "decision"}:
        agree(invented(), leaf)


def test_a_broad_heading_asks_for_two_tokens() -> None:
    """However many headings are narrower: they are looked up when a citation is written."""
    asked = look_up(Term("neoplasms", "mh"), load_mesh_tree())
    assert asked == Lookup(AnyOf((Token("mud009369"), Token("mxd009369"))))


def test_a_range_asks_for_few_tokens() -> None:
    for query in ("1000:3000[dp]", "1987/11/05:2026/03/17[edat]", "0001:9999[crdt]", '"last 9999 days"[dp]'):
        asked = look_up(terms(parse(query))[0], TREE, TODAY)
        assert asked is not None
        assert isinstance(asked.wanted, AnyOf)
        assert len(asked.wanted.parts) <= 110, query


def test_leaves_that_no_record_decides_ask_for_nothing() -> None:
    for leaf in (
        EarlierSearch(3),
        Term("x", "pa"),
        Term("free full text", "sb"),
        Term("—", "tiab", quoted=True),
        DateRange("p1dat", SearchDate(2024)),
    ):
        assert look_up(leaf, TREE) == Lookup(NOTHING)


def test_what_pubmed_ignores_asks_for_nothing_at_all() -> None:
    assert look_up(Term("of the"), TREE) is None
    assert look_up(Term("of the", "tiab"), TREE) is None


def test_untagged_words_are_asked_for_one_by_one() -> None:
    asked = look_up(Term("the IL-2 cells feed*"), TREE)
    assert asked == Lookup(AllOf((Phrase(ALL, ("il", "2")), Phrase(ALL, ("cells",)), Phrase(ALL, ("feed",), True))))


def test_what_the_index_does_not_hold_is_every_citation() -> None:
    for leaf in (PmidRange(1, 2), Term("car", "tag"), Term("keep", "decision")):
        assert look_up(leaf, TREE) == Lookup(EVERY, exact=False)


def test_a_relative_date_needs_todays() -> None:
    with pytest.raises(ValueError, match="today"):
        look_up(Recent("edat", 7, "days"), TREE)


def test_an_odd_flag_and_pmids() -> None:
    assert look_up(Flag("nosuchflag"), TREE) == Lookup(NOTHING)
    assert look_up(Pmids((90000001,)), TREE) == Lookup(Token("uid90000001"))


def named(
    last: str | None, fore: str | None = None, initials: str | None = None, suffix: str | None = None
) -> Citation:
    person = Author(last, fore, initials, suffix)  # type: ignore[arg-type]
    return factories.citation(author_lists=(AuthorList((person,)),))


@pytest.mark.parametrize(
    "each",
    [
        named("Wang", "Lei", "L"),
        named("Wang", "L", "L"),
        named("van den Berg", "Anna Maria", "AM", "Jr"),
        named("Berg", None, None),
        named("—", "Lei", "L"),
        named("Smith-Jones", "J.-P.", "J-P", "2nd"),
        named("García Lorca", "Ægir Þór", "ÆÞ"),
        named("王", "雷", "雷"),
        named(None, "Lei", "L"),
    ],
)
def test_names_are_found_as_the_evaluator_finds_them(each: Citation) -> None:
    person = each.author_lists[0].authors[0]
    parts = [person.last_name or "", person.fore_name or "", person.initials or "", person.suffix or ""]
    texts = {
        " ".join(filter(None, [parts[i] for i in order]))
        for order in ([0, 2], [0, 1], [1, 0], [0, 2, 3], [0], [1], [1, 0, 3], [0, 1, 3])
    }
    for text in sorted(texts):
        words = text.split()
        beginnings = {" ".join(words[:n]) for n in range(1, len(words) + 1)} | {
            text[:-1],
            f"{text[:5]}*",
            f"{text}*",
            f"{text} x",
        }
        for beginning in sorted(filter(str.strip, beginnings)):
            for field in ("au", "1au", "lastau", "fau", "ir"):
                for quoted in (False, True):
                    agree(each, Term(beginning, field, quoted))


def test_headings_and_types_without_ui_are_found_by_name() -> None:
    each = factories.citation(
        mesh_headings=(MeshHeading(MeshTerm(None, "Lung Neoplasms", True)), MeshHeading(MeshTerm("D000818", "Beasts"))),
        publication_types=(PublicationType(None, "Retraction Notice"), PublicationType("D016449", "Trial of chance")),
    )
    for text in (
        "Neoplasms",
        "Lung Neoplasms",
        "Lung Cancer",
        "Animals",
        "Beasts",
        "Humans",
        "D009369",
        "D000818",
        "Lung Neo*",
    ):
        for field in ("mh", "majr"):
            for explode in (True, False):
                agree(each, Term(text, field, explode=explode))
    for text in (
        "Retraction Notice",
        "Retraction of Publication",
        "Clinical Trial",
        "Trial of chance",
        "D016449",
        "D016430",
        "Trial of ch*",
    ):
        for explode in (True, False):
            agree(each, Term(text, "pt", explode=explode))


DAYS = [
    (year, month, day)
    for year in (1899, 1900, 1999, 2000, 2024, 2099, 2100, 2999, 3000, 9999)
    for month, day in ((1, 1), (2, 29), (6, 15), (12, 31))
]


@settings(max_examples=300)
@given(st.sampled_from(DAYS), strategies.dates, strategies.dates | st.none())
@example((2024, 2, 29), SearchDate(2024, 2, 30), SearchDate(2024, 2, 31))
@example((2100, 1, 1), SearchDate(2100), SearchDate(9999))
@example((9999, 12, 31), SearchDate(2099, 12, 31), SearchDate(9999, 12, 30))
def test_a_day_is_in_a_range_or_it_is_not(day: tuple[int, int, int], low: SearchDate, high: SearchDate | None) -> None:
    each = dataclasses.replace(factories.citation(), completed_on=PartialDate(*day), article_dates=())
    agree(each, DateRange("dcom", low, high))
    near = SearchDate(day[0], day[1])
    agree(each, DateRange("dcom", near, high))
    agree(each, DateRange("dcom", low, near))


@pytest.mark.parametrize("ui", ["fable", "FABLE", "d009369", "D00936९", "D009369 ", "Neoplasms"])
@pytest.mark.parametrize("search", ["fable[mh]", "fable[pt]", "D009369[mh]", "Neoplasms[mh]", "fabl*[mh]", "fabl*[pt]"])
def test_what_is_no_ui_names_nothing(ui: str, search: str) -> None:
    each = factories.citation(
        mesh_headings=(MeshHeading(MeshTerm(ui, "Other name", False), ()),), publication_types={ui: "Journal Article"}
    )
    leaf = parse(search)
    agree(each, next(iter(terms(leaf))))
    assert not matches(leaf, document(each), TREE)
