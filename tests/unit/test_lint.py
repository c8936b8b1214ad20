"""What the linter says of single lines, blocks and lanes: one case for each code, with its place and its repair."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from monitor.core.lint import CODES, Finding, Repair, apply, as_json, lint, phrases_of, summary
from monitor.core.query import parse
from monitor.core.strategy import Block, Line, Strategy
from monitor.errors import UsageError
from monitor.resources import load_mesh_tree

TREE = load_mesh_tree()
NK = Block("NK", (Line('"NK cell*"[tiab]', "words"), Line('"Killer Cells, Natural"[mh:noexp]', "heading")))
DOCUMENTATION = (Path(__file__).parents[2] / "docs" / "linter.md").read_text("utf-8")


def lint_line(query: str, reason: str = "invented", known: dict[tuple[str, str], bool] | None = None) -> list[Finding]:
    """Lint one line in a lane that has a text line and a MeSH line besides; phrases nobody asked about are left out."""
    beside = Line('"Induced Pluripotent Stem Cells"[mh] OR otherwise[tiab]', "besides")
    found = lint(Strategy((Line(query, reason), beside), (), (NK,)), TREE, phrases=known or {})
    return [each for each in found if (each.block, each.position) == ("core", 1) and each.code != "phrase-unchecked"]


class Case(NamedTuple):
    query: str
    code: str
    weight: str
    column: int | None
    after: str | None = None
    """The line after the repair."""
    otherwise: str | None = None
    """The line after the alternative."""
    says: str = ""
    reason: str = "invented"


CASES = (
    # cannot be read
    Case("", "empty", "error", 1, says="nothing to search"),
    Case("(fable[tiab] OR story[tiab]", "syntax", "error", 1, "(fable[tiab] OR story[tiab])", says="never closed"),
    Case("fable[tiab])", "syntax", "error", 12, "fable[tiab]", says="closes nothing"),
    Case("fable[tiab", "syntax", "error", 6, "fable[tiab]"),
    Case("fable[mesh:noexp AND story[tiab]", "syntax", "error", 6, "fable[mesh:noexp] AND story[tiab]"),
    Case('"two words[tiab]', "syntax", "error", 1, '"two words"[tiab]'),
    Case('two words"[tiab] OR "a tale"[ti]', "syntax", "error", 28, '"two words"[tiab] OR "a tale"[ti]'),
    Case('"two words[tiab] OR "a tale"[ti]', "syntax", "error", 28, '"two words"[tiab] OR "a tale"[ti]'),
    Case("fable[tiab] AND NOT story[tiab]", "syntax", "error", 17, "fable[tiab] NOT story[tiab]"),
    Case("fable[tiab] OR OR story[tiab]", "syntax", "error", 16, "fable[tiab] OR story[tiab]"),
    Case("fable[tiab] OR AND story[tiab]", "syntax", "error", 16),
    Case("fable[tiab] OR", "syntax", "error", 13, "fable[tiab]"),
    Case("OR fable[tiab]", "syntax", "error", 1, "fable[tiab]"),
    Case("NOT fable[tiab]", "syntax", "error", 1, says="nothing stands before NOT"),
    Case("(fable OR story[ti])[tiab]", "syntax", "error", 21, "(fable[tiab] OR story[ti])"),
    Case("{NK}[tiab]", "syntax", "error", 5, "{NK}"),
    Case("CAR NK[tiab:~2]", "syntax", "error", 1, '"CAR NK"[tiab:~2]'),
    Case('"CAR NK"[tw:~2]', "syntax", "error", 9, '"CAR NK"[tiab:~2]'),
    Case("fable[tiab:noexp]", "syntax", "error", 6, "fable[tiab]"),
    Case("fable[tiab][ti]", "syntax", "error", 12, says="second tag"),
    Case("((fable[tiab] OR (story[tiab]", "syntax", "error", 18, "((fable[tiab] OR (story[tiab])))"),
    Case("fable[", "syntax", "error", 6),
    Case("fable[tiab", "syntax", "error", 6, "fable[tiab]"),
    Case('"CAR NK"[tiab:2]', "syntax", "error", 9, '"CAR NK"[tiab:~2]'),
    Case(
        '(fable OR ("a) tale" OR story[ti]))[tiab]',
        "syntax",
        "error",
        36,
        '(fable[tiab] OR ("a) tale"[tiab] OR story[ti]))',
    ),
    Case('fable[tiab] OR "two words', "syntax", "error", 16, says="never closed"),
    Case("(" * 11 + "fable[tiab]", "syntax", "error", 11, "(" * 11 + "fable[tiab]" + ")" * 11),
    Case("(" * 13 + "fable[tiab]", "syntax", "error", 13),
    Case("exp Fables/", "ovid", "error", 5, says="Ovid"),
    Case("fable.ti,ab.", "ovid", "error", 1, says="Ovid"),
    Case("“two words”[tiab]", "typographic", "error", 1, '"two words"[tiab]', says="“ and ”"),
    Case("fable[tiba]", "unknown-field", "error", 6, "fable[tiab]", says="[tiab]"),
    Case('"Killer Cells, Natural"[mehs:noexp]', "unknown-field", "error", 24, '"Killer Cells, Natural"[mh:noexp]'),
    Case("fable[qqqq]", "unknown-field", "error", 6),
    Case("(fable[tiba]", "unknown-field", "error", 7, "(fable[tiab])"),
    Case("fable[tag]", "own-field", "error", 6, says="library"),
    Case("fable[tiab] AND isretracted", "own-field", "error", 17, "fable[tiab] AND hasretractionin"),
    Case("fable[tiab] AND hasconcern", "own-field", "error", 17, "fable[tiab] AND hasexpressionofconcernin"),
    Case("fable[tiab] AND #3", "earlier-search", "error", 17),
    # blocks
    Case("{nk}", "braces", "error", 1, "{NK}"),
    Case("{tale} AND fable[tiab]", "braces", "error", 1),
    Case("{NK} AND fable[tiab]}", "braces", "error", 21, "{NK} AND fable[tiab]"),
    Case('"{NK} fable"[tiab]', "braces", "error", 2, says="inside a term"),
    Case("{NKS} AND fable[tiab]", "unknown-block", "error", 1, "{NK} AND fable[tiab]"),
    Case("{OTHER} AND fable[tiab]", "unknown-block", "error", 1),
    # Booleans
    Case(
        "fable[tiab] OR story[tiab] AND tale[tiab]",
        "mixed-booleans",
        "warning",
        28,
        "(fable[tiab] OR story[tiab]) AND tale[tiab]",
        "fable[tiab] OR (story[tiab] AND tale[tiab])",
        says="(a OR b) AND c, not a OR (b AND c)",
    ),
    Case(
        "fable[tiab] OR story[tiab] tale[tiab]",
        "mixed-booleans",
        "warning",
        27,
        "(fable[tiab] OR story[tiab]) AND tale[tiab]",
        "fable[tiab] OR (story[tiab] AND tale[tiab])",
    ),
    Case(
        "fable[tiab] & story[tiab] | tale[tiab]",
        "mixed-booleans",
        "note",
        27,
        "(fable[tiab] AND story[tiab]) OR tale[tiab]",
    ),
    Case(
        "{NK} OR (fable[tiab] OR story[tiab] AND tale[tiab])",
        "mixed-booleans",
        "warning",
        37,
        "{NK} OR ((fable[tiab] OR story[tiab]) AND tale[tiab])",
        "{NK} OR (fable[tiab] OR (story[tiab] AND tale[tiab]))",
    ),
    Case(
        "{NK} OR fable[tiab] AND {NK} OR tale[tiab]",
        "mixed-booleans",
        "warning",
        21,
        "(({NK} OR fable[tiab]) AND {NK}) OR tale[tiab]",
        "{NK} OR (fable[tiab] AND {NK}) OR tale[tiab]",
    ),
    Case(
        "fable[tiab] NOT story[tiab] OR tale[tiab]",
        "mixed-booleans",
        "warning",
        29,
        "(fable[tiab] NOT story[tiab]) OR tale[tiab]",
        "fable[tiab] NOT (story[tiab] OR tale[tiab])",
    ),
    Case(
        "fable[tiab] AND story[tiab] NOT tale[tiab] OR saga[tiab]",
        "mixed-booleans",
        "warning",
        29,
        "((fable[tiab] AND story[tiab]) NOT tale[tiab]) OR saga[tiab]",
        "(fable[tiab] AND story[tiab]) NOT (tale[tiab] OR saga[tiab])",
    ),
    Case("fable or story", "untagged", "warning", 1),
    Case("fable[tiab] or story[tiab]", "lower-case-boolean", "error", 13, "fable[tiab] OR story[tiab]"),
    Case("fable or story[tiab]", "lower-case-boolean", "error", 7, "fable[tiab] OR story[tiab]"),
    Case("fable[tiab] And story[tiab]", "lower-case-boolean", "error", 13, "fable[tiab] AND story[tiab]"),
    Case("and fable[tiab]", "lower-case-boolean", "error", 1, "fable[tiab]"),
    Case("{NK} or {NK}", "lower-case-boolean", "error", 6, "{NK} OR {NK}"),
    Case('"one OR two"[tiab]', "boolean-in-phrase", "warning", 1, '("one"[tiab] OR "two"[tiab])'),
    Case('"CAR AND NK"[tiab:~2]', "boolean-in-phrase", "warning", 1),
    Case("fable[tiab] NOT story[tiab]", "not", "warning", 13, "fable[tiab]", says="label"),
    Case("fable[tiab] NOT {NK}", "not", "warning", 13, "fable[tiab]"),
    Case("fable[tiab] NOT (animals[mh] NOT humans[mh])", "not-animals", "note", 13),
    Case("fable[tiab] NOT (animals[mh] NOT (animals[mh] AND humans[mh]))", "not-animals", "note", 13),
    # truncation
    Case("CIK*[tiab] AND fable[tiab]", "short-stem", "error", 1, "CIK[tiab] AND fable[tiab]", says="4"),
    Case('"DC-CIK*"[tiab]', "short-stem", "error", 1, '"DC-CIK"[tiab]'),
    Case(
        '"CAR NK*"[tiab:~2]', "truncation-in-proximity", "error", 1, '"CAR NK"[tiab:~2]', says="ignores the proximity"
    ),
    Case('"breast* feed*"[tiab]', "truncation-in-phrase", "error", 1, '"breast feed*"[tiab]'),
    Case("leuk*mia[tiab]", "truncation-in-word", "error", 1),
    Case("*oma[tiab]", "truncation-in-word", "error", 1, "oma[tiab]"),
    Case("tumo?r[tiab]", "wildcard", "error", 1, says="one wildcard"),
    Case("wom#n[tiab]", "wildcard", "error", 1, says="one wildcard"),
    Case("neoplasm*[mh]", "truncation-heading", "warning", 1, '"Neoplasms"[mh]'),
    # tags and quotation marks
    Case("fable", "untagged", "warning", 1, "fable[tiab]"),
    Case('"two words" OR fable[tiab]', "untagged", "warning", 1, '"two words"[tiab] OR fable[tiab]'),
    Case("two words", "untagged", "warning", 1, '"two words"[tiab]', "(two[tiab] AND words[tiab])"),
    Case("CAR-NK", "untagged-hyphen", "warning", 1, '"CAR-NK"[tiab]', says="finds nothing at all"),
    Case("fable[all]", "all-fields", "warning", 1, "fable[tiab]"),
    Case("two words[tiab]", "unquoted-phrase", "note", 1, '"two words"[tiab]'),
    Case("'two words'[tiab]", "single-quotes", "error", 1, '"two words"[tiab]'),
    Case("within[tiab] OR fable[tiab]", "stopword", "note", 1, "fable[tiab]"),
    # acronyms
    Case("CAR[tiab]", "bare-acronym", "warning", 1, '"chimeric antigen receptor*"[tiab]', says="CRP-to-albumin"),
    Case("CIK[ti] OR fable[tiab]", "bare-acronym", "warning", 1, '"CIK cell*"[ti] OR fable[tiab]', says="carp"),
    Case("fable[tiab] OR (TriKEs[tiab] AND humans[mh])", "bare-acronym", "warning", 17, says="tricycle"),
    Case('"CART"[tw]', "bare-acronym", "warning", 1, '"CART cell*"[tw]', says="neuropeptide"),
    # limits
    Case("fable[tiab] AND humans[mh]", "species-limit", "warning", 17, "fable[tiab]", says="indexed"),
    Case("(male[mh] OR adult[mh]) AND fable[tiab]", "species-limit", "warning", 1, "fable[tiab]"),
    Case("fable[tiab] AND humans[filter]", "species-limit", "warning", 17, "fable[tiab]"),
    Case("fable[tiab] AND english[la]", "language-limit", "warning", 17, "fable[tiab]"),
    Case("fable[tiab] AND english[filter]", "language-limit", "warning", 17, "fable[tiab]"),
    Case("fable[tiab] AND 2020:3000[dp]", "date-limit", "warning", 17, "fable[tiab]", says="window"),
    Case('fable[tiab] AND "last 5 years"[dp]', "date-limit", "warning", 17, "fable[tiab]"),
    Case("fable[tiab] AND hasabstract", "abstract-limit", "warning", 17, "fable[tiab]"),
    Case("fable[tiab] AND fha[sb]", "abstract-limit", "warning", 17, "fable[tiab]"),
    Case("fable[tiab] AND medline[sb]", "subset-limit", "warning", 17, "fable[tiab]"),
    # headings
    Case(
        '"Cytokine-Induced Killer Cells"[Mesh]',
        "exploded-trap",
        "warning",
        1,
        '"Cytokine-Induced Killer Cells"[Mesh:NoExp]',
        says="3 narrower headings: Killer Cells, Lymphokine-Activated; Monocytes, Activated Killer and T-Lymphocytes",
    ),
    Case('"Adoptive Transfer"[mh]', "exploded-trap", "warning", 1, '"Adoptive Transfer"[mh:NoExp]', says="COVID-19"),
    Case("immunotherapy[mh]", "exploded-trap", "warning", 1, "immunotherapy[mh:NoExp]", says="vaccination"),
    Case('"Cell- and Tissue-Based Therapy"[majr]', "exploded-trap", "warning", 1, says="19 narrower"),
    Case(
        '"Killer Cells, Natural/transplantation"[mh]',
        "exploded-trap",
        "warning",
        1,
        '"Killer Cells, Natural/transplantation"[mh:NoExp]',
    ),
    Case("Neoplasms[mh]", "exploded", "note", 1, "Neoplasms[mh:NoExp]", says="698 narrower"),
    Case("Neoplasms[mh]", "exploded", "warning", 1, reason="NoExp, as agreed.", says="the line has none"),
    Case(
        '"Natural Killer Cells"[mh:noexp]',
        "entry-term",
        "note",
        1,
        '"Killer Cells, Natural"[mh:noexp]',
        says="D007694",
    ),
    Case(
        '"retraction of publication"[pt]',
        "renamed-heading",
        "note",
        1,
        '("Retraction of Publication"[pt] OR "Retraction Notice"[pt])',
        says="D016440",
    ),
    Case('"Killer Cells, Natrual"[mh:noexp]', "unknown-heading", "note", 1, '"Killer Cells, Natural"[mh:noexp]'),
    Case('"Invented Fables"[mh]', "unknown-heading", "note", 1, says="Not in the part of MeSH"),
    Case(
        '"Former Name"[mh:noexp]',
        "unknown-heading",
        "note",
        1,
        '"Killer Cells, Natural"[mh:noexp]',
        reason="D007694 under the name it had then.",
    ),
    Case("D0076941[mh]", "wrong-ui", "warning", 1, says="six or nine digits"),
    Case(
        '"Killer Cells, Natural/fables"[mh:noexp]',
        "unknown-subheading",
        "warning",
        1,
        '"Killer Cells, Natural"[mh:noexp]',
    ),
    Case(
        '"Killer Cells, Natural"[mh:noexp]', "ui-mismatch", "note", 1, reason="D055612. NoExp.", says="Cytokine-Induced"
    ),
    # the line itself
    Case("fable[tiab] OR Fable[tiab]", "duplicate-term", "note", 16, "fable[tiab]"),
    Case("fable[tiab]", "no-reason", "warning", None, reason=" "),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code}: {case.query}")
def test_a_line(case: Case) -> None:
    found = [each for each in lint_line(case.query, case.reason) if each.code == case.code]
    assert found, lint_line(case.query, case.reason)
    finding = found[0]
    assert (finding.weight, finding.column) == (case.weight, case.column)
    assert case.says in finding.message
    if case.after is not None:
        assert finding.repair is not None
        assert finding.repair.query == case.after
    elif not case.says:
        assert finding.repair is None
    assert (finding.alternative and finding.alternative.query) == case.otherwise


@pytest.mark.parametrize(
    "query",
    [
        "fable[tiab] AND (story[tiab] OR tale[tiab])",
        "fable[tiab] AND story[tiab] NOT (animals[mh] NOT humans[mh])",
        "fable[tiab] NOT (animals[mh] NOT (animals[mh] AND humans[mh]))",
        '"CAR NK"[tiab:~2] OR "two words"[tiab]',
        "(BiKE[tiab] OR TriKEs[tiab]) AND {NK}",
        "CIK[tiab] AND ({NK} OR fable[tiab])",
        "(NK[tiab] OR CAR[tiab]) AND fable[tiab]",
        "{NK} AND {NK}",
        '"Killer Cells, Natural"[mh:noexp] OR "Killer Cells, Natural/transplantation"[mh:noexp]',
        "humans[mh] OR fable[tiab]",
        '"graft and host"[tiab]',
        '"Retraction of Publication"[pt] OR "Retraction Notice"[pt]',
        '"science and stories"[ta]',
        '"who tells fables?"[ti]',
        "Cell- and Tissue-Based Therapy[mh:noexp]",
        "CD16*[tiab]",
        "hasretractionin",
        "90000001 90000002[uid]",
    ],
)
def test_nothing_is_said_of_a_sound_line(query: str) -> None:
    heavy = [each for each in lint_line(query) if each.weight != "note" or each.code == "duplicate-term"]
    assert heavy == []


def test_headings_that_do_not_ship_are_one_note_a_line() -> None:
    (finding,) = lint_line('"Invented Fables"[mh] OR "Told Tales"[mh] OR "Killer Cells, Natural"[mh:noexp]')
    assert (finding.code, finding.column) == ("unknown-heading", 1)
    assert "Invented Fables and Told Tales" in finding.message


def test_an_exploded_heading_is_accepted_where_the_reason_says_so() -> None:
    assert lint_line("Neoplasms[mh]", "The whole tree; explosion intended.") == []
    assert lint_line('"Adoptive Transfer"[mh]', "Exploded on purpose: sera too.") == []


def test_a_reason_that_speaks_of_noexp_holds_the_line_to_it() -> None:
    (finding,) = lint_line('"Cytokine-Induced Killer Cells"[Mesh]', "NoExp is essential: exploding adds T cells.")
    assert finding.code == "exploded-trap"
    assert "The reason speaks of NoExp" in finding.message


def test_a_heading_without_narrower_terms_may_be_exploded() -> None:
    assert lint_line('"Receptors, Chimeric Antigen"[mh]') == []


PHRASES = {("car-ink", "tiab"): False, ("nk cell*", "tiab"): False, ("two words", "tw"): False, ("a tale", "ti"): True}


def test_an_unknown_phrase_is_an_error_with_its_proximity_form() -> None:
    (finding,) = lint_line('"CAR-iNK"[tiab]', known=PHRASES)
    assert (finding.code, finding.weight, finding.column) == ("phrase-unknown", "error", 1)
    assert finding.message.startswith('PubMed does not know the phrase "car-ink" and would search its words separately')
    assert finding.repair == Repair("Replace with the proximity form", '"CAR iNK"[tiab:~0]')


@pytest.mark.parametrize(
    ("query", "why"), [('"NK cell*"[tiab]', "switches proximity off"), ('"two words"[tw]', "not in [tw]")]
)
def test_an_unknown_phrase_that_proximity_cannot_replace_says_why(query: str, why: str) -> None:
    (finding,) = lint_line(query, known=PHRASES)
    assert why in finding.message
    assert finding.repair is None


def test_an_unknown_hyphenated_word_without_quotation_marks_finds_nothing() -> None:
    (finding,) = lint_line("CAR-iNK[tiab]", known=PHRASES)
    assert finding.message.startswith('PubMed does not know the phrase "car-ink" and finds nothing for it.')


def test_unchecked_phrases_are_one_note_a_line_and_known_ones_nothing() -> None:
    text = '"a tale"[ti] OR "one fable"[ti] OR "old-story"[tiab] OR fable[tiab]'
    (finding,) = lint(Strategy((Line(text, "why"),)), TREE, phrases=PHRASES)[:1]
    assert (finding.code, finding.position, finding.column) == ("no-mesh-line", 0, None)
    (finding,) = [each for each in lint(Strategy((Line(text, "why"),)), TREE, phrases=PHRASES) if each.position]
    assert (finding.code, finding.weight, finding.column) == ("phrase-unchecked", "note", 17)
    assert '"one fable" and "old-story"' in finding.message


def test_phrases_of_a_search() -> None:
    query = parse(
        '"CAR NK"[tiab] OR NK-92[ti] OR killer cell[tw] OR "Two Words" OR CAR-T cells OR "CAR NK"[tiab:~2] '
        'OR "Killer Cells, Natural"[mh] OR "clinical trial"[pt] OR smith j[au] OR fable[tiab] OR "CAR NK"[tiab]'
    )
    assert phrases_of(query) == (
        ("car nk", "tiab"),
        ("nk-92", "ti"),
        ("killer cell", "tw"),
        ("two words", "all"),
        ("car-t", "all"),
    )


def both(*lines: Line, blocks: tuple[Block, ...] = (), wide: tuple[Line, ...] = ()) -> Strategy:
    return Strategy(lines, wide, blocks)


def codes(strategy: Strategy, **more: object) -> list[tuple[str, int, str]]:
    found = lint(strategy, TREE, **more)  # type: ignore[arg-type]
    return [
        (each.block, each.position, each.code) for each in found if each.code not in {"no-mesh-line", "no-text-line"}
    ]


def test_a_line_twice() -> None:
    made = both(Line("fable[tiab] OR story[tiab]", "one"), Line("story[tiab] OR  fable[tiab]", "two"))
    found = [each for each in lint(made, TREE) if each.code == "duplicate-line"]
    (finding,) = found
    assert (finding.position, finding.weight, finding.message) == (2, "warning", "This line is line 1 again.")
    after = apply(made, finding)
    assert [line.enabled for line in after.core] == [True, False]
    assert codes(after) == [("core", 2, "line-off")]


def test_a_line_with_a_not_twice() -> None:
    made = both(
        Line("(fable[tiab] OR saga[tiab]) NOT story[tiab]", "x"),
        Line("(saga[tiab] OR fable[tiab]) NOT story[tiab]", "x"),
    )
    assert ("core", 2, "duplicate-line") in codes(made)


def test_a_line_too_long_for_letters_is_told_in_words() -> None:
    query = " OR ".join(f"word{at}[tiab]" for at in range(30)) + " AND fable[tiab]"
    (finding,) = [each for each in lint_line(query) if each.code == "mixed-booleans"]
    assert finding.message.endswith("left to right: AND takes all of the first 30 terms together.")


def test_a_line_that_another_covers() -> None:
    made = both(Line('"CAR NK"[tiab] OR story[ti]', "one"), Line('"CAR NK"[tiab:~2] OR story[tiab]', "two"))
    (finding,) = [each for each in lint(made, TREE) if each.code == "covered-line"]
    assert (finding.position, finding.weight) == (1, "note")
    assert "Line 2 finds everything" in finding.message


def test_a_line_that_several_cover_together_and_those_stay() -> None:
    made = both(Line("fable[tiab]", "one"), Line("story[tiab]", "two"), Line("fable[ti] OR story[ti]", "three"))
    (finding,) = [each for each in lint(made, TREE) if each.code == "covered-line"]
    assert finding.position == 3
    assert "lines 1 and 2" in finding.message


def test_blocks_count_when_lines_are_compared() -> None:
    made = both(Line("{NK}", "block"), Line('"NK cells"[ti]', "narrower"), blocks=(NK,))
    assert ("core", 2, "covered-line") in codes(made)


def test_lines_joined_with_and_are_not_held_against_each_other() -> None:
    block = Block("BOTH", (Line("fable[tiab]", "one"), Line("fable[ti]", "two")), "all")
    assert not [
        each for each in codes(both(Line("{BOTH} AND story[tiab]", "x"), blocks=(block,))) if "cover" in each[2]
    ]


def test_acronyms_and_limits_know_that_a_block_joins_with_and() -> None:
    block = Block("BOTH", (Line("NK[tiab]", "one"), Line("humans[mh]", "two"), Line("fable[tiab]", "three")), "all")
    found = codes(both(Line("{BOTH} OR story[tiab]", "x"), blocks=(block,)))
    assert ("BOTH", 2, "species-limit") in found
    assert not [each for each in found if each[2] == "bare-acronym"]


def test_a_term_that_an_earlier_line_has() -> None:
    made = both(Line("fable[tiab] OR story[tiab]", "one"), Line("tale[tiab] OR Story[tiab]", "two"))
    (finding,) = [each for each in lint(made, TREE) if each.code == "duplicate-term"]
    assert (finding.position, finding.column) == (2, 15)
    assert "line 1" in finding.message
    assert apply(made, finding).core[1].query == "tale[tiab]"


def test_a_line_with_hundreds_of_findings_is_told_of_from_the_left() -> None:
    made = both(Line(" OR ".join(f"word{at}" for at in range(300)), "x"))
    found = [each for each in lint(made, TREE) if each.code == "untagged"]
    assert len(found) == 20
    assert found[-1].message.endswith("There may be more like this further on in the line.")


def test_a_line_that_is_covered_whole_is_not_told_of_term_by_term() -> None:
    made = both(Line("fable[tiab] OR story[tiab] OR tale[tiab]", "x"), Line("tale[tiab] OR fable[tiab]", "x"))
    assert codes(made) == [("core", 2, "covered-line")]


def test_dead_lines_are_named_with_numbers() -> None:
    made = both(*(Line(f"{word}[tiab]", "x") for word in ("fable", "story", "tale", "saga")))
    found = {
        ("core", 1): frozenset({1, 2, 3}),
        ("core", 2): frozenset({4, 5}),
        ("core", 3): frozenset({3, 4}),
        ("core", 4): frozenset[int](),
    }
    said = {
        each.position: each for each in lint(made, TREE, found=found) if each.code in {"dead-line", "finds-nothing"}
    }
    assert {at: each.code for at, each in said.items()} == {3: "dead-line", 4: "finds-nothing"}
    assert said[3].message == "All 2 papers that this line finds in the library are also found by lines 1 and 2."
    assert said[4].repair is None
    found["core", 4] = frozenset({2})
    said = {each.position: each for each in lint(made, TREE, found=found) if each.code == "dead-line"}
    assert said[4].message == (
        "The one paper that this line finds in the library is also found by line 1, which finds 3."
    )


def test_of_two_lines_that_find_the_same_only_the_later_is_dead() -> None:
    made = both(Line("fable[tiab]", "x"), Line("story[tiab]", "x"))
    same = {("core", 1): frozenset({1}), ("core", 2): frozenset({1})}
    assert [each for each in codes(made, found=same) if each[2] == "dead-line"] == [("core", 2, "dead-line")]


def test_no_two_lines_are_to_go_because_of_each_other() -> None:
    made = both(Line("fable[ti]", "x"), Line("fable[tiab]", "x"), Line("fable[tiab] OR saga[tiab]", "x"))
    named = {("core", 1): frozenset({1, 2}), ("core", 2): frozenset({1, 2}), ("core", 3): frozenset({1, 2})}
    findings = [each for each in lint(made, TREE, found=named) if each.repair is not None and not each.repair.enabled]
    assert {each.position for each in findings} == {1, 2}
    assert all(each.position != 3 for each in lint(made, TREE, found=named) if each.code == "duplicate-term")


def test_lanes_are_not_held_against_each_other() -> None:
    made = both(Line("fable[tiab]", "x"), wide=(Line("fable[tiab]", "x"),))
    assert codes(made, found={("core", 1): frozenset({1}), ("wide", 1): frozenset({1})}) == []


def test_a_line_that_is_off_is_named_and_not_judged() -> None:
    made = both(Line("fable[tiab]", "x"), Line("CAR*", "", enabled=False))
    assert [each[1:] for each in codes(made)] == [(2, "line-off"), (2, "no-reason")]
    (off,) = [each for each in lint(made, TREE) if each.code == "line-off"]
    assert apply(made, off).core[1] == Line("CAR*", "")


def test_a_core_lane_with_nothing_on() -> None:
    made = both(Line("fable[tiab]", "x", enabled=False))
    assert ("core", 0, "lane-empty") in codes(made)


def test_a_block_whose_lines_are_all_off() -> None:
    off = Block("OFF", (Line("fable[tiab]", "x", enabled=False),))
    assert ("core", 1, "block-off") in codes(both(Line("{OFF} OR story[tiab]", "x"), blocks=(off,)))


def test_a_block_that_nobody_inserts() -> None:
    spare = Block("SPARE", (Line("fable[tiab]", "x"),))
    found = lint(both(Line("story[tiab]", "x"), blocks=(spare,)), TREE)
    (finding,) = [each for each in found if each.code == "block-unused"]
    assert (finding.block, finding.position) == ("SPARE", 0)
    assert "not be stored" in finding.message
    only_off = both(Line("story[tiab]", "x"), Line("{SPARE}", "x", enabled=False), blocks=(spare,))
    (finding,) = [each for each in lint(only_off, TREE) if each.code == "block-unused"]
    assert "switched off" in finding.message


def test_blocks_in_a_circle() -> None:
    one, two = Block("ONE", (Line("{TWO}", "x"),)), Block("TWO", (Line("{ONE} AND fable[tiab]", "x"),))
    found = lint(both(Line("{ONE}", "x"), blocks=(one, two)), TREE)
    assert [(each.block, each.code) for each in found] == [("ONE", "block-circle"), ("TWO", "block-circle")]
    assert found[0].message == "Blocks insert each other in a circle: ONE > TWO > ONE."


def test_another_topic_is_linted_there_but_a_lane_it_breaks_is_told() -> None:
    theirs = Block("T:other-topic", (Line("CAR* and", ""),))
    assert codes(both(Line("{T:other-topic} AND fable[tiab]", "x"), blocks=(theirs,))) == []
    broken = Block("T:other-topic", (Line("(fable[tiab]", ""),))
    found = lint(both(Line("{T:other-topic} AND fable[tiab]", "x"), blocks=(broken,)), TREE)
    assert [(each.block, each.position, each.code, each.weight) for each in found] == [
        ("core", 0, "lane-unreadable", "error")
    ]


def test_every_concept_has_words_and_headings() -> None:
    words = Block("WORDS", (Line("fable[tiab]", "x"),))
    mesh = Block("MESH", (Line('"Receptors, Chimeric Antigen"[mh]', "x"),))
    found = lint(both(Line("{WORDS} AND {MESH}", "x"), blocks=(words, mesh)), TREE)
    assert [(each.block, each.position, each.code) for each in found] == [
        ("WORDS", 0, "no-mesh-line"),
        ("MESH", 0, "no-text-line"),
    ]
    # Inserted alone, a block is only part of the lane, and the lane has both.
    assert codes(both(Line("{WORDS}", "x"), Line("{MESH}", "x"), blocks=(words, mesh))) == []
    assert [each.code for each in lint(both(Line("fable[tiab]", "x")), TREE)] == ["no-mesh-line"]


def test_a_lane_nobody_can_read() -> None:
    long = both(Line(" OR ".join(f"word{at}[tiab]" for at in range(800)), "x"))
    assert ("core", 0, "lane-long") in codes(long)
    starred = both(Line(" OR ".join(f"word{at}*[tiab]" for at in range(300)), "x"))
    (finding,) = [each for each in lint(starred, TREE) if each.code == "many-truncations"]
    assert "300 truncated words" in finding.message


def test_a_lane_that_is_nested_too_deep() -> None:
    blocks = tuple(
        Block(f"B{at}", (Line(f"{{B{at + 1}}} AND fable[tiab]", "x"), Line("story[tiab]", "x"))) for at in range(76)
    )
    made = both(Line("{B0}", "x"), blocks=(*blocks, Block("B76", (Line("fable[tiab]", "x"),))))
    (finding,) = [each for each in lint(made, TREE) if each.weight == "error"]
    assert (finding.code, finding.block) == ("lane-unreadable", "core")
    assert "150 levels" in finding.message


def test_lines_of_another_topic_that_has_moved_on() -> None:
    other = Block("T:fables", (Line("fable[tiab]", "x"),))
    made = both(Line("{T:fables}", "x"), blocks=(other,))
    found = lint(made, TREE, moved=["fables", "elsewhere"])
    assert [(each.code, each.weight, each.block, each.position) for each in found if each.code == "topic-moved"] == [
        ("topic-moved", "note", "T:fables", 0)
    ]
    assert "topic-moved" not in {each.code for each in lint(made, TREE)}


def test_a_repair_changes_one_line_of_one_block_and_keeps_the_rest() -> None:
    block = Block("B", (Line("fable", "why", "somebody"), Line("story[tiab]", "x")), "any", "about it")
    made = both(Line("{B}", "x"), wide=(Line("tale", "y"),), blocks=(block, NK))
    found = {each.block: each for each in lint(made, TREE) if each.code == "untagged"}
    after = apply(apply(made, found["B"]), found["wide"])
    assert after.blocks == (block._replace(lines=(Line("fable[tiab]", "why", "somebody"), block.lines[1])), NK)
    assert after.wide == (Line("tale[tiab]", "y"),)
    assert after.core == made.core


def test_a_repair_that_cannot_be_applied_says_why() -> None:
    made = both(Line("fable", "x"))
    (finding,) = [each for each in lint(made, TREE) if each.code == "untagged"]
    with pytest.raises(UsageError, match="nothing can be repaired"):
        apply(made, finding._replace(repair=None))
    with pytest.raises(UsageError, match="core has no line 3"):
        apply(made, finding._replace(position=3))
    with pytest.raises(UsageError, match="no block GONE"):
        apply(made, finding._replace(block="GONE"))


def test_findings_as_json_and_in_sum() -> None:
    found = lint(both(Line("fable OR story[tiab] AND tale[tiab]", "x")), TREE)
    assert summary(found) == {"error": 0, "warning": 2, "note": 1}
    mixed = as_json(found[2])
    assert mixed["alternative"] == {
        "words": "Write what a formula would mean",
        "query": "fable OR (story[tiab] AND tale[tiab])",
        "enabled": True,
    }
    assert as_json(found[0])["repair"] is None


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_is_documented_with_an_example(code: str) -> None:
    assert f"\n### {code}\n" in DOCUMENTATION
    section = DOCUMENTATION.split(f"\n### {code}\n")[1].split("\n#")[0]
    assert "Example: " in section


EXAMPLES = [
    (section.split("\n", 1)[0], before, after)
    for section in DOCUMENTATION.split("\n### ")[1:]
    for before, after in re.findall(r"`([^`]+)`\s+becomes\s+`([^`]+)`", section)
]


@pytest.mark.parametrize(("code", "before", "after"), EXAMPLES, ids=lambda value: str(value))
def test_the_documentation_tells_the_truth(code: str, before: str, after: str) -> None:
    known = {("car-fable", "tiab"): False}
    found = [each for each in lint_line(before, known=known) if each.code == code]
    assert [each.repair and each.repair.query for each in found[:1]] == [after]


def test_no_other_code_is_documented() -> None:
    assert {line[4:] for line in DOCUMENTATION.splitlines() if line.startswith("### ")} == CODES
