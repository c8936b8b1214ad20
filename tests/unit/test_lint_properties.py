"""The linter on searches nobody wrote: it never fails, its repairs repair, and what it calls covered is covered.

Long campaigns in `make torture`.
"""

from __future__ import annotations

import json
from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.core.lint import CODES, WEIGHTS, Finding, apply, as_json, lint, phrases_of, summary
from monitor.core.lint.covering import covers
from monitor.core.lint.reading import Reading, readable
from monitor.core.query import document, matches, parse, render
from monitor.core.strategy import Block, Line, Strategy
from monitor.resources import load_mesh_tree
from tests.factories import citation
from tests.unit.query.strategies import queries

TREE = load_mesh_tree()
BLOCKS = (
    Block("NK", (Line('"NK cell*"[tiab]', "words"), Line('"Killer Cells, Natural"[mh:noexp]', "heading"))),
    Block("BOTH", (Line("fable[tiab]", "one"), Line("story[tiab]", "two")), "all"),
)
FRAGMENTS = (
    *(
        "fable[tiab]",
        '"two words"[tiab]',
        "CAR",
        "NK[tiab]",
        "CAR-NK",
        "two words",
        "therap*[tiab]",
        "CA*[ti]",
        "*oma[tw]",
    ),
    *(
        '"CAR NK*"[tiab:~2]',
        '"CAR NK"[tiab:~2]',
        '"breast* feed*"[tiab]',
        "leuk*mia[tiab]",
        "tumo?r[tiab]",
        "the[tiab]",
    ),
    *('"Killer Cells, Natural"[mh]', '"NK cells"[majr]', "neoplasm*[mh]", "D000000[mh]", '"Killer Cel, Natural"[mh]'),
    *('"retraction of publication"[pt]', "humans[mh]", "english[la]", "2024[dp]", "hasabstract", "medline[sb]", "#3"),
    *(
        "killer[all]",
        "(animals[mh] NOT humans[mh])",
        "(male[mh] OR female[mh])",
        "{NK}",
        "{BOTH}",
        "{nk}",
        "{NKK}",
        "{X}",
    ),
    *(
        "'two words'[tiab]",
        '"one OR two"[tiab]',
        "graft or host[tiab]",
        "isretracted",
        "foo[tag]",
        "foo[tiba]",
        "“x y”[tiab]",
    ),
    *("（fable[tiab]）", "(fable OR story)[tiab]", "{NK}[tiab]", "fable.ti,ab.", "#", "*", '""', "- +"),
)
operator = st.sampled_from(
    [" AND ", " OR ", " NOT ", " and ", " or ", " ", " AND NOT ", "&", "|", " OR (", ") AND ", "(", ")"]
)
lines = st.lists(st.tuples(st.sampled_from(FRAGMENTS), operator), min_size=1, max_size=5).map(
    lambda parts: "".join(f"{fragment}{joined}" for fragment, joined in parts[:-1]) + parts[-1][0]
)
soup = st.text(alphabet='ab AND OR NOT()[]{}"“*~:-/#?NKtiab', max_size=40)


def campaign(short: int, long: int) -> pytest.MarkDecorator:
    """Run a property on a few examples in the suite, and on many in `make torture`."""
    return pytest.mark.parametrize("examples", [short, pytest.param(long, marks=pytest.mark.torture)])


def strategy(*queries: str, reason: str = "invented") -> Strategy:
    return Strategy(tuple(Line(each, reason) for each in queries), (), BLOCKS)


def about(findings: tuple[Finding, ...], block: str, position: int) -> Counter[str]:
    return Counter(each.code for each in findings if (each.block, each.position) == (block, position))


@campaign(33, 3000)
def test_applying_a_repair_removes_its_finding_and_the_line_can_be_read(examples: int) -> None:
    @settings(max_examples=examples)
    @example("a b OR {nk")
    @example('"two words"[tiab] or NOT fable[tiab]')
    @given(lines | soup)
    def holds(query: str) -> None:
        before = strategy(query, "other[tiab]")
        findings = lint(before, TREE, phrases={("two words", "tiab"): False})
        for finding in findings:
            for repair in (finding.repair, finding.alternative):
                if repair is None:
                    continue
                after = apply(before, finding, repair)
                changed = Reading("core", 1, after.core[0])
                assert readable(changed.text) or finding.code in {"line-off", "covered-line", "duplicate-line"}, repair
                again = lint(after, TREE, phrases={("two words", "tiab"): False})
                was, now = (about(each, finding.block, finding.position)[finding.code] for each in (findings, again))
                assert now < was, (finding, again)

    holds()


