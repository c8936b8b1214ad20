"""What a try shows and what a proof of recall counts, without a database; and how reports are written."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.appendix import PRISMA_S, Appendix, AppendixVersion
from monitor.core.citation import MeshHeading, MeshTerm
from monitor.core.polling import DaySlice
from monitor.core.query import MeshTree, document, explain, matches, parse
from monitor.core.recall import (
    Arrival,
    Compared,
    LaneRecall,
    LineRecall,
    RecallReport,
    RouteCount,
    Span,
    Verdicts,
    WideKept,
    Year,
    late_arrivals,
    line_recalls,
    route_counts,
    verdicts,
)
from monitor.core.strategy import Block, Line, Strategy
from monitor.core.trials import (
    BAR_YEARS,
    Candidate,
    bars,
    blocks_as_trees,
    candidates,
    changed_lines,
    concepts,
    failing,
    shown,
    standing_among,
    taken,
    year_label,
)
from monitor.formats.appendix import appendix_page
from monitor.formats.pages import Page, Section, Table, csv_text, json_text, long_rows, markdown, plain, text
from monitor.formats.recall import report_page
from tests.factories import citation

TODAY = date(2026, 11, 22)
TREE = MeshTree.from_rows([("D007694", "Killer Cells, Natural", ("A11.1",), ())])


def line(query: str, *, enabled: bool = True) -> Line:
    return Line(query, "invented", enabled=enabled)


# ---- bars and samples


@given(st.dates(date(1990, 1, 1), date(2040, 12, 31)))
def test_bars_leave_out_no_day_and_count_none_twice(today: date) -> None:
    parts = [each.part for each in bars(today)]
    assert len(parts) == BAR_YEARS + 1
    assert parts[0].since == DaySlice("crdt").since
    assert parts[-1].until is None
    for before, after in zip(parts, parts[1:], strict=False):
        assert before.until is not None
        assert after.since == before.until + timedelta(days=1)


@given(st.dates(date(1850, 1, 1), date(2045, 1, 1)), st.dates(date(2000, 1, 1), date(2040, 12, 31)))
def test_a_day_falls_under_the_bar_that_searches_for_it(day: date, today: date) -> None:
    (label,) = [
        each.label
        for each in bars(today)
        if each.part.since <= day and (each.part.until is None or day <= each.part.until)
    ]
    assert year_label(day, today) == label
    assert year_label(None, today) is None


@given(st.integers(0, 500), st.integers(1, 30), st.integers(1, 20))
def test_a_sample_is_the_newest_and_others_from_all_over(number: int, newest: int, others: int) -> None:
    found = list(range(number))
    sample = taken(found, newest, others)
    assert len(sample) == min(number, newest + others)
    assert list(sample) == sorted(set(sample))
    assert list(sample[:newest]) == found[:newest]
    if number > newest + others:
        rest = sample[newest:]
        assert rest[0] < newest + (number - newest) / others
        assert rest[-1] >= number - (number - newest) / others


# ---- lines that changed, parts that fail


def test_only_lines_that_search_otherwise_have_changed() -> None:
    nk = Block("NK", (line("nk[tiab]"),))
    old = Strategy((line("a[ti]"), line("{NK}"), line("b[ti]", enabled=False)), (), (nk,))
    new = Strategy(
        (line("{NK}"), Line("a[ti]", "another reason"), line("b[ti]")),
        (),
        (nk._replace(lines=(line("killer[tiab]"),)),),
    )
    added, removed = changed_lines(old, new, "core")
    assert [(each.position, each.line.query) for each in added] == [(1, "{NK}"), (3, "b[ti]")]
    assert [(each.position, each.query) for each in removed] == [(2, "(nk[tiab])")]
    assert changed_lines(old, old, "core") == ((), ())


BLOCKS = Strategy(
    (line("{NK} AND {CAR}"),),
    (),
    (
        Block("CAR", (line("chimeric[tiab]"), line("receptor[tiab]"))),
        Block("NK", (line("nk[tiab]"), line('"natural killer"[tiab]'))),
        Block("ODD", (line("("),)),
    ),
)


@pytest.mark.parametrize(
    ("query", "failed"),
    [
        ("{NK}", ()),
        ("{NK} AND {CAR}", ("{CAR}",)),
        ("{NK} AND {CAR} AND zebrafish[ti]", ("{CAR}", "zebrafish[ti]")),
        ("zebrafish[ti] OR carp[ti]", ()),
        ("{NK} AND (zebrafish[ti] OR carp[ti])", ("zebrafish[ti] OR carp[ti]",)),
        ("{NK} NOT cells[ti]", ("NOT cells[ti]",)),
        ("carp[ti] NOT cells[ti]", ()),
        ("({NK} AND carp[ti]) NOT cells[ti]", ("carp[ti]",)),
        ("the[ti] AND carp[ti]", ("carp[ti]",)),
        ('{NK} AND "' + "long " * 60 + 'phrase"[ti]', None),
    ],
)
def test_the_part_that_fails_is_named_by_its_block(query: str, failed: tuple[str, ...] | None) -> None:
    of = document(citation(title="NK cells", abstract="Nothing else."))
    tree = parse(BLOCKS.line_query(line(query)))
    found = failing(tree, of, TREE, TODAY, blocks_as_trees(BLOCKS))
    if failed is None:
        assert found[0].endswith("…")
        assert len(found[0]) <= 160
    else:
        assert found == failed


def test_a_match_is_shown_in_its_place() -> None:
    abstract = "x " * 60 + "the NK cell stands here" + " y" * 60
    of = document(citation(title="NK cell, and again NK cell", abstract=abstract))
    tree = parse('"NK cell"[tiab]')
    in_title, in_abstract = shown(explain(tree, of, TREE, TODAY), of)
    assert (in_title.before, in_title.words, in_title.after) == ("", "NK cell", ", and again NK cell")
    assert in_abstract.before.startswith("…")
    assert in_abstract.before.endswith("the ")
    assert in_abstract.after.endswith("…")
    assert "\n" not in in_abstract.before
    day, _ = shown(explain(parse("2024[dp]"), of, TREE, TODAY), of)
    assert (day.place, day.before, day.after) == ("date", "", ""), "a date is no text to stand in"


# ---- phrases for core

TOPIC = Strategy((line('"CAR-NK"[tiab]'),), (line('"natural killer*"[tiab] AND "Killer Cells, Natural"[mh]'),))


def test_candidates_touch_the_topic_and_stay_within_a_sentence() -> None:
    paper = citation(title="Memory of natural killer cells. CAR design follows", abstract="Of the and with.")
    found = [each.words for each in candidates(paper, document(paper), concepts(TOPIC), 99)]
    assert "natural killer cells" in found
    assert "CAR design follows" in found
    assert not any("cells CAR" in each for each in found), "no phrase crosses a full stop"
    assert not any(each.split()[0] in {"of", "the", "with"} for each in found)
    assert "Memory" not in found, "what does not touch the topic is no candidate"
    assert len(candidates(paper, document(paper), concepts(TOPIC), 3)) == 3


def test_headings_that_the_topic_searches_are_candidates() -> None:
    def heading(name: str) -> MeshHeading:
        return MeshHeading(MeshTerm(name=name, ui="D000001"))

    paper = citation(
        title="Of nothing",
        abstract="-",
        mesh_headings=tuple(map(heading, ("Killer Cells, Natural", "Killer Whales", "Carps"))),
    )
    odd = Strategy((*TOPIC.core, line("zebrafish[ti]", enabled=False), line("(("), line("carps[au]")), TOPIC.wide)
    found = candidates(paper, document(paper), concepts(odd), 9)
    assert [each.query() for each in found] == [
        '"Killer Cells, Natural"[Mesh:NoExp]',
        '"Killer Whales"[Mesh:NoExp]',
    ]
    assert "zebrafish" not in concepts(odd).words, "a line that is off says nothing of the topic"


@given(st.text(alphabet="CARNKkiller cells,.-/“”()éß自然杀伤 \n", min_size=0, max_size=80))
def test_every_candidate_finds_the_paper_it_was_read_off(words: str) -> None:
    paper = citation(title=None, abstract=words or "-")
    of = document(paper)
    for each in candidates(paper, of, concepts(TOPIC), 50):
        for query in (each.query(), each.query(indexed=False)):
            assert matches(parse(query), of, TREE, TODAY), query


def test_everyday_words_are_told_from_names() -> None:
    for words in ("cells", "Receptors", "natürlich"):
        assert Candidate(words, "phrase").everyday, words
    for words in ("CD16", "iPSC", "CAR", "CAR-NK", "natural killer", "NKp46"):
        assert not Candidate(words, "phrase").everyday, words
    assert not Candidate("Neoplasms", "heading").everyday
    assert [Candidate(words, "phrase").single for words in ("CD16", "CAR-NK", "two words")] == [True, False, False]


def test_lines_are_ready_to_be_pasted() -> None:
    assert Candidate("CAR NK", "phrase").query() == '"CAR NK"[tiab]'
    assert Candidate("CAR NK", "phrase").query(indexed=False) == '"CAR NK"[tiab:~0]'
    assert Candidate("lirilumab", "phrase").query(indexed=False) == '"lirilumab"[tiab]', "one word needs no proximity"
    assert Candidate("Killer Cells, Natural", "heading").query() == '"Killer Cells, Natural"[Mesh:NoExp]'


def test_what_was_seen_often_ranks_above_what_was_seen_once() -> None:
    assert standing_among(30, 40) > standing_among(1, 1) > standing_among(0, 0) > standing_among(0, 5)


# ---- recall


def arrival(pmid: int, route: str, days: int | None, *, news: bool = True) -> Arrival:
    created = None if days is None else TODAY - timedelta(days=days)
    return Arrival(pmid, route, created, TODAY, news)


def test_routes_are_counted_with_their_delay() -> None:
    found = [
        arrival(1, "created", 0),
        arrival(2, "created", 1),
        arrival(3, "indexed", 40),
        arrival(4, "indexed", 14),
        arrival(5, "backfilled", 4000, news=False),
        arrival(6, "reconciled", None),
    ]
    counts = route_counts(found, 14)
    assert [tuple(each) for each in counts] == [
        ("created", 2, 0, 0, 0.5),
        ("indexed", 2, 1, 1, 27.0),
        ("reconciled", 1, 0, 0, None),
        ("backfilled", 1, 0, 0, 4000),
    ]
    assert [each.pmid for each in late_arrivals(found, 14)] == [3]
    assert route_counts([], 14) == ()


def test_verdicts_are_counted_and_the_commonest_reasons_named() -> None:
    given_ = {
        1: ("keep", None),
        2: ("dismiss", "neurokinin"),
        3: ("dismiss", "maize"),
        4: ("dismiss", "maize"),
        5: ("maybe", None),
    }
    found = verdicts([1, 2, 3, 4, 5, 6], given_)
    assert (found.keep, found.maybe, found.dismiss) == (1, 1, 3)
    assert found.reasons == (("maize", 2), ("neurokinin", 1))
    assert found.share == pytest.approx(0.2)
    assert verdicts([6], given_).share is None


def test_a_line_is_worth_what_no_other_finds() -> None:
    lines = (line("a"), line("b"), line("c", enabled=False))
    found = {1: frozenset({1, 2, 99}), 2: frozenset({2, 3})}
    recalls, lineless = line_recalls(lines, found, frozenset({1, 2, 3, 4}), {3: ("keep", None)}, {})
    assert [(each.hits, each.unique, each.verdicts.keep) for each in recalls] == [(2, 1, 0), (2, 1, 1), (0, 0, 0)]
    assert lineless == 1, "PubMed found one that no line matches as we read it"


def test_a_span_holds_its_ends_by_utc() -> None:
    span = Span(date(2026, 11, 1), date(2026, 11, 30))
    assert span.holds(datetime(2026, 11, 30, 23, 59, tzinfo=UTC))
    assert not span.holds(datetime(2026, 12, 1, tzinfo=UTC))
    assert str(span) == "2026-11-01 to 2026-11-30"
    assert [str(each) for each in (Span(), Span(TODAY), Span(None, TODAY))] == [
        "all times",
        "since 2026-11-22",
        "until 2026-11-22",
    ]


def test_the_checklist_has_its_sixteen_items_each_filled_or_asked_of_the_authors() -> None:
    assert [each.number for each in PRISMA_S] == list(range(1, 17))
    assert sum(each.filled for each in PRISMA_S) == 8, "docs/recall.md says so"
    assert all(each.where for each in PRISMA_S)


# ---- pages

cell = st.text(max_size=30)
tables = st.integers(1, 4).flatmap(
    lambda width: st.builds(
        Table,
        st.tuples(*[st.text("abc", min_size=1, max_size=3)] * width),
        st.lists(st.tuples(*[cell] * width), max_size=4).map(tuple),
    )
)


@given(tables)
def test_a_markdown_table_keeps_its_shape_whatever_a_cell_holds(table: Table) -> None:
    written = markdown(Page("Title", (Section("Part", (), table),)))
    rows = [each for each in written.splitlines() if each.startswith("|")]
    assert len(rows) == len(table.rows) + 2
    for row in rows:
        assert row.replace("\\\\", "").replace("\\|", "").count("|") == len(table.head) + 1


@given(st.text(alphabet='`~ab"[]|*<>', max_size=40))
def test_an_exact_string_stands_unchanged_in_its_fence(exact: str) -> None:
    lines = markdown(Page("T", (Section("S", (), None, (("as sent", exact),)),))).splitlines()
    at = next(number for number, each in enumerate(lines) if each.endswith("text") and each.startswith("```"))
    fence = lines[at].removesuffix("text")
    assert lines[at + 1] == exact
    assert lines[at + 2] == fence
    assert fence not in exact


def test_text_stands_in_columns_and_csv_runs_no_formula() -> None:
    page = Page("T", (Section("S", ("Said.",), Table(("a", "n"), (("x", "1"), ("long", "20")), frozenset({"n"}))),))
    assert text(page) == "T\n=\n\nS\n-\nSaid.\n  a      n\n  x      1\n  long  20\n"
    assert list(long_rows(page)) == [
        ("S", "", "sentence 1", "Said."),
        ("S", "x", "n", "1"),
        ("S", "long", "n", "20"),
    ]
    rows = list(csv.reader(io.StringIO(csv_text(("a",), [("=1+1",)]).removeprefix("\ufeff"))))
    assert rows == [["a"], ["'=1+1"]]


def test_a_report_says_what_could_not_be_told() -> None:
    off, odd = line("off[ti]", enabled=False), line("((")
    nothing = Verdicts(0, 0, 0, ())
    lane = LaneRecall(
        "wide",
        "x[ti]",
        Compared(70, TODAY, notes=("PubMed said so.",), missing=tuple(range(1, 71))),
        3,
        (Year("2026", None, 3),),
        (RouteCount("entered", 1, 0, 0, None), RouteCount("indexed", 2, 1, 1, 1.5)),
        (),
        (LineRecall(1, off, 0, 0, nothing), LineRecall(2, odd, 0, 0, nothing, "column 1: bad")),
        2,
    )
    report = RecallReport(
        "cik",
        "CIK",
        3,
        Span(),
        14,
        TODAY,
        (),
        (lane,),
        (WideKept(5, "Kept.", ()),),
        4,
        3,
        ((2, 2), (1, 1)),
        (),
        "PubMed did not answer.",
    )
    said = text(report_page(report))
    for sentence in (
        "PubMed's counts are not of now. PubMed did not answer.",
        "None: no paper is named that every version must find.",
        "PubMed said so.",
        "and 20 more",
        "Line 2 can be read by PubMed alone: column 1: bad",
        "2 hits match no line by our own reading",
        "No phrase of it touches the topic's own words.",
        "And 4 older papers",
        "None in this range.",
        "Version 3 of the strategy stands; 3 polls: 2 with version 2, 1 with version 1, none with version 3 (all times).",
    ):
        assert sentence in said, sentence
    assert "1.5" in said


def test_an_appendix_names_who_made_a_version_and_what_was_accepted() -> None:
    made = datetime(2026, 1, 2, tzinfo=UTC)
    version = AppendixVersion(
        2, made, None, "lab", "why", ("a sentinel is lost",), "x[ti]", None, (line("x[ti]", enabled=False),), ()
    )
    appendix = Appendix("cik", "CIK", Span(), TODAY, TODAY, (version,), (), (), 0, 0, ())
    said = markdown(appendix_page(appendix))
    assert "Made on 2026-01-02 by the command line. Reason: why." in said
    assert "Saved although: a sentinel is lost" in said
    assert "| core | 1 (off) | `x[ti]` | invented |" in said, "a search is copied as it stands"
    assert "\n```text\n(string) AND (FROM:TO[crdt] OR" in said
    assert "wide, as sent" not in said


def test_a_report_becomes_plain_json() -> None:
    value = {"span": Span(TODAY), "line": line("a[ti]"), "set": (1, 2), "at": datetime(2026, 1, 2, tzinfo=UTC)}
    assert json.loads(json_text(value)) == plain(value)
    assert plain(value)["span"] == {"since": "2026-11-22", "until": None}
    assert plain(replace(TOPIC))["core"][0]["query"] == '"CAR-NK"[tiab]'
