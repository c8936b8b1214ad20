"""Bringing all that a search has: offered first, never news, stopped at any moment and gone on with."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from monitor.errors import NotFound, PubmedUnavailable, UsageError
from monitor.pubmed.sandbox import Corpus, Fault, Sandbox
from monitor.services.retrieving import batch_size
from monitor.storage.engine import Database
from monitor.storage.tables import HitRow, PollBatchRow, PollRow
from tests.acceptance.cli_world import Cli, process
from tests.acceptance.fresh import fresh_database
from tests.acceptance.polling import FIRST, NOW, polling_process, record, records, sandbox
from tests.acceptance.trial_world import CORE, Bench, papers, strategy, topic
from tests.unit.sandbox.records import record as nlm_record
from tests.unit.sandbox.records import until

ROOT = Path(__file__).resolve().parents[2]
OLD = date(2021, 5, 5)


def rows(database: Database) -> dict[int, HitRow]:
    with database.read() as session:
        return {row.pmid: row for row in session.scalars(select(HitRow).where(HitRow.lane == "core"))}


def test_an_offer_tells_the_size_and_stores_nothing(database: Database) -> None:
    with sandbox(*records(300, created=OLD), *records(5, first=FIRST + 400)) as server:
        bench = Bench(database, server)
        bench.polling.poll()
        held = bench.pmids()
        (core, wide) = bench.backfilling.offer("car-nk")
        assert (core.count, core.held, core.to_fetch, core.to_file) == (305, 5, 300, 0)
        assert core.requests == 1 + -(-300 // batch_size(300))
        assert core.measured == 0, "five records tell nothing of the pace"
        assert core.seconds >= core.requests / 3
        assert (wide.count, wide.nothing_to_do) == (0, True)
        assert bench.pmids() == held
        bench.backfilling.run("car-nk")
        (core, _) = bench.backfilling.offer("car-nk")
        assert (core.held, core.to_fetch, core.nothing_to_do) == (305, 0, True)


def test_an_estimate_rests_on_the_pace_of_earlier_polls(database: Database) -> None:
    with sandbox(*records(300, created=OLD), *records(80, first=FIRST + 400)) as server:
        bench = Bench(database, server)
        bench.polling.poll()
        with database.write() as session:
            session.query(PollRow).filter(PollRow.lane == "core").update({"seconds": 160.0})
        (core,) = bench.backfilling.offer("car-nk", ["core"])
    assert core.measured == 80
    assert core.seconds == pytest.approx(300 * 2.0)


def test_a_new_topic_is_estimated_from_polls_of_others_however_small(database: Database) -> None:
    with sandbox(*records(12, first=FIRST + 400)) as server:
        bench = Bench(database, server, topic(), replace(topic(core=("invented[ti]",), wide=()), id="young"))
        bench.polling.poll(["car-nk"])
        with database.write() as session:
            session.query(PollRow).filter(PollRow.lane == "core").update({"seconds": 24.0})
        assert [each.measured for each in bench.backfilling.offer("young")] == [12]


def test_what_one_lane_brings_the_other_only_files(database: Database) -> None:
    both = [record(FIRST + at, title="CAR-engineered CAR-NK cells", created=OLD) for at in range(4)]
    with sandbox(*both) as server:
        bench = Bench(database, server)
        core, wide = bench.backfilling.offer("car-nk")
        assert (core.to_fetch, wide.to_fetch, wide.to_file) == (4, 0, 4)
        (alone,) = bench.backfilling.offer("car-nk", ["wide"])
        assert (alone.to_fetch, alone.to_file) == (4, 0)
        bench.backfilling.run("car-nk")
        assert sum(map(len, bench.fetched())) == 4


def test_one_lane_alone_leaves_the_other_as_it_is(database: Database) -> None:
    with sandbox(*papers()) as server:
        bench = Bench(database, server)
        report = bench.backfilling.run("car-nk", ["wide"])
        assert [each.lane for each in report.outcomes] == ["wide"]
        assert (bench.hits(lane="core"), bench.hits(lane="wide")) == ([], [FIRST + 2, FIRST + 3])


def test_what_is_backfilled_is_never_news(database: Database) -> None:
    with sandbox(*records(6, created=OLD), *records(2, first=FIRST + 400)) as server:
        bench = Bench(database, server)
        bench.polling.poll()
        bench.backfilling.run("car-nk")
        found = rows(database)
        assert {pmid: row.news for pmid, row in found.items()} == {pmid: pmid >= FIRST + 400 for pmid in found}
        assert {row.route for pmid, row in found.items() if pmid < FIRST + 400} == {"backfilled"}


def test_after_a_change_the_first_whole_set_is_the_backfill_and_later_ones_reconcile(database: Database) -> None:
    with sandbox(*papers()) as server:
        bench = Bench(database, server)
        bench.backfilling.run("car-nk", ["core"])
        server.corpus.add(record(FIRST + 8, title="Zebrafish of old", created=OLD).encode())
        bench.change(strategy(core=(*CORE, "zebrafish[ti]")))
        bench.later(hours=1)
        bench.backfilling.run("car-nk", ["core"])
        assert [rows(database)[FIRST + at].route for at in (5, 8)] == ["created", "backfilled"]
        server.corpus.add(record(FIRST + 9, title="CAR-NK that came by itself", created=OLD).encode())
        bench.later(hours=1)
        bench.backfilling.run("car-nk", ["core"])
        found = rows(database)
        assert (found[FIRST + 9].route, found[FIRST + 9].news) == ("reconciled", False)


def test_what_a_changed_search_brings_is_news_no_further_back_than_a_first_poll(database: Database) -> None:
    """A year of papers that a new line finds must not fill the next digest."""
    with sandbox(*papers()) as server:
        bench = Bench(database, server)
        bench.polling.poll()
        bench.later(days=365)
        since = bench.now().date()
        fish = {FIRST + 20: since - timedelta(days=200), FIRST + 21: since - timedelta(days=31), FIRST + 22: since}
        for pmid, created in fish.items():
            server.corpus.add(record(pmid, title="Zebrafish again", created=created).encode())
        bench.change(strategy(core=(*CORE, "zebrafish[ti]")))
        bench.backfilling.run("car-nk", ["core"])
        found = rows(database)
        assert {pmid: found[pmid].news for pmid in fish} == {FIRST + 20: False, FIRST + 21: False, FIRST + 22: True}
        assert [found[pmid].route for pmid in fish] == ["backfilled", "backfilled", "created"]
        assert not found[FIRST + 5].news
        assert found[FIRST].news, "what was news stays so"


@pytest.mark.parametrize("first", ["poll", "backfill"])
def test_a_new_topic_s_first_30_days_are_news_whichever_comes_first(database: Database, first: str) -> None:
    with sandbox(*records(6, created=OLD), *records(2, first=FIRST + 400)) as server:
        bench = Bench(database, server)
        for what in (first, "poll", "backfill"):
            bench.polling.poll() if what == "poll" else bench.backfilling.run("car-nk")
            bench.later(hours=1)
        found = rows(database)
        assert len(found) == 8
        assert {pmid for pmid, row in found.items() if row.news} == {FIRST + 400, FIRST + 401}
        assert not any(row.news for row in found.values() if row.route == "backfilled")


def test_what_ended_and_is_backfilled_again_is_not_news_again(database: Database) -> None:
    """A line taken away and given back a year later must not send a year of papers to those who came since."""
    with sandbox(*papers()) as server:
        bench = Bench(database, server)
        bench.polling.poll()
        assert rows(database)[FIRST].news
        bench.later(days=200)
        bench.change(strategy(core=("zebrafish[ti]",)))
        bench.polling.poll(full=True)
        assert rows(database)[FIRST].ended_at is not None
        bench.later(days=1)
        bench.change(strategy())
        bench.backfilling.run("car-nk")
        again = rows(database)[FIRST]
        assert (again.ended_at, again.route, again.news) == (None, "backfilled", False)


def test_wrong_topics_and_lanes_and_an_outage_are_told(database: Database) -> None:
    with sandbox(*papers()) as server:
        bench = Bench(database, server, topic(wide=()))
        with pytest.raises(NotFound, match="nothing-such"):
            bench.backfilling.offer("nothing-such")
        with pytest.raises(UsageError, match="no wide lane"):
            bench.backfilling.offer("car-nk", ["wide"])
        server.fault(Fault.HTTP_503)
        with pytest.raises(PubmedUnavailable):
            bench.backfilling.offer("car-nk")
        assert bench.pmids() == []


# ---- killed midway

BACKFILL = """
from monitor.services.backfilling import Backfilling
report = Backfilling(database, client, Clock(), lambda: polling, 3.0).run("car-nk", ["core"])
"""
NUMBER = 1_200


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_killed_backfill_goes_on_and_fetches_nothing_twice(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str
) -> None:
    dice = random.Random(kind)
    with (
        fresh_database(request, tmp_path / "fresh", kind) as database,
        sandbox(*records(NUMBER, created=OLD)) as server,
    ):
        bench = Bench(database, server)
        killed = run = 0
        while killed < 2:
            before, asked = stored(database), len(server.requests("efetch"))
            if len(before) == NUMBER:
                break
            child = start(server, database, run)
            server.after_bytes = (
                server.bytes_sent + dice.randrange(NUMBER * 200, NUMBER * 600),
                lambda pid=child.pid: threading.Timer(0.02, os.kill, (pid, signal.SIGKILL)).start(),
            )
            code = child.wait(120)
            server.after_bytes = None
            assert code in (0, -signal.SIGKILL)
            named = [each for asked_ in server.requests("efetch")[asked:] for each in asked_.get("id").split(",")]
            assert not before & {int(each) for each in named if each}
            killed += code != 0
            run += 1
        before, asked = stored(database), len(server.requests("efetch"))
        assert start(server, database, run).wait(120) == 0
        named = [each for asked_ in server.requests("efetch")[asked:] for each in asked_.get("id").split(",")]
        assert not before & {int(each) for each in named if each}
        assert killed, "nothing was interrupted"
        assert bench.hits() == list(range(FIRST, FIRST + NUMBER))
        assert {(row.news, row.route) for row in rows(database).values()} == {(False, "backfilled")}


def batches_stored(home: Path) -> int:
    with contextlib.closing(sqlite3.connect(home / "monitor.db")) as database:
        found: int = database.execute("SELECT count(*) FROM poll_batch").fetchone()[0]
        return found


def start(server: Sandbox, database: Database, run: int) -> subprocess.Popen[bytes]:
    return polling_process(server, database, NOW + timedelta(seconds=run), BACKFILL)


def stored(database: Database) -> set[int]:
    with database.read() as session:
        return {pmid for batch in session.scalars(select(PollBatchRow.pmids)) for pmid in batch}


# ---- by the command line


def old_papers(number: int) -> Corpus:
    return Corpus.of(*(nlm_record(FIRST + at, f"CAR-NK of part {at}", crdt="2021/05/05 06:00") for at in range(number)))


@pytest.fixture
def server() -> Iterator[Sandbox]:
    with Sandbox(old_papers(7), rate_limit=None) as found:
        yield found


def test_backfill_at_the_terminal(cli: Cli, server: Sandbox) -> None:
    dry = cli("topic", "backfill", "car-nk", "--dry-run")
    assert dry.code == 0
    assert "PubMed counts 7 papers; in the library 0, to be fetched 7." in dry.out
    assert "a guess: no poll has been measured here yet" in dry.out
    unasked = cli("topic", "backfill", "car-nk", stdin=b"y\n")
    assert (unasked.code, "say --yes" in unasked.err) == (2, True)
    assert server.requests("efetch") == []
    done = cli("topic", "backfill", "car-nk", "--yes")
    assert (done.code, "core: done. PubMed counts 7: 7 new, 0 here already." in done.out) == (0, True)
    again = cli("topic", "backfill", "car-nk", "--yes")
    assert (again.code, "nothing to do" in again.err) == (0, True)
    found = cli("topic", "backfill", "car-nk", "--lane", "core", "--dry-run", "--json").json
    assert ([each["held"] for each in found["offers"]], found["polls"]) == ([7], None)


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are of Unix")
@pytest.mark.parametrize(("answer", "fetched"), [(b"n\n", 0), (b"y\n", 7)])
def test_a_person_at_a_terminal_is_asked(cli: Cli, server: Sandbox, answer: bytes, fetched: int) -> None:
    near, far = os.openpty()
    environ = {**os.environ, **cli.settings}
    command = [
        sys.executable,
        "-m",
        "monitor",
        "--home",
        str(cli.home),
        "topic",
        "backfill",
        "car-nk",
        "--lane",
        "core",
    ]
    try:
        os.write(near, answer)
        done = subprocess.run(
            command, stdin=far, capture_output=True, timeout=60, env=environ, cwd=cli.home, check=False
        )
    finally:
        os.close(near)
        os.close(far)
    assert done.returncode == 0
    assert b"Begin?" in done.stderr
    assert (b"Nothing was fetched." in done.stderr) == (not fetched)
    assert sum(len(each.get("id").split(",")) for each in server.requests("efetch")) == fetched


def test_backfill_without_pubmed_and_in_a_wrong_lane(cli: Cli, server: Sandbox) -> None:
    wrong = cli("topic", "backfill", "car-nk", "--lane", "outer")
    assert (wrong.code, "choose core or wide" in wrong.err) == (2, True)
    server.fault(Fault.KEY_INVALID)
    refused = cli("topic", "backfill", "car-nk", "--yes")
    assert refused.code == 3
    assert "Traceback" not in refused.everything


def test_ctrl_c_stops_a_backfill_and_the_next_run_goes_on(
    tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "home"
    shutil.copytree(template, home)
    with Sandbox(old_papers(900), rate_limit=None) as server:
        server.fault(Fault.STALL, utility="efetch", calls=[3, 4, 5, 6, 7])
        settings = {"MONITOR_EUTILS_URL": server.url, "MONITOR_TIMEZONE": "UTC", "MONITOR_NCBI_API_KEY": "invented"}
        command = ("topic", "backfill", "car-nk", "--lane", "core", "--yes")
        with process(home, *command, **settings) as running:
            until(lambda: batches_stored(home) >= 1 and len(server.requests("efetch")) >= 5)
            code = running.stop(signal.SIGINT)
            said = running.said
        assert code == 1
        assert "goes on from there" in said
        assert "What was stored is kept" in said
        assert "Traceback" not in said
        server.faults.clear()
        asked = len(server.requests("efetch"))
        with process(home, *command, **settings) as running:
            assert running.process.wait(60) == 0
        again = sum(len(each.get("id").split(",")) for each in server.requests("efetch")[asked:])
    assert 0 < again < 900, "what was stored is not fetched again"
