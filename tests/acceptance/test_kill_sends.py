"""Senders are killed at any moment: no letter is lost, and every extra copy was known to be in doubt."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.storage.engine import Database
from tests import processes
from tests.letters import template
from tests.outbox import attempts, fill, rows

LEASE, COOL_DOWN = 0.4, 0.4


def campaign(database: Database, path: Path, *, letters: int, kills: int, senders: int, seed: int) -> None:
    rng = random.Random(seed)
    message = template(body="Invented cells killed invented targets. " * 200)
    fill(database, [f"reader{number}@lab.example" for number in range(letters)], message=message, at=datetime.now(UTC))
    log = path / "taken.log"
    sink, sink_end = processes.start(processes.sink, str(log))
    running = []
    try:
        port = sink_end.recv()

        def start(number: int) -> None:
            running.append(processes.start(processes.sender, database.url, port, f"sender {number}", LEASE, COOL_DOWN))

        for number in range(senders):
            start(number)
        for number in range(kills):
            process, connection = running.pop(0)
            connection.recv()
            # From the first claim to the thick of it: most conversations take a few milliseconds.
            time.sleep(rng.random() ** 2 * 0.25)
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            connection.close()
            start(senders + number)
        until = time.monotonic() + 60 + letters / 20
        while any(row.state not in ("sent", "failed") for row in rows(database).values()):
            assert time.monotonic() < until, Counter(row.state for row in rows(database).values())
            time.sleep(0.1)
        for process, connection in running:
            connection.send("stop")
            process.join(30)
    finally:
        for process, connection in running:
            process.kill()
            process.join()
            connection.close()
        sink.kill()
        sink.join()
        sink_end.close()
    taken = Counter(log.read_text().splitlines())
    found = rows(database)
    tried = Counter(each.delivery_id for each in attempts(database) if each.outcome == "in_doubt")
    for id, row in found.items():
        copies = taken[row.message_id]
        if row.state == "failed":
            # In doubt twice, said so, and its papers go into the next issue.
            assert row.doubts == 1
            assert tried[id] == 2
        else:
            assert copies >= 1, f"delivery {id} was lost"
        assert copies <= 1 + row.doubts, f"delivery {id} was sent {copies} times, doubts {row.doubts}"
        assert row.doubts <= tried[id]
    extra, doubts = sum(taken.values()) - len(taken), sum(row.doubts for row in found.values())
    print(
        f"{database.dialect}: {letters} letters, {kills} kills, {extra} extra copies, {doubts} doubts recorded, 0 lost"
    )
    assert set(taken) <= {row.message_id for row in found.values()}


def test_a_few_kills_lose_nothing(database: Database, tmp_path: Path) -> None:
    campaign(database, tmp_path, letters=120, kills=6, senders=2, seed=6)


@pytest.mark.torture
def test_two_hundred_kills_lose_nothing(database: Database, tmp_path: Path) -> None:
    campaign(database, tmp_path, letters=6000, kills=200, senders=2, seed=200)
