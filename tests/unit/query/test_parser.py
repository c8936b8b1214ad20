"""Reading searches: every form of the User Guide, and every mistake with its column."""

from __future__ import annotations

import pytest

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
    Recent,
    SearchDate,
    Term,
    UnknownField,
    children,
    map_leaves,
    parse,
    render,
    terms,
)
from monitor.core.query.fields import FIELDS
from monitor.core.query.tree import MAX_DEPTH
from monitor.errors import QuerySyntaxError

A, B, C, D = (Term(name, "ti") for name in "abcd")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a[ti] OR b[ti] AND c[ti]", And((Or((A, B)), C))),
        ("a[ti] AND b[ti] OR c[ti]", Or((And((A, B)), C))),
        ("a[ti] OR (b[ti] AND c[ti])", Or((A, And((B, C))))),
        ("a[ti] AND b[ti] AND c[ti]", And((A, B, C))),
        ("(a[ti] AND b[ti]) AND c[ti]", And((And((A, B)), C))),
        ("a[ti] NOT b[ti] NOT c[ti]", Not(A, (B, C))),
        ("a[ti] NOT b[ti] OR c[ti]", Or((Not(A, (B,)), C))),
        ("a[ti] b[ti] | c[ti] & d[ti]", And((Or((And((A, B)), C)), D))),
        ("(a[ti])(b[ti])", And((A, B))),
        ("((a[ti]))", A),
        ("a[ti]b[ti]", And((A, B))),
    ],
)
def test_booleans_run_from_left_to_right(text: str, tree: object) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "leaf"),
    [
        ("kidney allograft[tiab]", Term("kidney allograft", "tiab")),
        ('"kidney  allograft" [TIAB]', Term("kidney allograft", "tiab", quoted=True)),
        ("“kidney allograft”[tiab]", Term("kidney allograft", "tiab", quoted=True)),
        ("（“自然杀伤”［tiab］）", Term("自然杀伤", "tiab", quoted=True)),
        ("alzheimer’s[ti]", Term("alzheimer's", "ti")),
        ("breast-feed*[tiab]", Term("breast-feed*", "tiab")),
        ('"CD3+CD56+"[tiab]', Term("CD3+CD56+", "tiab", quoted=True)),
        ('"Killer Cells, Natural"[Mesh:NoExp]', Term("Killer Cells, Natural", "mh", quoted=True, explode=False)),
        ('"Foo"[MeSH Terms:noexp]', Term("Foo", "mh", quoted=True, explode=False)),
        ('"Foo"[Majr : NoExp]', Term("Foo", "majr", quoted=True, explode=False)),
        ('"CAR NK"[tiab:~2]', Proximity("CAR NK", "tiab", 2)),
        ('"CAR NK"[Title/Abstract:~0]', Proximity("CAR NK", "tiab", 0)),
        ("heart attack", Term("heart attack")),
        ("hasabstract", Flag("hasabstract")),
        ("hasabstract[text]", Flag("hasabstract")),
        ("HasRetractionIn[sb]", Flag("hasretractionin")),
        ("ownerNASA", Flag("ownernasa")),
        ("pubstatusaheadofprint", Flag("pubstatusaheadofprint")),
        ("indexingmethod_automated", Flag("indexingmethod_automated")),
        ("#3", EarlierSearch(3)),
        ("2025/01/01:2025/1/31[crdt]", DateRange("crdt", SearchDate(2025, 1, 1), SearchDate(2025, 1, 31))),
        ('("2025/01/01"[crdt] : "3000"[crdt])', DateRange("crdt", SearchDate(2025, 1, 1), SearchDate(3000))),
        (
            '"2025/01"[Date - Publication]:"3000"[Date - Publication]',
            DateRange("dp", SearchDate(2025, 1), SearchDate(3000)),
        ),
        ('"2025/01/01":"2025/02/01"[edat]', DateRange("edat", SearchDate(2025, 1, 1), SearchDate(2025, 2, 1))),
        ("2025[dp]", DateRange("dp", SearchDate(2025))),
        ('"last 30 days"[crdt]', Recent("crdt", 30, "days")),
        ("last 1 year[dp]", Recent("dp", 1, "years")),
        ("90000001:90000009[uid]", PmidRange(90000001, 90000009)),
        ("90000001 90000002[pmid]", Pmids((90000001, 90000002))),
        ("90000001, 90000002", Pmids((90000001, 90000002))),
        ("00090001[uid]", Pmids((90001,))),
        ("10.9999/S0140-6736(20)30183-5[doi]", Term("10.9999/S0140-6736(20)30183-5", "aid")),
    ],
)
def test_leaf(text: str, leaf: object) -> None:
    assert parse(text) == leaf


