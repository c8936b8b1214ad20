"""Every text and attribute of real records stands in `Citation`, by an independent reading of the same files."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import random
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.core.citation import Citation, Deleted
from monitor.core.revision import is_retracted
from monitor.errors import RecordError
from monitor.pubmed.parse import Found, open_records, read_records
from tests.shared import SHARED, needs_shared
from tests.unit.parse_emitting import emit, facts, normalise

SMALL = ("nk-domain", "near-domain", "misc-fixture-records", "special-relations", "recent-trials")
LARGE = ("pubmed21n1298-dev", "pubmed20n0014-dev")
OTHERS = (
    "klortho-samples/efetch.pubmed.xml",
    "klortho-samples/efetch.pubmedbook.xml",
    "klortho-samples/efetch.pubmedexample.xml",
    "biopython-entrez/pubmed1.xml",
    "biopython-entrez/pubmed5.xml",
    "biopython-entrez/pubmed6.xml",
    "biopython-entrez/pubmed7.xml",
)
EXPLAINED = {
    "attribute default of the DTD supplied",
    "PMID without Version, before 2011",
    "month by name or number with leading zero",
    "day that no calendar has, kept as text",
    "empty element, which says nothing",
    "affiliation without AffiliationInfo, before 2015",
    "unknown to the DTD of 2025, kept in Citation.unknown",
    "ids of a book in both of its parts, held as one list",
}


def records_of(data: bytes) -> Iterator[ET.Element]:
    """Read with the standard library; the MathML prefix is declared as NLM's DTD does."""
    for _, node in ET.iterparse(io.BytesIO(data)):
        if node.tag in ("PubmedArticle", "PubmedBookArticle"):
            yield node
            node.clear()


def difference(record: ET.Element, citation: Citation, explained: Counter[str]) -> str:
    """What one holds and the other does not; empty when nothing."""
    for odd in citation.unknown:
        _take_out(record, odd.path, odd.xml)
        explained["unknown to the DTD of 2025, kept in Citation.unknown"] += 1
    if record.tag == "PubmedBookArticle":
        first, second = record.find("BookDocument/ArticleIdList"), record.find("PubmedBookData/ArticleIdList")
        if first is not None and second is not None:
            first.extend(list(second))
            record.find("PubmedBookData").remove(second)
            explained["ids of a book in both of its parts, held as one list"] += 1
    normalise(record, explained)
    sent, held = facts(record), facts(emit(citation))
    lost, made_up = sent - held, held - sent
    return f"PMID {citation.pmid}: lost {list(lost)[:5]}, made up {list(made_up)[:5]}" if lost or made_up else ""


def _take_out(record: ET.Element, path: str, xml: str) -> None:
    """Remove what the citation keeps as unknown; it must be there, and be the same."""
    parts = path.removeprefix(f"{record.tag}/").split("/")
    for parent in record.findall("/".join(parts[:-1])):
        for child in parent.findall(parts[-1]):
            if ET.canonicalize(ET.tostring(child), strip_text=True) == ET.canonicalize(xml, strip_text=True):
                parent.remove(child)
                return
    raise AssertionError(f"{path} is kept as unknown but was not sent: {xml}")


def compare_all(path: Path, explained: Counter[str]) -> int:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return compare_records(data, read_records(open_records(path)), explained)


def compare_records(data: bytes, read: Iterator[Found], explained: Counter[str]) -> int:
    count = 0
    ours = (found for found in read if not isinstance(found, Deleted))
    for record, found in itertools.zip_longest(records_of(data), ours):
        assert isinstance(found, Citation), found
        assert record is not None, f"PMID {found.pmid} is read but was not sent"
        problem = difference(record, found, explained)
        assert not problem, problem
        count += 1
    return count


@needs_shared
@pytest.mark.parametrize("name", SMALL)
def test_nothing_is_lost_or_made_up(name: str) -> None:
    explained: Counter[str] = Counter()
    assert compare_all(SHARED / "pubmed" / f"{name}.xml.gz", explained) > 0
    assert set(explained) <= EXPLAINED


@needs_shared
@pytest.mark.parametrize("name", OTHERS)
def test_nothing_is_lost_from_older_answers(name: str) -> None:
    explained: Counter[str] = Counter()
    assert compare_all(SHARED / "eutils" / name, explained) > 0
    assert set(explained) <= EXPLAINED


@needs_shared
@pytest.mark.parametrize("name", LARGE)
def test_nothing_is_lost_in_a_sample_of_whole_files(name: str) -> None:
    explained: Counter[str] = Counter()
    head, *records = gzip.decompress((SHARED / "pubmed" / f"{name}.xml.gz").read_bytes()).split(b"<PubmedArticle>")
    dice = random.Random(name)
    chosen = [b"<PubmedArticle>" + each for each in dice.sample(records[:-1], 750)]
    data = b"".join([head, *chosen, b"</PubmedArticleSet>"])
    assert compare_records(data, read_records([data]), explained) == 750
    assert set(explained) <= EXPLAINED


@needs_shared
@pytest.mark.torture
@pytest.mark.parametrize("name", LARGE)
def test_nothing_is_lost_in_whole_files(name: str) -> None:
    explained: Counter[str] = Counter()
    assert compare_all(SHARED / "pubmed" / f"{name}.xml.gz", explained) > 10_000
    assert set(explained) <= EXPLAINED
    print(name, dict(explained))


@needs_shared
@pytest.mark.parametrize("name", SMALL)
def test_index_agrees(name: str) -> None:
    found = {
        c.pmid: c for c in read_records(open_records(SHARED / "pubmed" / f"{name}.xml.gz")) if isinstance(c, Citation)
    }
    with (SHARED / "pubmed" / f"{name}.index.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert len(rows) == len(found)
    for row in rows:
        c = found[int(row["pmid"])]
        assert c.version == int(row["version"] or 1)
        assert (c.status or "") == row["status"]
        assert (c.abstract is not None) == (row["abstract"] == "1"), c.pmid
        assert bool(c.mesh_headings) == (row["mesh"] == "1"), c.pmid
        assert (c.doi or "").lower() == row["doi"].lower(), c.pmid
        marked = "Retracted Publication" in row["publication_types"] or "RetractionIn" in row["comments_corrections"]
        assert is_retracted(c) == marked, c.pmid


@needs_shared
def test_deletions_of_an_update_file() -> None:
    found = list(read_records(open_records(SHARED / "pubmed" / "pubmed21n1298-dev.xml.gz")))
    assert sum(isinstance(each, Deleted) for each in found) == 20
    assert sum(isinstance(each, Citation) for each in found) == 13_888
    assert not any(isinstance(each, RecordError) for each in found)
