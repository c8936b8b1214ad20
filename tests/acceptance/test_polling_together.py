"""Several processes that poll one database at once: each topic's lane is polled once, nothing is stored twice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from monitor.storage.engine import Database
from monitor.storage.tables import HitRow, PollRow
from tests.acceptance.polling import FIRST, NOW, Lab, records, sandbox, topic

ROOT = Path(__file__).resolve().parents[2]

CHILD = """
import sys
from datetime import datetime
from zoneinfo import ZoneInfo
from monitor.pubmed.client import PubmedClient
from monitor.services.polling import Polling
from monitor.storage.engine import connect
from monitor.storage.pace import DatabasePacer

url, database_url, moment = sys.argv[1:]

class Clock:
    def now(self):
        return datetime.fromisoformat(moment)

database = connect(database_url)
client = PubmedClient(url, "lab@example.org", DatabasePacer(database, 500))
report = Polling(database, client, Clock()).poll_due(6, ZoneInfo("UTC"))
sys.exit(report.exit_code)
"""


def test_four_processes_share_the_work(database: Database) -> None:
    names = ["a", "b", "c"]
    with sandbox(*records(300)) as server:
        lab = Lab(database, server, *[topic(name) for name in names])
        started = [
            subprocess.Popen([sys.executable, "-c", CHILD, server.url, database.url, NOW.isoformat()], cwd=ROOT)
            for _ in range(4)
        ]
        assert [each.wait(60) for each in started] == [0] * 4
        again = lab.polling.poll_due(6, ZoneInfo("UTC"))
        assert again.outcomes == ()
    with database.read() as session:
        assert list(session.scalars(select(PollRow.state))) == ["done"] * 3
        assert session.scalar(select(func.sum(PollRow.new))) == 300
        assert session.scalar(select(func.count()).select_from(HitRow)) == 900
    assert lab.pmids() == list(range(FIRST, FIRST + 300))