@campaign(33, 3000)
def test_it_never_fails_and_every_finding_has_its_place(examples: int) -> None:
    @settings(max_examples=examples)
    @given(st.lists(lines | soup | st.text(max_size=30), min_size=1, max_size=3), st.booleans())
    def holds(typed: list[str], on: bool) -> None:
        made = Strategy(
            tuple(Line(each, "", enabled=on) for each in typed),
            (Line(typed[0], "why"),),
            (Block("NK", (Line(typed[-1], "x"),)),),
        )
        findings = lint(made, TREE)
        places = {"core": len(typed), "wide": 1, "NK": 1}
        for finding in findings:
            assert finding.code in CODES
            assert 0 <= finding.position <= places[finding.block]
            if finding.column is not None:
                line = {"core": made.core, "wide": made.wide, "NK": made.blocks[0].lines}[finding.block][
                    finding.position - 1
                ]
                assert 1 <= finding.column <= max(len(line.query), 1) + 1
            json.dumps(as_json(finding))
        order = {"core": 0, "wide": 1, "NK": 2}
        assert [*findings] == sorted(findings, key=lambda f: (order[f.block], f.position, f.column or 0, f.code))
        assert list(summary(findings)) == [*WEIGHTS]
        assert sum(summary(findings).values()) == len(findings)

    holds()


@campaign(16, 2000)
def test_every_tree_that_can_be_written_can_be_linted(examples: int) -> None:
    @settings(max_examples=examples)
    @given(queries)
    def holds(query: object) -> None:
        text = render(query)  # type: ignore[arg-type]
        reading = Reading("core", 1, Line(text, "why"))
        assert reading.error is None
        assert {placed.leaf for placed in reading.placed} == set(_leaves(text))
        for placed in reading.placed:
            assert parse(text[placed.start : placed.end]) == placed.leaf
        lint(Strategy((Line(text, "why"),)), TREE)

    holds()


def _leaves(text: str) -> list[object]:
    from monitor.core.query import terms

    return list(terms(parse(text)))


TEXTS = (
    "CAR NK cells",
    "natural killer cell therapy",
    "CAR iNK",
    "NK cells of the CAR kind",
    "therapies",
    "killer NK CAR",
)
pieces = st.sampled_from(
    [
        *(
            '"CAR NK"[tiab]',
            '"CAR NK"[tiab:~0]',
            '"CAR NK"[tiab:~3]',
            '"NK CAR"[ti:~1]',
            "CAR[tiab]",
            "CAR[ti]",
            "CAR[tw]",
        ),
        *(
            '"NK cell*"[tiab]',
            '"CAR NK cell*"[tiab]',
            '"NK cells"[tiab]',
            "therap*[tiab]",
            '"cell therap*"[tiab]',
            "cell[tiab]",
        ),
        *('"killer cell"[tiab]', '"natural killer cell"[tiab]', "the[tiab]", '"Killer Cells, Natural"[mh]'),
        *(
            '"Killer Cells, Natural"[mh:noexp]',
            '"Killer Cells, Natural"[majr]',
            '"Killer Cells, Lymphokine-Activated"[mh]',
        ),
        *(
            '"Killer Cells, Natural/transplantation"[mh]',
            '"Cytokine-Induced Killer Cells"[mh]',
            "hasabstract",
            "NK[tiab]",
        ),
    ]
)
searches = st.recursive(
    pieces,
    lambda parts: st.tuples(parts, st.sampled_from(["AND", "OR", "NOT"]), parts).map(
        lambda p: f"({p[0]}) {p[1]} ({p[2]})"
    ),
    max_leaves=4,
)


def _papers() -> list[object]:
    from monitor.core.citation import InlineXml, MeshHeading, MeshTerm

    def headings(*given: tuple[str, str, bool, str | None]) -> tuple[MeshHeading, ...]:
        return tuple(
            MeshHeading(
                MeshTerm(ui=ui, name=name, major=major),
                () if qualifier is None else (MeshTerm(ui="Q000637", name=qualifier, major=False),),
            )
            for ui, name, major, qualifier in given
        )

    nk, lak = ("D007694", "Killer Cells, Natural"), ("D015979", "Killer Cells, Lymphokine-Activated")
    kinds = (
        (),
        headings((*nk, False, None)),
        headings((*nk, True, "transplantation")),
        headings((*lak, True, None)),
        headings((*lak, False, None), (*nk, False, "transplantation")),
    )
    return [
        document(citation(pmid=90000001 + at, title=InlineXml(text), mesh_headings=kinds[at % len(kinds)]))
        for at, text in enumerate(TEXTS * 2)
    ]