def test_words_before_a_range_stand_alone() -> None:
    assert parse("fable 2020:2021[dp]") == And((Term("fable"), DateRange("dp", SearchDate(2020), SearchDate(2021))))


def test_a_special_term_among_words_stands_alone() -> None:
    assert parse("lung hasabstract cancer") == And((Term("lung"), Flag("hasabstract"), Term("cancer")))


def test_a_colon_without_a_range_is_a_blank() -> None:
    assert parse("NK cells: a fable") == And((Term("NK cells"), Term("a fable")))


def test_booleans_in_lower_case_are_words() -> None:
    assert parse("a[ti] not (b[ti] and c[ti])") == And((A, Term("not"), And((B, Term("and"), C))))
    assert parse("And or fable[ti]") == And((Term("And or"), Term("fable", "ti")))


def test_signs_without_a_letter_are_blanks() -> None:
    assert parse("a[ti] - + b[ti]") == And((A, B))


@pytest.mark.parametrize(
    "field", sorted(FIELDS - {"crdt", "edat", "mhda", "lr", "dcom", "dp", "epdat", "ppdat", "p1dat", "uid"})
)
def test_every_tag_is_read_in_any_case(field: str) -> None:
    assert parse(f"fable[{field.upper()}]") == Term("fable", field)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Title/Abstract", "tiab"), ("MeSH Terms", "mh"), ("MeSH Major Topic", "majr"), ("Publication Type", "pt"),
        ("Supplementary Concept", "nm"), ("Text Word", "tw"), ("All Fields", "all"), ("Author - First", "1au"),
        ("Journal", "ta"), ("JOUR", "ta"), ("PTYP", "pt"), ("OTRM", "ot"), ("GRNT", "gr"), ("AFFL", "ad"),
        ("SUBS", "nm"), ("PAPX", "pa"), ("FILT", "sb"), ("Filter", "sb"), ("WORD", "tw"), ("LANG", "la"),
        ("doi", "aid"), ("MeSH  Subheading", "sh"), ("COLN", "cn"), ("LAUT", "lastau"), ("CNTY", "pl"),
    ],
)  # fmt: skip
def test_long_and_einfo_names(name: str, field: str) -> None:
    assert parse(f"fable[{name}]") == Term("fable", field)


@pytest.mark.parametrize(
    ("text", "column", "says"),
    [
        ("", 1, "empty"),
        ("  - ", 5, "empty"),
        ("(a[ti]", 1, "never closed"),
        ("a[ti] AND (b[ti] OR (c[ti])", 11, "never closed"),
        ("a[ti])", 6, "closes nothing"),
        ("a[ti] AND ()", 12, "empty parentheses"),
        ('a[ti] AND "b', 11, "never closed"),
        ('""[ti]', 1, "nothing to search for"),
        ('"+-"[ti]', 1, "nothing to search for"),
        ("a[ti", 2, "never closed"),
        ("a ti]", 5, "closes nothing"),
        ("a[ti] AND", 7, "nothing follows AND"),
        ("OR a[ti]", 1, "nothing stands before OR"),
        ("NOT a[ti]", 1, "nothing stands before NOT"),
        ("(a[ti] OR) b[ti]", 8, "nothing follows OR"),
        ("a[ti] AND OR b[ti]", 11, "side by side"),
        ("a[ti] AND NOT b[ti]", 11, "NOT alone"),
        ("(a OR b)[tiab]", 9, "behind each term"),
        ("a[]", 2, "empty"),
        ("[ti]", 1, "behind no term"),
        ("a[ti] AND [tiab]", 11, "behind no term"),
        ("a[ti][ab]", 6, "second tag"),
        ("#1[ti]", 3, "no field tag"),
        ("a[ti:~2]", 1, "quotation marks"),
        ('"a b"[mh:~2]', 6, "[ti], [tiab] and [ad]"),
        ('"a b"[tiab:2]', 6, "noexp and ~"),
        ("a[ti:noexp]", 2, "does not explode"),
        ("2025/13[crdt]", 1, "no day"),
        ("a[ti] 25[crdt]", 7, "no date"),
        ("2025:[crdt]", 6, "behind no term"),
        ("2025[crdt]:foo", 11, "no end"),
        ("2025[crdt]:2026", 12, "needs its tag"),
        ("2025[crdt]:2026[dp]", 12, "begins in [crdt]"),
        ("1:9[ti]", 3, "dates and PMIDs"),
        ('"last 9 days"[lr]', 1, "[crdt], [edat] and [dp]"),
        ("12a[uid]", 1, "no PMID"),
        ("(" * 400 + "a" + ")" * 400, MAX_DEPTH, "nested"),
    ],
)
def test_mistake_is_told_with_its_column(text: str, column: int, says: str) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse(text)
    assert (caught.value.column, caught.value.text) == (column, text)
    assert says in caught.value.message


