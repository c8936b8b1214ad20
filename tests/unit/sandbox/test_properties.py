"""What holds for any timeline, any text and any search."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.citation import Citation
from monitor.core.query import parse
from monitor.core.query.document import document
from monitor.core.query.matching import matches
from monitor.core.query.mesh import MeshTree
from monitor.errors import QuerySyntaxError
from monitor.pubmed.parse import read_records
from monitor.pubmed.sandbox.context import Context, SetClock
from monitor.pubmed.sandbox.corpus import Corpus, split
from monitor.pubmed.sandbox.exchange import parse_parameters, usable
from monitor.pubmed.sandbox.translation import understand
from tests.unit.sandbox.records import record

A = 90000001
START = datetime(2026, 1, 1, tzinfo=UTC)

events = st.lists(
    st.tuples(
        st.sampled_from((A, A + 1)),
        st.one_of(st.none(), st.integers(1, 2)),  # a removal, or a version
        st.integers(0, 6),
        st.none() | st.integers(1, 4),
    ),
    max_size=8,
)


@given(events)
def test_any_timeline_shows_what_a_day_by_day_replay_shows(
    timeline: list[tuple[int, int | None, int, int | None]],
) -> None:
    corpus = Corpus()
    for number, (pmid, version, first, length) in enumerate(timeline):
        visible = START + timedelta(days=first)
        if version is None:
            corpus.remove(pmid, at=visible)
        else:
            gone = visible + timedelta(days=length) if length else None
            corpus.add(record(pmid, f"State {number}.", version=version), visible=visible, gone=gone)
    held: dict[int, dict[int, tuple[int, int | None]]] = {A: {}, A + 1: {}}
    for today in range(12):
        for number, (pmid, version, first, length) in enumerate(timeline):
            if first == today and version is None:
                held[pmid].clear()
            elif first == today and version is not None:
                held[pmid][version] = (number, today + length if length else None)
        expected = {}
        for pmid, versions in held.items():
            there = {v: n for v, (n, gone) in versions.items() if gone is None or gone > today}
            if there:
                expected[pmid] = f"State {there[max(there)]}.".encode()
        view = corpus.view(START + timedelta(days=today, hours=5))
        assert set(view.states) == set(expected)
        assert all(title in (view.raw(pmid) or b"") for pmid, title in expected.items())


traps = st.sampled_from(
    (
        "<!-- </PubmedArticle> -->",
        "<![CDATA[<PubmedArticle>]]>",
        "<?odd </PubmedArticle>?>",
        "&lt;/PubmedArticle>",
        "é",
        "x",
        "\r\n",
    )
)


@given(
    st.lists(st.lists(traps, max_size=4).map("".join), min_size=1, max_size=4),
    st.lists(traps.filter(lambda t: t[0] != "&" and t != "é" and t != "x" and "CDATA" not in t), max_size=3).map(
        "".join
    ),
)
def test_records_are_cut_out_byte_for_byte(texts: list[str], between: str) -> None:
    records = [record(A + n).replace(b"Invented words.", text.encode()) for n, text in enumerate(texts)]
    document_ = b"<PubmedArticleSet>" + between.encode().join([b"", *records, b""]) + b"</PubmedArticleSet>"
    assert [each.raw for each in split(document_)] == records


RECORDS = [
    record(A + n, title, abstract, crdt=f"2026/0{n + 1}/01", mesh=("D051379 Mice",) if n % 2 else ())
    for n, (title, abstract) in enumerate(
        (
            ("Natural killer cells.", "Kill things."),
            ("Killer whales.", None),
            ("Cells of mice.", "Natural."),
            ("Nothing.", "Killer cells"),
        )
    )
]
leaves = st.sampled_from(
    ('natural[tiab]', '"killer cells"[tiab]', "kill*[ti]", "mice[mh]", "hasabstract", "2026/02:2026/03[crdt]", '"cells natural"[tiab:~2]',
     "the[tiab]", f"{A}:{A + 2}[uid]", "absent[ti]")
)  # fmt: skip
queries = st.recursive(
    leaves,
    lambda inner: st.tuples(inner, st.sampled_from(("AND", "OR", "NOT")), inner).map(
        lambda x: f"({x[0]} {x[1]} {x[2]})"
    ),
    max_leaves=8,
)
CITATIONS = [
    each
    for each in read_records([b"<PubmedArticleSet>", *RECORDS, b"</PubmedArticleSet>"])
    if isinstance(each, Citation)
]
CONTEXT = Context(Corpus.of(*RECORDS), clock=SetClock(START))


@given(queries)
def test_a_search_finds_what_matches_one_by_one(text: str) -> None:
    view = CONTEXT.view()
    query = parse(text)
    found = CONTEXT.index.evaluate(query, date(2026, 1, 1), view.numbers)
    expected = {each.pmid for each in CITATIONS if matches(query, document(each), MeshTree(), date(2026, 1, 1))}
    assert {pmid for pmid, state in view.states.items() if state.number in found} == expected


@given(queries)
def test_understanding_drops_nothing_that_is_known(text: str) -> None:
    understood = understand(CONTEXT, text)
    assert understood.query == parse(text)
    assert understood.phrases_not_found == []


pieces = st.one_of(
    leaves,
    st.sampled_from(
        (
            "AND",
            "OR",
            "NOT",
            "(",
            ")",
            '"',
            "[",
            "]",
            "[tiba]",
            "[mh:noexp]",
            "#1",
            ":",
            "*",
            "[la]",
            "[sb]",
            "-",
            "\u201c",
            "\uff3btiba\uff3d",
            "\x00",
            "\u0130",
        )
    ),
    st.text(max_size=6),
)


@settings(max_examples=300)
@given(st.lists(pieces, max_size=8).map(" ".join), st.sampled_from(("open", "corpus")))
def test_any_text_is_understood_or_refused(text: str, vocabulary: str) -> None:
    CONTEXT.vocabulary = vocabulary
    try:
        understood = understand(CONTEXT, text)
    except QuerySyntaxError:
        return
    finally:
        CONTEXT.vocabulary = "open"
    if understood.query is not None:
        CONTEXT.index.evaluate(understood.query, date(2026, 1, 1), CONTEXT.view().numbers)
        assert understood.translation


@pytest.mark.torture
@settings(max_examples=20_000)
@given(st.lists(pieces, max_size=12).map(" ".join), st.sampled_from(("open", "corpus")))
def test_any_text_is_understood_or_refused_at_length(text: str, vocabulary: str) -> None:
    test_any_text_is_understood_or_refused.hypothesis.inner_test(text, vocabulary)  # type: ignore[attr-defined]


@given(st.text(), st.binary())
def test_any_request_has_parameters(query: str, body: bytes) -> None:
    parameters, _ = parse_parameters("/x?" + query.replace("#", ""), body)
    assert all(values for values in parameters.values())


@given(st.lists(st.one_of(st.integers().map(str), st.text(max_size=5))))
def test_usable_ids_are_positive_numbers_each_once(texts: list[str]) -> None:
    ids = usable(texts)
    assert len(ids) == len(set(ids))
    assert all(0 < each <= 18446744073709551615 for each in ids)
