from datetime import UTC, datetime
from monitor.storage.tables import PaceRow
def test_smoke(database):
    with database.write() as s:
        s.add(PaceRow(key="a", next_at=1.0))
    with database.read() as s:
        assert s.get(PaceRow, "a").next_at == 1.0
def test_smoke2(database):
    with database.read() as s:
        assert s.get(PaceRow, "a") is None
