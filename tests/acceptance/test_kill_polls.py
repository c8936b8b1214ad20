"""`kill -9` at any byte of a poll: the next run goes on, and the store equals that of a run that nobody disturbed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from monitor.pubmed.sandbox import Sandbox
from monitor.storage.engine import Database
from monitor.storage.tables import CitationRow, HitRow, IndexRow, PollBatchRow, PollRow, RelationRow, VersionRow
from tests.acceptance.fresh import fresh_database
from tests.acceptance.polling import FIRST, NOW, Lab, polling_process, record, records, sandbox, topic

NUMBER = 1_500


def start(server: Sandbox, database: Database, run: int) -> subprocess.Popen[bytes]:
    return polling_process(server, database, NOW + timedelta(seconds=run), "report = polling.poll()")


def killed(server: Sandbox, database: Database, run: int, dice: random.Random) -> bool:
    """Start a poll and kill it after so many bytes of answers, or a moment later; False when it was done before."""
    child = start(server, database, run)
    later = dice.choice([0.0, 0.0, 0.01, 0.05, 0.2])

    def kill() -> None:
        threading.Timer(later, os.kill, (child.pid, signal.SIGKILL)).start()

    server.after_bytes = (server.bytes_sent + dice.randrange(1, NUMBER * 500), kill)
    code = child.wait(120)
    server.after_bytes = None
    assert code in (0, -signal.SIGKILL), code
    return code != 0


def stored(database: Database) -> set[int]:
    with database.read() as session:
        return {pmid for batch in session.scalars(select(PollBatchRow.pmids)) for pmid in batch}


def contents(database: Database) -> dict[str, object]:
    """Everything a poll stores, but for when it was and under which number."""
    with database.read() as session:
        return {
            "citations": session.execute(
                select(CitationRow.pmid, CitationRow.version, CitationRow.hash, IndexRow.facets)
                .join(IndexRow, IndexRow.pmid == CitationRow.pmid)
                .order_by(CitationRow.pmid)
            ).all(),
            "versions": session.execute(
                select(VersionRow.pmid, VersionRow.hash, VersionRow.changes).order_by(VersionRow.pmid, VersionRow.id)
            ).all(),
            "relations": session.execute(select(RelationRow.pmid, RelationRow.kind).order_by(RelationRow.pmid)).all(),
            "hits": session.execute(
                select(HitRow.topic_id, HitRow.lane, HitRow.pmid, HitRow.news, HitRow.lines, HitRow.ended_at).order_by(
                    HitRow.topic_id, HitRow.lane, HitRow.pmid
                )
            ).all(),
            "polls": session.execute(
                select(
                    PollRow.topic_id,
                    PollRow.lane,
                    PollRow.state,
                    PollRow.count,
                    PollRow.found,
                    PollRow.new,
                    PollRow.revised,
                    PollRow.unchanged,
                    PollRow.missing,
                )
                .where(PollRow.state == "done", PollRow.new > 0)
                .order_by(PollRow.id)
            ).all(),
        }


def episode(database: Database, server: Sandbox, dice: random.Random, kills: int) -> int:
    """Poll with up to so many kills and then undisturbed; no record of a stored batch is ever fetched again."""
    Lab(database, server, topic(core=['"CAR-NK"[tiab]', "cells[ti]"]))
    done = run = 0
    while done < kills and not is_done(database):
        before, asked = stored(database), len(server.requests("efetch"))
        done += killed(server, database, run, dice)
        # A client killed while it asks leaves a request without ids, or with the first of them.
        named = [each for request in server.requests("efetch")[asked:] for each in request.get("id").split(",")]
        again = {int(each) for each in named if each}
        assert not before & again
        run += 1
    if not is_done(database):
        assert start(server, database, run).wait(120) == 0
    return done


def is_done(database: Database) -> bool:
    """The kill may come when all is stored and the process only has to end."""
    with database.read() as session:
        return session.scalar(select(PollRow.id).where(PollRow.state == "done")) is not None


@pytest.fixture(scope="module")
def papers() -> list[str]:
    return [*records(NUMBER - 1), record(FIRST + NUMBER, title="Invented cells")]


def undisturbed(database: Database, papers: list[str]) -> dict[str, object]:
    with sandbox(*papers) as server:
        lab = Lab(database, server, topic(core=['"CAR-NK"[tiab]', "cells[ti]"]))
        lab.polling.poll()
    return contents(database)


@pytest.fixture(params=["sqlite", "postgres"])
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def campaign(request: pytest.FixtureRequest, folder: Path, kind: str, papers: list[str], kills: int) -> None:
    """Poll into one database after the other until so many polls were killed; each must end up as if none had been."""
    with fresh_database(request, folder / "undisturbed", kind) as database:
        wanted = undisturbed(database, papers)
    dice = random.Random(f"{kind} {kills}")
    done = 0
    while done < kills:
        with fresh_database(request, folder / str(done), kind) as database, sandbox(*papers) as server:
            done += episode(database, server, dice, min(kills - done, 8))
            assert contents(database) == wanted


def test_killed_polls_store_the_same(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, papers: list[str]
) -> None:
    campaign(request, tmp_path, kind, papers, 6)


@pytest.mark.torture
def test_two_hundred_killed_polls(request: pytest.FixtureRequest, tmp_path: Path, kind: str, papers: list[str]) -> None:
    campaign(request, tmp_path, kind, papers, 200)
