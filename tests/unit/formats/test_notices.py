"""A retraction, and a concern, must not get lost on the way out: each format shows both."""

from __future__ import annotations

import pytest

from monitor.core.citation import Citation, Correction, InlineXml
from monitor.formats import notices
from monitor.formats.registry import FORMATS, STYLES
from tests.factories import citation

SOURCE = "Invented J. 2025;13(1):9."


def written(name: str, record: Citation) -> str:
    return "".join(FORMATS[name].write([record]))


def test_names_of_formats_and_styles() -> None:
    assert list(FORMATS) == ["jsonl", "nbib", "ris", "bibtex", "csl-json", "csv"]
    assert {each.extension for each in FORMATS.values()} == {".jsonl", ".nbib", ".ris", ".bib", ".json", ".csv"}
    assert list(STYLES) == ["nlm", "summary", "vancouver", "gbt7714"]


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kind", ["RetractionIn", "ExpressionOfConcernIn"])
def test_every_format_shows_retraction_and_concern(name: str, kind: str) -> None:
    text = written(name, citation(corrections=(Correction(kind, SOURCE, 90000002),)))
    mark = {
        "jsonl": f'"kind":"{kind}"',
        "nbib": {"RetractionIn": "RIN - ", "ExpressionOfConcernIn": "ECI - "}[kind],
    }.get(name, {"RetractionIn": "Retraction in: ", "ExpressionOfConcernIn": "Expression of concern in: "}[kind])
    assert mark in text
    assert SOURCE in text
    assert mark not in written(name, citation())


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in ("jsonl", "nbib")])
def test_retraction_known_by_publication_type_alone_shows(name: str) -> None:
    record = citation(publication_types={"D016428": "Journal Article", "D016441": "Retracted Publication"})
    mark = {"csl-json": '"status":"retracted"', "csv": ",retracted,"}.get(name, "RETRACTED.")
    assert mark in written(name, record)


@pytest.mark.parametrize("name", STYLES)
@pytest.mark.parametrize(
    ("kind", "words"), [("RetractionIn", "Retraction in"), ("ExpressionOfConcernIn", "Expression of concern in")]
)
def test_every_style_states_retraction_and_concern(name: str, kind: str, words: str) -> None:
    linked = (Correction("CommentIn", "x"), Correction("ErratumIn", "Earlier."), Correction(kind, SOURCE))
    record = citation(corrections=linked)
    text = STYLES[name](record)
    assert f"{words}: {SOURCE}" in text
    assert text.index(words) < text.index("Erratum in: Earlier.")


def test_republication_after_retraction_is_a_standing_of_its_own() -> None:
    record = citation(corrections=(Correction("RetractedandRepublishedIn", SOURCE),))
    assert notices.remarks(record) == [
        "RETRACTED AND REPUBLISHED.",
        f"Retracted and republished in: {SOURCE}",
    ]


def test_a_notice_of_retraction_is_not_retracted() -> None:
    record = citation(
        publication_types={"D016440": "Retraction Notice"},
        title=InlineXml("Retraction: invented cells."),
        corrections=(Correction("RetractionOf", SOURCE),),
    )
    assert notices.standing(record) is None
    assert notices.remarks(record) == [f"Retraction of: {SOURCE}"]


@pytest.mark.parametrize("tag", ["TI", "PMID", ""])
def test_other_tags_are_no_notices(tag: str) -> None:
    assert notices.correction(tag, "x") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{SOURCE} PMID: 90000002", Correction("RetractionIn", SOURCE, 90000002)),
        (SOURCE, Correction("RetractionIn", SOURCE)),
        ("PMID: 90000002.", Correction("RetractionIn", None, 90000002)),
        ("PMID: 0", Correction("RetractionIn", "PMID: 0")),
    ],
)
def test_nbib_notice_is_read(text: str, expected: Correction) -> None:
    assert notices.correction("RIN", text) == expected


def test_ref_types_that_we_do_not_know_have_no_tag() -> None:
    assert notices.tag("SomethingNew") is None
    assert notices.statements(citation(corrections=(Correction("SomethingNew", "x"),))) == []