def test_alternating_operators_are_bounded_too() -> None:
    fine = "a[ti]" + " OR b[ti] AND c[ti]" * (MAX_DEPTH // 2 - 2)
    assert parse(render(parse(fine))) == parse(fine)
    with pytest.raises(QuerySyntaxError, match="levels deep"):
        parse("a[ti]" + " OR b[ti] AND c[ti]" * MAX_DEPTH)


def test_long_flat_searches_are_fine() -> None:
    assert len(terms(parse(" OR ".join(f"fable{n}[tiab]" for n in range(20_000))))) == 20_000


def test_unknown_field_says_which_and_what_was_meant() -> None:
    with pytest.raises(UnknownField) as caught:
        parse("a[ti] AND b[tiabs]")
    assert (caught.value.column, caught.value.tag) == (12, "tiabs")
    assert "did you mean [tiab]" in caught.value.message
    with pytest.raises(UnknownField, match=r"no field \[ab\]$"):
        parse("b[ab]")


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("exp Fabulous Cells/", 5 + 9),
        ("exp Fabulous Cells/tu [Therapeutic Use]", 1),
        ("exp Fabulous Cells/tu AND hasabstract", 1),
        ("fable.ti,ab.", 1),
        ("(fable OR story).tw,kf.", 17),
        ("fable$ story", 1),
        ("fable* adj3 story", 8),
        ("(fable OR tale) adj3 (story OR yarn)", 17),
        ("fable adj story", 7),
        ("Fables/ or Stories/", 1),
        ("(Fables/)", 2),
        ("or/1-7", 1),
        ("1 and 2", 1),
        ("hasabstract 1 and 2", 13),
        ("limit 17 to yr=2018", 1),
    ],
)
def test_ovid_is_refused_by_name(text: str, column: int) -> None:
    with pytest.raises(QuerySyntaxError, match="looks like Ovid") as caught:
        parse(text)
    assert caught.value.column == column


@pytest.mark.parametrize(
    "text",
    [
        '"exp Fable/"[tiab]',
        "and/or[tiab]",
        "CAR-T/CAR-NK[tiab]",
        '"Fabulous Cells/transplantation"[mh]',
        "Fabulous Cells/transplantation[mh]",
        "10.9999/fable.ti.2[doi]",
        "Invent.J.Ther[ta]",
        "adjuvant fable",
        "US$ fable",
        '"limit 1 to 2"[ti]',
        "exp growth/decline[tiab]",
        "adj3[ti]",
        "fable/[mh]",
        "fable[ti] AND 1:9[uid]",
    ],
)
def test_near_ovid_is_pubmed(text: str) -> None:
    assert parse(render(parse(text))) == parse(text)


def test_leaves_know_their_column_and_order() -> None:
    query = parse('a[ti] OR ("b"[mh] NOT 2025[dp]) hasabstract')
    assert [leaf.column for leaf in terms(query)] == [1, 11, 23, 33]
    assert [render(leaf) for leaf in terms(query)] == ["a[ti]", '"b"[mh]', "2025[dp]", "hasabstract"]


def test_columns_do_not_count_for_equality() -> None:
    assert parse("  a[ti]") == parse("a[ti]")
    assert hash(parse("  a[ti]")) == hash(parse("a[ti]"))


def test_leaves_can_be_replaced() -> None:
    query = parse("a[ti] AND (#1 OR b[ti]) NOT #2")
    earlier = {1: parse("c[ti] OR d[ti]"), 2: parse("d[ti]")}
    filled = map_leaves(query, lambda leaf: earlier[leaf.number] if isinstance(leaf, EarlierSearch) else leaf)
    assert render(filled) == "(a[ti] AND ((c[ti] OR d[ti]) OR b[ti])) NOT d[ti]"
    assert len(children(filled)) == 2
