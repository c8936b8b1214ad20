"""The starter topics as an installation gets them: loaded whole, linted clean, and finding their sentinels."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.core.citation import Citation
from monitor.core.query import document, matches
from monitor.core.strategy import LANES, all_lines
from monitor.pubmed.parse import open_records, read_records
from monitor.pubmed.sandbox import Corpus, Sandbox, SetClock
from monitor.storage import search, strategies
from monitor.storage.citations import keep
from monitor.storage.engine import Database, connect, sqlite_url
from tests.acceptance.cli_world import Cli
from tests.acceptance.mutations import NOW, TODAY, TOPICS, TREE, Study, first_states, parse
from tests.shared import SHARED, needs_shared

NAMES = [topic.id for topic in TOPICS]
WITH_SENTINELS = [topic for topic in TOPICS if topic.sentinels]


@pytest.fixture(scope="module")
def study() -> Study:
    return Study()


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    clock = SetClock()
    clock.set(NOW)
    with Sandbox(Corpus.of(first_states()), clock=clock, rate_limit=None) as found:
        yield found


def test_init_loads_every_topic_with_every_line_and_sentinel_and_only_once(cli: Cli, tmp_path: Path) -> None:
    cli.home = tmp_path / "bare"
    first, again = cli("init"), cli("init")
    assert (first.code, again.code) == (0, 0)
    assert f"topics added: {', '.join(NAMES)}" in first.everything
    assert "added" not in again.everything
    database = connect(sqlite_url(cli.home / "monitor.db"))
    with database.read() as session:
        stored = strategies.all_topics(session)
    database.dispose()
    assert [each.id for each in stored] == NAMES
    for each, topic in zip(stored, TOPICS, strict=True):
        assert each.topic == replace(topic, sentinels=tuple(sorted(topic.sentinels)))
        assert (each.version, each.origin) == (1, "starter")
        assert all(line.enabled and line.reason for _, _, line in all_lines(each.topic.strategy))


def test_every_topic_lints_clean_and_without_a_note_once_pubmed_was_asked_and_absent_sentinels_are_named(
    cli: Cli,
) -> None:
    before = cli("topic", "lint", "--json")
    assert before.code == 0
    codes = {each["code"] for topic in before.json for each in topic["findings"]}
    assert codes == {"phrase-unchecked"}
    # The starter's sentinels are real papers; the invented corpus has none of them and does not pretend to.
    assert len(WITH_SENTINELS) == 3
    checked = cli("topic", "check")
    assert checked.code == 1
    for topic in WITH_SENTINELS:
        assert f"sentinels: 0 of {len(topic.sentinels)} found by PubMed" in checked.out
        for pmid in topic.sentinels:
            assert f"{topic.id}: sentinel {pmid} is not in PubMed" in checked.everything
    after = cli("topic", "lint")
    assert after.code == 0
    assert [line for line in after.out.splitlines() if line] == [f"{name}: nothing to say" for name in NAMES]


def test_sentinels_of_the_invented_corpus_are_found_by_pubmed_and_in_the_library_alone(cli: Cli, study: Study) -> None:
    for topic in TOPICS:
        chosen = sorted(study.sentinels[topic.id])
        assert chosen, topic.id
        changes = [f"+{pmid}" for pmid in chosen] + [f"-{pmid}" for pmid in topic.sentinels]
        saved = cli("topic", "edit", topic.id, *(word for each in changes for word in ("--sentinel", each)))
        assert saved.code == 0, saved.everything
        assert f"sentinels: {len(chosen)} of {len(chosen)} found by PubMed" in saved.out
    corpus = cli.home.parent / "invented.xml"
    corpus.write_bytes(first_states())
    assert cli("import", corpus).code == 0
    cli.settings["MONITOR_EUTILS_URL"] = "https://eutils.example/entrez/eutils"  # and no contact address: not asked
    alone = cli("topic", "check")
    for topic in TOPICS:
        number = len(study.sentinels[topic.id])
        assert re.search(
            rf"(?m)^{topic.id}, version 1\n(?:  .*\n)*?  sentinels: {number} of {number} found in the library",
            alone.out,
        )


@needs_shared
def test_sentinels_that_the_real_files_hold_are_found(sqlite_database: Database) -> None:
    """Today no file has any of them; a file that is added with one is held to this, and so is the search for them."""
    wanted = {pmid: topic for topic in TOPICS for pmid in topic.sentinels}
    files = sorted((SHARED / "pubmed").glob("*.xml.gz"))
    assert len(files) >= 7
    seen: set[int] = set()
    for file in files:
        held = {int(pmid) for pmid in re.findall(rb"<PMID[^>]*>(\d+)</PMID>", gzip.decompress(file.read_bytes()))}
        seen |= held
        if held.isdisjoint(wanted):
            continue
        for each in read_records(open_records(file)):
            if isinstance(each, Citation) and each.pmid in wanted:
                core = wanted[each.pmid].strategy.query("core") or ""
                assert matches(parse(core), document(each), TREE, TODAY), (wanted[each.pmid].id, each.pmid)
    assert len(seen) > 34_000


@needs_shared
def test_real_papers_of_the_field_are_found_and_near_ones_are_not(database: Database) -> None:
    """Of 68 real papers that name NK cells or CARs, mostly in passing, and 394 that come close and name neither."""
    near, field = (
        [
            each
            for each in read_records(open_records(SHARED / "pubmed" / f"{name}-domain.xml.gz"))
            if isinstance(each, Citation)
        ]
        for name in ("near", "nk")
    )
    assert (len(near), len(field)) == (394, 68)
    with database.write() as session:
        keep(session, [*near, *field], datetime(2026, 11, 22, tzinfo=UTC))
    found: dict[str, set[int]] = {}
    with database.read() as session:
        for topic in TOPICS:
            for lane in LANES:
                text = topic.strategy.query(lane)
                if text is None:
                    continue
                query = parse(text)
                pmids = set(search.pmids(session, query, TREE, TODAY))
                assert pmids == {each.pmid for each in (*near, *field) if matches(query, document(each), TREE, TODAY)}
                if pmids:
                    found[f"{topic.id} {lane}"] = pmids
    assert found == {
        "car-nk wide": {34090499},
        "nk-adoptive core": {33980470},
        "nk-adoptive wide": {33980470, 34090499},
        "nk-engager core": {33999642},
        "nk-engager wide": {33999642},
        "safety wide": {33980470},
    }
