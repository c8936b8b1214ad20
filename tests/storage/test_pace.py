"""The shared pace: never more in a second than allowed, from threads and processes, whatever clocks do."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from monitor.pubmed.client import PubmedClient
from monitor.pubmed.sandbox import Corpus, Fault, Sandbox
from monitor.storage.engine import Database
from monitor.storage.pace import HORIZON, PAUSE, SPREAD, DatabasePacer

ROOT = Path(__file__).resolve().parents[2]

ASKING = """
import sys, threading
from monitor.pubmed.client import PubmedClient
from monitor.storage.engine import connect
from monitor.storage.pace import DatabasePacer
url, database, key, rate, number = sys.argv[1:]
client = PubmedClient(url, "lab@example.org", DatabasePacer(connect(database), float(rate)), api_key=key or None)
def ask():
    for _ in range(int(number)):
        client.search("x", limit=0)
threads = [threading.Thread(target=ask) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


@pytest.mark.parametrize(
    ("kind", "key", "rate", "each"), [("sqlite", "", 3, 1), ("sqlite", "a-key", 10, 3), ("postgres", "a-key", 10, 3)]
)
def test_three_processes_with_three_threads_keep_the_limit(
    request: pytest.FixtureRequest, kind: str, key: str, rate: int, each: int
) -> None:
    """The sandbox counts in a sliding second, as NCBI does, over all connections."""
    database: Database = request.getfixturevalue(f"{kind}_database")
    with Sandbox(Corpus.of(b"<PubmedArticleSet></PubmedArticleSet>")) as server:
        asking = [
            subprocess.Popen(
                [sys.executable, "-c", ASKING, server.url, database.url, key, str(rate), str(each)], cwd=ROOT
            )
            for _ in range(3)
        ]
        assert [process.wait(60) for process in asking] == [0, 0, 0]
        assert len(server.log) == 9 * each
        assert server.violations == []


def test_retries_take_places_too(database: Database) -> None:
    with Sandbox(Corpus.of(b"<PubmedArticleSet></PubmedArticleSet>")) as server:
        server.fault(Fault.RATE_LIMITED_SILENT, calls=[1, 2])
        pacer = DatabasePacer(database, 3)
        PubmedClient(server.url, "lab@example.org", pacer, sleep=lambda seconds: time.sleep(min(seconds, 0.4))).search(
            "x"
        )
        assert len(server.log) == 3
        assert server.violations == []


class Steps:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = 1_000_000.0

    def __call__(self) -> float:
        return self.at

    def go(self, seconds: float) -> None:
        self.at += seconds


def test_places_follow_each_other(database: Database) -> None:
    clock = Steps()
    pacer = DatabasePacer(database, 10, now=clock)
    assert [round(pacer.reserve(), 3) for _ in range(4)] == [0.0, 0.11, 0.22, 0.33]
    clock.at += 0.2
    assert round(pacer.reserve(), 3) == 0.24
    clock.at += 100
    assert pacer.reserve() == 0.0


@pytest.mark.parametrize("back", [0.5, 5.0, 59.0, 600.0, 999_000.0])
def test_a_clock_set_back_neither_bursts_nor_waits_for_ever(database: Database, back: float) -> None:
    clock = Steps()
    pacer = DatabasePacer(database, 3, now=clock, sleep=clock.go)
    before = [clock.at + pacer.reserve() for _ in range(6)]
    clock.at -= back
    # Seconds since the step on a clock that did not step, as sleepers and PubMed count them.
    sent = [moment - clock.at - back for moment in before]
    at_step = clock.at
    for _ in range(6):
        wait = pacer.reserve()
        sent.append(clock.at - at_step + wait)
    assert sent == sorted(sent)
    assert max(sent) <= HORIZON + PAUSE + 12 * SPREAD / 3
    for earlier, later in zip(sent, sent[1:], strict=False):
        assert later - earlier >= SPREAD / 3 - 1e-6


def test_places_are_handed_out_only_so_far_ahead(database: Database) -> None:
    clock = Steps()
    pacer = DatabasePacer(database, 3, now=clock, sleep=clock.go)
    started = clock.at
    moments = []
    for _ in range(40):
        wait = pacer.reserve()
        assert wait <= HORIZON
        moments.append(clock.at - started + wait)
    assert moments == pytest.approx([number * SPREAD / 3 for number in range(40)])


def test_keys_have_their_own_pace(database: Database) -> None:
    clock = Steps()
    DatabasePacer(database, 3, key="one", now=clock).reserve()
    assert DatabasePacer(database, 3, key="two", now=clock).reserve() == 0.0


def test_threads_share_one_pacer(database: Database) -> None:
    clock = Steps()
    pacer = DatabasePacer(database, 10, now=clock)
    places: list[float] = []
    threads = [threading.Thread(target=lambda: places.append(pacer.reserve())) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(round(place / 0.11) for place in places) == list(range(12))


def test_the_database_s_own_clock_serves_postgresql(postgres_database: Database) -> None:
    pacer = DatabasePacer(postgres_database, 10)
    first, second = pacer.reserve(), pacer.reserve()
    assert first == 0.0
    assert 0 < second <= 0.11
