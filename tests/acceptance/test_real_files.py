"""Real PubMed records all the way: imported and served, polled by the starter topics, exported, and read by somebody else."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.build import House, build
from monitor.core.citation import Citation
from monitor.core.query import document, matches, parse
from monitor.formats.jsonl import from_object
from monitor.pubmed.parse import open_records, read_records
from monitor.pubmed.sandbox import Corpus, Sandbox, SetClock
from monitor.resources import load_mesh_tree
from monitor.settings import load, with_secret_key
from tests.acceptance.polling import NoPace
from tests.shared import SHARED, needs_shared
from tests.unit.test_parse_real import EXPLAINED, difference, records_of

FILES = ("nk-domain", "near-domain", "misc-fixture-records", "special-relations", "recent-trials")
NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)

pytestmark = needs_shared


def paths() -> list[Path]:
    return [SHARED / "pubmed" / f"{name}.xml.gz" for name in FILES]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    clock = SetClock()
    clock.set(NOW)
    with Sandbox(Corpus.read(*paths()), clock=clock, rate_limit=None) as sandbox:
        home = tmp_path_factory.mktemp("real")
        settings = with_secret_key(load(environ={}, home=home, eutils_url=sandbox.url))
        with build(settings, clock=clock, create=True) as here:
            here.pacer = NoPace()
            yield here


@pytest.fixture(scope="module")
def polled(house: House) -> House:
    report = house.polling.poll(full=True)
    assert {outcome.state for outcome in report.outcomes} <= {"done", "warned"}
    return house


@pytest.fixture(scope="module")
def newest() -> dict[int, Citation]:
    found: dict[int, Citation] = {}
    for path in paths():
        for record in read_records(open_records(path)):
            assert isinstance(record, Citation)
            if record.pmid not in found or found[record.pmid].version <= record.version:
                found[record.pmid] = record
    return found


def exported(house: House) -> dict[int, Citation]:
    lines = "".join(house.library.export("jsonl")).splitlines()
    return {found.pmid: found for found in (from_object(json.loads(line)) for line in lines)}


def test_the_topics_find_exactly_what_their_queries_say(polled: House, newest: dict[int, Citation]) -> None:
    tree = load_mesh_tree()
    documents = {pmid: document(citation) for pmid, citation in newest.items()}
    total = 0
    for state in polled.topics.all():
        for lane, query in state.stored.topic.strategy.queries().items():
            said = parse(query)
            expected = {pmid for pmid, each in documents.items() if matches(said, each, tree)}
            assert state.hits[lane] == len(expected), (state.stored.id, lane)
            total += len(expected)
    assert total >= 5, "few of these records are of our field, but some are"


def test_every_record_is_exported_as_an_independent_reader_sees_it(
    polled: House, newest: dict[int, Citation], capsys: pytest.CaptureFixture[str]
) -> None:
    report = polled.importing.run(paths())
    assert report.exit_code == 0, report.problems
    ours = exported(polled)
    assert set(ours) == set(newest)
    explained: Counter[str] = Counter()
    compared = 0
    for path in paths():
        for record in records_of(gzip.decompress(path.read_bytes())):
            pmid_element = record.find("MedlineCitation/PMID")
            if pmid_element is None:
                pmid_element = record.find("BookDocument/PMID")
            assert pmid_element is not None
            held = ours[int(pmid_element.text or 0)]
            if int(pmid_element.get("Version", "1")) != held.version or newest[held.pmid] != held:
                continue
            problem = difference(record, held, explained)
            if problem and _in_several_files(held.pmid):
                continue
            assert not problem, problem
            compared += 1
    assert compared >= len(newest)
    assert set(explained) <= EXPLAINED
    with capsys.disabled():
        print(f"\n{compared} records of {len(newest)} PMIDs compared; explained: {dict(explained)}")


def _in_several_files(pmid: int) -> bool:
    """Records overlap between the files, in states of different years: only one of them is the newest."""
    needle = f">{pmid}</PMID>".encode()
    return sum(needle in gzip.decompress(path.read_bytes()) for path in paths()) > 1


def test_a_second_import_changes_nothing(polled: House) -> None:
    polled.importing.run(paths())
    before = polled.library.totals()
    again = polled.importing.run(paths())
    assert (again.new, again.revised) == (0, 0)
    assert polled.library.totals() == before


def test_every_format_holds_every_record(polled: House, newest: dict[int, Citation]) -> None:
    polled.importing.run(paths())
    for name, mark in (("nbib", "PMID- "), ("ris", "\nER  -"), ("bibtex", "\n}")):
        text = "".join(polled.library.export(name)).replace("\r\n", "\n")
        assert text.count(mark) >= len(newest), name
    assert len(json.loads("".join(polled.library.export("csl-json")))) == len(newest)
