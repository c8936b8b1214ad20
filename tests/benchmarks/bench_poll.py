"""Backfill of a topic over a slow line: how near the poll comes to what rate, line and server allow.

The sandbox runs in a process of its own: 0.6 s a request and 3 ms a record (assumed, see the docs), 100 Mbit/s, three
requests a second. The goal is 1.25 times max(requests / rate, bytes / line, server time / requests in flight).
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from monitor.core.strategy import Line, Strategy, Topic
from monitor.pubmed.client import PubmedClient
from monitor.pubmed.opener import AT_ONCE
from monitor.pubmed.sandbox import Corpus, Sandbox
from monitor.services.polling import Polling
from monitor.storage.engine import connect, sqlite_url
from monitor.storage.migrations import upgrade
from monitor.storage.pace import DatabasePacer
from monitor.storage.strategies import load_starter
from tests.benchmarks.corpus import invented_xml
from tests.benchmarks.harness import Row

LATENCY, LATENCY_PER_ID = 0.6, 0.003
BYTES_PER_SECOND = 100e6 / 8
RATE = 3
QUERY = '"journal article"[pt]'
ROOT = Path(__file__).resolve().parents[2]


class Now:
    def now(self) -> datetime:
        return datetime.now(UTC)


def serve(number: int) -> None:
    """Serve invented records until standard input ends; then print what was asked."""
    head, *bodies, end = invented_xml(number, 7)
    corpus = Corpus.of(*(head + b"".join(bodies[at : at + 200]) + end for at in range(0, number, 200)))
    line = Sandbox(corpus, latency=LATENCY, latency_per_id=LATENCY_PER_ID, bytes_per_second=BYTES_PER_SECOND)
    with line as server:
        warm = PubmedClient(server.url, "lab@example.org", NoPace())
        warm.search(QUERY, limit=1)
        time.sleep(1.1)
        server.log.clear()
        sent = server.bytes_sent
        print(server.url, flush=True)
        sys.stdin.read()
        records = sum(len(each.get("id").split(",")) for each in server.requests("efetch"))
        print(
            json.dumps(
                {
                    "requests": len(server.log),
                    "bytes": server.bytes_sent - sent,
                    "seconds": len(server.log) * LATENCY + records * LATENCY_PER_ID,
                    "violations": len(server.violations),
                }
            )
        )


class NoPace:
    def reserve(self) -> float:
        return 0.0


def rows(*, large: bool) -> Iterator[Row]:
    """Poll a topic's whole set into SQLite."""
    number = 60_000 if large else 12_000
    server = subprocess.Popen(
        [sys.executable, "-c", f"from tests.benchmarks.bench_poll import serve; serve({number})"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    with tempfile.TemporaryDirectory() as folder:
        database = connect(sqlite_url(Path(folder) / "monitor.db"))
        upgrade(database)
        with database.write() as session:
            load_starter(session, [Topic("all", "All", Strategy((Line(QUERY, "everything"),)))], Now().now())
        client = PubmedClient(url, "lab@example.org", DatabasePacer(database, RATE))
        polling = Polling(database, client, Now())
        wall, cpu = time.monotonic(), time.process_time()
        (outcome,) = polling.poll(full=True).outcomes
        wall, cpu = time.monotonic() - wall, time.process_time() - cpu
        database.dispose()
    told = json.loads(server.communicate("")[0])
    poll = outcome.poll
    assert poll is not None
    assert (poll.state, poll.new) == ("done", number), outcome
    bounds = {
        "rate": told["requests"] / RATE,
        "line": told["bytes"] / BYTES_PER_SECOND,
        "server": told["seconds"] / AT_ONCE,
    }
    which = max(bounds, key=lambda name: bounds[name])
    ratio = wall / bounds[which]
    yield Row(
        f"backfill of {number:,}: wall / bound ({which}, {bounds[which]:.1f} s)",
        f"{ratio:.2f}x",
        "<= 1.25x",
        ratio <= 1.25,
    )
    yield Row(
        f"  {told['requests']} requests, {told['bytes'] / 1e6:.0f} MB",
        f"{wall:.1f} s wall, {cpu:.1f} s CPU",
        f"CPU <= {number / 1500:.0f} s",
        cpu <= number / 1500,
    )
    yield Row("  requests above the rate limit", str(told["violations"]), "0", told["violations"] == 0)
