"""Sample sizes, registry numbers and what no event among n still allows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.citation import DataBank
from monitor.core.samples import number, of_citation, registry_numbers, sample_size, zero_event_upper
from tests.factories import citation


@pytest.mark.parametrize(
    ("text", "n", "arms", "agree", "studies"),
    [
        ("We treated 37 patients with invented cells.", 37, (), False, None),
        ("A total of 1,234 invented participants were enrolled.", 1234, (), False, None),
        ("Two hundred patients with HCC were randomly assigned.", 200, (), False, None),
        ("Acute GVHD occurred in four of eleven.", None, (), False, None),
        ("One hundred and twenty-four patients received cells.", 124, (), False, None),
        ("Patients got cells (n = 61) or nothing (n = 66).", 127, (61, 66), True, None),
        ("We randomised 230 patients: cells (n=115), nothing (n=114).", 230, (115, 114), False, None),
        ("We included 28 RCTs (phase IV) with 2,610 patients.", 2610, (), False, 28),
        ("Cells were made for 24 patients and given to 16.", None, (), False, None),
        ("Growing cells was done for 24 patients, of whom 16 got them.", 24, (), False, None),
        ("Cells were infused on day 3 in 12 cycles.", None, (), False, None),
        ("We analysed 600,000 patients of a registry.", None, (), False, None),
        ("METHODS: 20 elderly adults were followed.", 20, (), False, None),
        ("", None, (), False, None),
    ],
)
def test_sample_size(text: str, n: int | None, arms: tuple[int, ...], agree: bool, studies: int | None) -> None:
    found = sample_size(text)
    assert (found.n, found.arms, found.arms_agree, found.studies) == (n, arms, agree, studies)


def test_a_sample_shows_where_it_was_read() -> None:
    found = sample_size("We enrolled thirty patients; twelve women were older.")
    assert found.n == 30
    assert found.words == ("thirty", "twelve")


def test_a_sum_of_groups_shows_where_the_groups_were_read() -> None:
    text = "Patients had cells (n=98), observation (n=96) or were lost (n=0)."
    found = sample_size(text)
    assert (found.n, found.arms) == (194, (98, 96))
    assert [text[start:end] for start, end in found.spans] == ["98", "96"]


def test_thin_spaces_and_odd_dashes_are_read_as_usual() -> None:
    assert sample_size("Twenty\u2010one\u2009patients were treated.").n == 21


@given(st.integers(1, 499_999))
def test_any_number_of_patients_is_read_with_and_without_commas(n: int) -> None:
    assert sample_size(f"We treated {n} patients.").n == n
    assert sample_size(f"We treated {n:,} patients.").n == n


@given(st.text(max_size=400))
def test_spans_stand_in_the_text_and_hold_numbers(text: str) -> None:
    found = sample_size(text)
    assert all(number(each) for each in found.words)
    assert found.n is None or found.n > 0


@given(st.integers(0, 99), st.integers(1, 9))
def test_numbers_in_words_are_numbers(rest: int, hundreds: int) -> None:
    units = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    units += ["thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
    tens = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
    words = units[rest] if rest < 20 else tens[rest // 10 - 2] + (f"-{units[rest % 10]}" if rest % 10 else "")
    assert number(words) == rest
    assert number(f"{units[hundreds]} hundred and {words}") == hundreds * 100 + rest


def test_a_word_that_is_no_number_is_none() -> None:
    assert number("several") is None
    assert number("9" * 30) is None


@pytest.mark.parametrize(("n", "percent"), [(11, 24), (37, 7.8), (100, 3.0)])
def test_no_event_among_n_bounds_the_rate(n: int, percent: float) -> None:
    assert zero_event_upper(n) * 100 == pytest.approx(percent, abs=0.2)


@given(st.integers(1, 10_000), st.floats(0.5, 0.999))
def test_the_bound_is_a_rate_that_shrinks_with_n(n: int, confidence: float) -> None:
    bound = zero_event_upper(n, confidence)
    assert 0 < bound < 1
    assert zero_event_upper(n + 1, confidence) < bound
    assert (1 - bound) ** n == pytest.approx(1 - confidence)


@pytest.mark.parametrize("n", [0, -3])
def test_nobody_bounds_nothing(n: int) -> None:
    with pytest.raises(ValueError, match="bounds nothing"):
        zero_event_upper(n)


@pytest.mark.parametrize(
    ("text", "registry", "written"),
    [
        ("NCT 01234567", "ClinicalTrials.gov", "NCT01234567"),
        ("nct1234567", "ClinicalTrials.gov", "NCT01234567"),
        ("ChiCTR-TRC-12345678", "ChiCTR", "ChiCTR-TRC-12345678"),
        ("ChiCTR2000012345", "ChiCTR", "ChiCTR2000012345"),
        ("ISRCTN 12345678", "ISRCTN", "ISRCTN12345678"),
        ("2012-345678-90", "EudraCT", "2012-345678-90"),
        ("2024-512345-67-00", "EU-CT", "2024-512345-67-00"),
        ("jRCTs012345678", "jRCT", "jRCTs012345678"),
        ("UMIN000012345", "UMIN", "UMIN000012345"),
        ("KCT0001234", "CRIS", "KCT0001234"),
        ("CTRI/2019/01/012345", "CTRI", "CTRI/2019/01/012345"),
        ("ACTRN12345678901234", "ACTRN", "ACTRN12345678901234"),
        ("DRKS00012345", "DRKS", "DRKS00012345"),
        ("CRD42012345678", "PROSPERO", "CRD42012345678"),
    ],
)
def test_registry_numbers_in_an_abstract(text: str, registry: str, written: str) -> None:
    (found,) = registry_numbers(citation(abstract=f"Registered as {text}."))
    assert found == (registry, written, "abstract")


def test_what_pubmed_lists_comes_first_and_counts_once() -> None:
    banks = (DataBank("ClinicalTrials.gov", ("NCT01234567",)), DataBank("GENBANK", ("AB123456",)))
    found = registry_numbers(citation(data_banks=banks, abstract="NCT1234567 and NCT07654321."))
    assert [(each.number, each.place) for each in found] == [
        ("NCT01234567", "data bank"),
        ("NCT07654321", "abstract"),
    ]


def test_a_citation_without_abstract_has_no_sample() -> None:
    assert of_citation(citation(abstract=None)).n is None
