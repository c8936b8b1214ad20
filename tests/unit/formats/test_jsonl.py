"""JSON Lines: exact round trips, errors that name the place, and a schema in step with the types."""

from __future__ import annotations

import gzip
import json
import typing
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings

from monitor.core.citation import (
    Author,
    AuthorList,
    BookSection,
    Citation,
    InlineXml,
    PublicationType,
    Reference,
    ReferenceList,
)
from monitor.errors import UsageError
from monitor.formats import jsonl, schema
from monitor.pubmed.parse import read_records
from tests.factories import citation, citations
from tests.shared import SHARED, needs_shared

SCHEMA = Path(__file__).resolve().parents[3] / "docs" / "citation.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(schema.citation_schema())
RELAXED = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@RELAXED
@given(citations())
def test_what_is_written_is_read_back_equal_and_fits_the_schema(record: Citation) -> None:
    (text,) = jsonl.write([record])
    assert text.endswith("\n")
    assert len(text.splitlines()) == 1
    assert list(jsonl.read([text])) == [record]
    VALIDATOR.validate(json.loads(text))


def test_missing_and_empty_are_left_out() -> None:
    assert jsonl.to_object(Citation(pmid=90000001)) == {"pmid": 90000001, "version": 1}


def test_false_zero_and_empty_text_are_not_missing() -> None:
    record = citation(grants_complete=False, version_id="", author_lists=(AuthorList((Author(valid=False),), False),))
    written = jsonl.to_object(record)
    assert written["grants_complete"] is False
    assert written["version_id"] == ""
    assert written["author_lists"][0]["authors"] == [{"valid": False}]
    assert jsonl.from_object(written) == record


def test_lists_within_lists() -> None:
    inner = ReferenceList((Reference(None), Reference(InlineXml("Invented <i>J</i>."))), "Further")
    record = citation(reference_lists=(ReferenceList((), None, (inner,)),))
    assert jsonl.from_object(jsonl.to_object(record)) == record


def test_required_fields_that_are_none_or_empty_come_back() -> None:
    record = citation(publication_types=(PublicationType(None, "Monograph"),), author_lists=(AuthorList(()),))
    assert jsonl.from_object(jsonl.to_object(record)) == record


def test_absence_means_the_default_for_every_type() -> None:
    kinds = {Citation, BookSection}
    waiting = [Citation]
    while waiting:
        for name, hint, _ in jsonl.members(kind := waiting.pop()):
            inner = jsonl.inner(hint)
            if jsonl.may_be_left_out(hint):
                default = () if typing.get_origin(hint) is tuple else None
                stated = getattr(kind, "_field_defaults", {}).get(name, default)
                assert stated == default, f"{kind.__name__}.{name}: leaving it out would give {stated!r}"
            if not jsonl.is_leaf(inner) and inner not in kinds:
                kinds.add(inner)
                waiting.append(inner)
    assert len(kinds) > 35


@pytest.mark.parametrize(
    ("obj", "message"),
    [
        ({}, "Citation: pmid is missing"),
        ({"pmid": "1"}, "Citation.pmid: a whole number is needed, not text"),
        ({"pmid": True}, "Citation.pmid: a whole number is needed, not true"),
        ({"pmid": 1, "colour": "red"}, "Citation: colour is not known"),
        ({"pmid": 1, "languages": "eng"}, "Citation.languages: an array is needed, not text"),
        ({"pmid": 1, "languages": [None]}, "Citation.languages: text is needed, not null"),
        ({"pmid": 1, "version": None}, "Citation.version: a whole number is needed, not null"),
        ({"pmid": 1, "journal": []}, "Journal: an object is needed, not an array"),
        ({"pmid": 1, "elocations": [{"value": "x"}]}, "ELocation: kind is missing"),
        ([], "Citation: an object is needed, not an array"),
    ],
)
def test_wrong_objects_are_refused_by_place(obj: Any, message: str) -> None:
    with pytest.raises(UsageError, match=f"^{message}"):
        jsonl.from_object(obj)


def test_null_is_read_as_missing() -> None:
    assert jsonl.from_object({"pmid": 90000001, "title": None}) == Citation(pmid=90000001)


def test_reading_names_the_line_and_skips_blank_ones() -> None:
    good = next(jsonl.write([citation()]))
    assert list(jsonl.read([good, "\n", good])) == [citation(), citation()]
    with pytest.raises(UsageError, match="^line 2: not JSON"):
        list(jsonl.read([good, "{\n"]))
    with pytest.raises(UsageError, match="^line 1: Citation: pmid is missing"):
        list(jsonl.read(["{}"]))


def test_no_citations_give_no_lines() -> None:
    assert list(jsonl.write([])) == []


def test_published_schema_is_in_step_with_the_types() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema.schema_text(), (
        "docs/citation.schema.json is behind; write it anew with "
        "python -c 'from monitor.formats import schema; print(schema.schema_text(), end=str())'"
    )


def test_schema_is_a_schema_and_refuses_what_from_object_refuses() -> None:
    VALIDATOR.check_schema(schema.citation_schema())
    assert VALIDATOR.is_valid(jsonl.to_object(citation()))
    for wrong in ({}, {"pmid": "1"}, {"pmid": 1, "colour": "red"}, {"pmid": 1, "elocations": [{"value": "x"}]}):
        assert not VALIDATOR.is_valid(wrong)


@needs_shared
@pytest.mark.parametrize("name", ["special-relations", "recent-trials", "nk-domain", "misc-fixture-records"])
def test_real_records_round_trip(name: str) -> None:
    records = []
    with gzip.open(SHARED / "pubmed" / f"{name}.xml.gz") as file:
        records = [each for each in read_records(file) if isinstance(each, Citation)]
    assert list(jsonl.read(jsonl.write(records))) == records
    for record in records[:40]:
        VALIDATOR.validate(jsonl.to_object(record))