PAPERS = _papers()


@campaign(66, 5000)
def test_what_covers_another_search_finds_all_its_papers(examples: int) -> None:
    @settings(max_examples=examples)
    @given(searches, searches)
    def holds(wide: str, narrow: str) -> None:
        one, other = parse(wide), parse(narrow)
        if covers(one, other, TREE):
            for paper in PAPERS:
                if matches(other, paper, TREE):  # type: ignore[arg-type]
                    assert matches(one, paper, TREE), paper  # type: ignore[arg-type]

    holds()


@pytest.mark.parametrize(
    ("wide", "narrow", "said"),
    [
        ('"CAR NK"[tiab:~2]', '"CAR NK"[tiab]', True),
        ('"CAR NK"[tiab:~2]', '"NK CAR"[tiab:~1]', True),
        ('"CAR NK"[tiab:~1]', '"NK CAR"[tiab:~2]', False),
        ('"CAR NK"[tiab]', '"CAR NK"[tiab:~0]', False),
        ('"NK cell*"[tiab]', '"CAR-NK cells"[ti]', True),
        ('"NK cell"[tiab]', '"NK cell*"[tiab]', False),
        ("NK[ti]", "NK[tiab]", False),
        ("a1[tiab] OR b1[tiab]", "b1[tiab] AND c1[tiab]", True),
        ("a1[tiab] AND b1[tiab]", "a1[tiab]", False),
        ("a1[tiab]", "a1[tiab] NOT b1[tiab]", True),
        ("a1[tiab] NOT b1[tiab]", "a1[tiab]", False),
        ("(a1[tiab] OR c1[tiab]) NOT b1[ti]", "a1[tiab] NOT b1[tiab]", True),
        ("a1[tiab] NOT b1[tiab]", "a1[tiab] NOT b1[ti]", False),
        ("a1[tiab] NOT the[tiab]", "a1[tiab] NOT the[ti]", False),
        ('"Killer Cells, Natural"[mh]', '"Killer Cells, Lymphokine-Activated"[majr:noexp]', True),
        ('"Killer Cells, Natural"[mh:noexp]', '"Killer Cells, Natural/transplantation"[mh:noexp]', True),
        ('"Killer Cells, Natural"[mh:noexp]', '"Killer Cells, Natural"[mh]', False),
        ('"Killer Cells, Natural"[majr]', '"Killer Cells, Natural"[mh]', False),
    ],
)
def test_covering(wide: str, narrow: str, said: bool) -> None:
    assert covers(parse(wide), parse(narrow), TREE) is said


@campaign(33, 2000)
def test_all_lines_called_dead_can_go_together_and_nothing_is_lost(examples: int) -> None:
    @settings(max_examples=examples)
    @given(st.lists(st.frozensets(st.integers(1, 6), max_size=4), min_size=1, max_size=5))
    def holds(found: list[frozenset[int]]) -> None:
        made = strategy(*(f"word{at}[tiab]" for at in range(len(found))))
        named = {("core", at): pmids for at, pmids in enumerate(found, 1)}
        gone = {each.position for each in lint(made, TREE, found=named) if each.code == "dead-line"}
        kept = [pmids for at, pmids in enumerate(found, 1) if at not in gone]
        assert frozenset().union(*kept) == frozenset().union(*found)
        for at in {*range(1, len(found) + 1)} - gone:
            others = frozenset().union(*(p for other, p in enumerate(found, 1) if other not in gone | {at}))
            assert not found[at - 1] or not found[at - 1] <= others
        again = made
        for finding in lint(made, TREE, found=named):
            if finding.code == "dead-line":
                again = apply(again, finding)
        assert not [each for each in lint(again, TREE, found=named) if each.code == "dead-line"]

    holds()


@campaign(33, 2000)
def test_phrases_are_several_words_in_a_text_field(examples: int) -> None:
    @settings(max_examples=examples)
    @given(queries)
    def holds(query: object) -> None:
        for phrase, field in phrases_of(query):  # type: ignore[arg-type]
            assert phrase == phrase.lower()
            assert field in {"all", "ti", "tiab", "tw", "ot", "ad", "tt"}

    holds()
