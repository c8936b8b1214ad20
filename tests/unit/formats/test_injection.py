"""No value of any field ends its record, starts another, or breaks the file; long form in `make torture`."""

from __future__ import annotations

import csv
import io
import json

import pytest
import rispy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.core.citation import Citation
from monitor.core.markup import escape_text
from monitor.formats import jsonl, reading
from monitor.formats.reading import Kind
from monitor.formats.registry import FORMATS, STYLES
from tests.factories import HOSTILE, citation, citations
from tests.unit.formats.test_tables_and_managers import bibtex_entries

LAST = citation(90000002)
LINE_ENDS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"


def check(record: Citation) -> None:
    """Write a record and a plain one after it in every format and style; both must be found, and nothing else."""
    pmids = [record.pmid, LAST.pmid]
    text = {name: "".join(each.write([record, LAST])) for name, each in FORMATS.items()}
    assert list(jsonl.read(text["jsonl"].splitlines())) == [record, LAST]
    assert [each.pmid for each in reading.read(text["nbib"].encode(), Kind.NBIB)] == pmids
    assert sum(line.startswith("PMID") for line in text["nbib"].splitlines()) == 2
    assert [each.pmid for each in reading.read(text["ris"].encode(), Kind.RIS)] == pmids
    assert len(rispy.loads(text["ris"].replace("\r\n", "\n"))) == 2
    assert [key for _, key, _ in bibtex_entries(text["bibtex"])] == [f"pmid{pmid}" for pmid in pmids]
    assert [each["PMID"] for each in json.loads(text["csl-json"])] == [str(pmid) for pmid in pmids]
    rows = list(csv.reader(io.StringIO(text["csv"], newline=""), strict=True))
    assert [row[0] for row in rows[1:]] == [str(pmid) for pmid in pmids]
    assert all(len(row) == len(rows[0]) for row in rows)
    for name in ("nbib", "ris", "csv"):
        rest = text[name].replace("\r\n", "")
        assert not any(c in rest for c in LINE_ENDS), name
    for name, style in STYLES.items():
        lines = style(record).split("\n")
        assert name == "summary" or len(lines) == 1
        assert not any(c in line for line in lines for c in LINE_ENDS)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(citations())
def test_no_field_breaks_a_file(record: Citation) -> None:
    check(record)


@pytest.mark.torture
@settings(max_examples=100_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(citations())
def test_no_field_breaks_a_file_torture(record: Citation) -> None:
    check(record)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_the_commonest_fields(text: str) -> None:
    inline = escape_text(f"before{text}after{text}")
    check(
        citation(
            title=inline,
            abstract=f"{text}x{text}",
            authors=[f"Invented{text} A", f"{text}Madeup B"],
            journal={"title": f"{text}Invented J{text}", "medline_ta": f"{text}J", "volume": text, "issue": text},
            doi=f"10.99999/{text}",
            pmcid=f"PMC{text}",
        )
    )


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_read_or_refused_never_a_crash(data: bytes) -> None:
    survive(data)


@pytest.mark.torture
@settings(max_examples=100_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.sampled_from(
            (
                b"PMID- ", b"90000001", b"\n", b"\r\n", b"\r", b"TY  - JOUR", b"ER  - ", b"AN  - ", b"DB  - PubMed", b"TI  - x",
                b"      ", b"FAU - A, B", b"AU  - A B", b"AU  - ", b"DP  - 2024 Mar", b"PHST- 2024/01/02 [x]", b"MH  - *A/*b", b"/",
                b"DA  - 2024/13/40/", b"UR  - https://pubmed.ncbi.nlm.nih.gov/1/", b"\xef\xbb\xbf", b"\xff", b"\x00", b"KW  - ", b"-",
            )
        )
        | st.binary(max_size=6),
        max_size=60,
    ).map(b"".join)
)  # fmt: skip
def test_any_bytes_torture(data: bytes) -> None:
    survive(data)


def survive(data: bytes) -> None:
    for kind in (Kind.NBIB, Kind.RIS, Kind.PMID_LIST):
        for found in reading.read(data, kind):
            assert found.pmid is None or 0 < found.pmid < 100_000_000
            assert (found.citation is None) == (found.pmid is None)
            assert found.line >= 1
            if found.citation is not None:
                assert found.citation.pmid == found.pmid
