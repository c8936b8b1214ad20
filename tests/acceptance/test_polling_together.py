"""Several processes that poll one database at once: each topic's lane is polled once, nothing is stored twice."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from monitor.storage.engine import Database
from monitor.storage.tables import HitRow, PollRow
from tests.acceptance.polling import FIRST, NOW, Lab, polling_process, records, sandbox, topic

POLL_DUE = """
from zoneinfo import ZoneInfo
report = polling.poll_due(6, ZoneInfo("UTC"))
"""


def test_four_processes_share_the_work(database: Database) -> None:
    names = ["a", "b", "c"]
    with sandbox(*records(300)) as server:
        lab = Lab(database, server, *[topic(name) for name in names])
        started = [polling_process(server, database, NOW, POLL_DUE) for _ in range(4)]
        assert [each.wait(60) for each in started] == [0] * 4
        again = lab.polling.poll_due(6, ZoneInfo("UTC"))
        assert again.outcomes == ()
    with database.read() as session:
        assert list(session.scalars(select(PollRow.state))) == ["done"] * 3
        assert session.scalar(select(func.sum(PollRow.new))) == 300
        assert session.scalar(select(func.count()).select_from(HitRow)) == 900
    assert lab.pmids() == list(range(FIRST, FIRST + 300))
