"""Transactions that mean the same on both databases, and every fault as a sentence."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import event, insert, select, text
from sqlalchemy.exc import IntegrityError

from monitor.errors import DatabaseDamaged, DatabaseUnavailable, MonitorError, UsageError
from monitor.storage import engine as engine_module
from monitor.storage.engine import SQLITE, Database, connect, sqlite_advice, sqlite_url, wal_is_safe
from monitor.storage.migrations import upgrade
from monitor.storage.tables import EventRow, PaceRow, SlotRow
from tests.conftest import LeftTheMachine

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
BOTH = {"sqlite", "postgresql"}


def pace(database: Database, key: str = "key") -> float | None:
    with database.read() as session:
        row = session.get(PaceRow, key)
        return row.next_at if row is not None else None


def test_a_write_is_kept_and_seen(database: Database) -> None:
    with database.write() as session:
        session.add(PaceRow(key="key", next_at=1.5))
    assert pace(database) == 1.5


def test_a_failed_write_leaves_nothing(database: Database) -> None:
    def fail() -> None:
        with database.write() as session:
            session.add(PaceRow(key="key", next_at=1.5))
            session.flush()
            session.execute(text("CREATE TABLE half_done (id integer)"))
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail()
    assert pace(database) is None
    with database.write() as session:
        session.execute(text("CREATE TABLE half_done (id integer)"))
        session.execute(text("DROP TABLE half_done"))


@pytest.mark.parametrize(
    ("value", "refusing"),
    [("\ud800", BOTH), ("a\0b", {"postgresql"}), (10**30, BOTH), (-(10**30), BOTH)],
)
def test_what_no_row_can_hold_is_told_or_not_found(database: Database, value: str | int, refusing: set[str]) -> None:
    """Forms and addresses bring anything; what a database cannot even be asked is no fault of ours to be logged."""

    def ask() -> list[object]:
        column = PaceRow.key if isinstance(value, str) else EventRow.id
        with database.read() as session:
            return list(session.scalars(select(column).where(column == value)))

    if database.dialect in refusing:
        with pytest.raises(UsageError, match="nothing changed"):
            ask()
    else:
        assert ask() == []


@pytest.mark.parametrize("number", [2**70, -(2**70)])
def test_a_number_past_64_bits_is_not_written(database: Database, number: int) -> None:
    with pytest.raises(UsageError, match="nothing changed"), database.write() as session:
        session.execute(insert(EventRow).values(id=number, at=NOW, actor="x", role="admin", action="x", subject="x"))


def test_what_a_row_holds_stands_in_no_error(database: Database) -> None:
    """An error's text goes into the log; a row may hold a hash, or the key of a link."""

    def twice() -> None:
        with database.write() as session:
            for _ in range(2):
                session.execute(insert(PaceRow).values(key="canary", next_at=1.5))

    with pytest.raises(IntegrityError) as caught:
        twice()
    assert "parameters hidden" in str(caught.value)
    assert "canary" not in str(caught.value).replace(str(caught.value.orig), "")


def test_nothing_written_while_reading_is_kept(sqlite_database: Database) -> None:
    with sqlite_database.read() as session:
        session.add(PaceRow(key="key", next_at=1.5))
        session.flush()
    assert pace(sqlite_database) is None


def test_a_read_sees_one_moment(database: Database) -> None:
    with database.write() as session:
        session.add(PaceRow(key="key", next_at=1.0))
    with database.read() as reader:
        assert reader.scalar(text("SELECT next_at FROM pace")) == 1.0
        if database.dialect == "sqlite" and not wal_is_safe(SQLITE.sqlite_version_info):
            return  # without WAL a reader keeps writers waiting
        with database.write() as session:
            session.execute(text("UPDATE pace SET next_at = 2"))
        assert reader.scalar(text("SELECT next_at FROM pace")) == 1.0
    assert pace(database) == 2.0


def test_two_that_read_and_then_write_wait_for_each_other(sqlite_database: Database) -> None:
    """With a plain BEGIN one of them fails at once with "database is locked"."""
    with sqlite_database.write() as session:
        session.add(PaceRow(key="key", next_at=0.0))
    failures: list[BaseException] = []

    def count() -> None:
        try:
            for _ in range(25):
                with sqlite_database.write() as session:
                    row = session.get(PaceRow, "key")
                    assert row is not None
                    row.next_at += 1
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failures == []
    assert pace(sqlite_database) == 100.0


def test_moments_are_aware_and_in_utc(database: Database) -> None:
    local = datetime(2026, 11, 22, 9, 30, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
    with database.write() as session:
        session.add(SlotRow(job="j", slot="s", owner="o", taken_at=local))
    with database.read() as session:
        row = session.get(SlotRow, ("j", "s"))
        assert row is not None
        assert row.taken_at == local
        assert row.taken_at.tzinfo is UTC


def test_a_moment_without_zone_is_refused(database: Database) -> None:
    def store() -> None:
        with database.write() as session:
            session.add(SlotRow(job="j", slot="s", owner="o", taken_at=NOW.replace(tzinfo=None)))

    with pytest.raises(Exception, match="without time zone"):
        store()


def test_references_are_enforced(database: Database) -> None:
    def store() -> None:
        with database.write() as session:
            session.add(EventRow(at=NOW, actor_id=77, actor="x", role="admin", action="a", subject="s"))

    with pytest.raises(IntegrityError):
        store()


def test_sqlite_is_set_up_to_keep_what_it_committed(sqlite_database: Database) -> None:
    with sqlite_database.connection() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("foreign_keys", "busy_timeout", "synchronous", "journal_mode")
        }
    safe = wal_is_safe(SQLITE.sqlite_version_info)
    assert found == {
        "foreign_keys": 1,
        "busy_timeout": 10_000,
        "synchronous": 2,
        "journal_mode": "wal" if safe else "delete",
    }


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 9), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), False),
        ((3, 53, 4), True),
    ],
)
def test_the_versions_with_the_wal_reset_bug_are_known(version: tuple[int, ...], safe: bool) -> None:
    assert wal_is_safe(version) is safe


@pytest.mark.parametrize(
    ("version", "mode", "words"),
    [
        ((3, 53, 4), "WAL", None),
        ((3, 53, 4), "DELETE", "journal_mode=WAL"),
        ((3, 40, 1), "DELETE", "safe"),
        ((3, 40, 1), "WAL", "journal_mode=DELETE"),
    ],
)
def test_advice_names_what_to_do(
    version: tuple[int, ...], mode: str, words: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = connect(sqlite_url(tmp_path / "a.db"))
    upgrade(database)
    with database.engine.connect() as connection:
        connection.connection.driver_connection.execute(f"PRAGMA journal_mode={mode}")  # type: ignore[union-attr]
    monkeypatch.setattr(engine_module, "sqlite_version", lambda: version)
    advice = sqlite_advice(database)
    database.dispose()
    assert advice is None if words is None else words in str(advice)


def test_new_files_are_not_in_wal_mode_on_a_sqlite_with_the_bug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "sqlite_version", lambda: (3, 40, 1))
    database = connect(sqlite_url(tmp_path / "a.db"))
    upgrade(database)
    with database.connection() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "delete"
    database.dispose()


def test_a_live_wal_file_is_never_switched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.db"
    with sqlite3.connect(path) as plain:
        plain.execute("PRAGMA journal_mode=WAL")
    plain.close()
    monkeypatch.setattr(engine_module, "sqlite_version", lambda: (3, 40, 1))
    database = connect(sqlite_url(path))
    upgrade(database)
    with database.connection() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    database.dispose()


@pytest.mark.parametrize("name", ["with space", "100% sure", "q?x=1#frag", "é漢字", "a&b;c'd\"e", "%41+%2F"])
def test_any_path_will_do(name: str, tmp_path: Path) -> None:
    path = tmp_path / name / "monitor.db"
    database = connect(sqlite_url(path))
    assert database.path == path
    upgrade(database)
    with database.write() as session:
        session.add(PaceRow(key="key", next_at=1.0))
    assert pace(connect(database.url)) == 1.0
    database.dispose()
    assert path.is_file()
    assert sorted(each.name for each in tmp_path.iterdir()) == [name]


@pytest.mark.parametrize(
    "url",
    [
        "mysql://x/y",
        "nonsense",
        "",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///a.db?mode=ro",
        "postgresql+asyncpg://h/d",
    ],
)
def test_an_address_that_is_no_database_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        connect(url)


def test_postgres_may_be_spelled_short() -> None:
    database = connect("postgres://someone:se%20cret@localhost/x")
    assert database.dialect == "postgresql"
    assert "se" not in database.name.replace("someone", "")


def use(database: Database) -> None:
    with database.write() as session:
        session.execute(text("SELECT 1 FROM pace"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"This is a text file, and a rather long one at that.\n" * 200, "not a SQLite database"),
        (b"SQLite format 3\0" + b"\xff" * 8000, "SQLite database|damaged"),
    ],
    ids=["text", "noise"],
)
def test_a_file_that_is_no_database_is_told(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "monitor.db"
    path.write_bytes(content)
    database = connect(sqlite_url(path))
    with pytest.raises(DatabaseDamaged, match=words):
        use(database)
    database.dispose()
    assert path.read_bytes() == content


def test_a_missing_file_is_told_and_not_replaced_by_an_empty_one(tmp_path: Path) -> None:
    database = connect(sqlite_url(tmp_path / "monitor.db"))
    with pytest.raises(DatabaseDamaged, match="missing"):
        use(database)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_page_is_told(sqlite_database: Database) -> None:
    path = sqlite_database.path
    assert path is not None
    sqlite_database.dispose()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(DatabaseDamaged, match="damaged"):
        use(sqlite_database)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MonitorError, match="cannot be created"):
        connect(sqlite_url(tmp_path / "file" / "monitor.db")).create()


def test_a_full_disk_is_told_and_nothing_is_stored(sqlite_database: Database) -> None:
    @event.listens_for(sqlite_database.engine, "connect")
    def limit(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count={connection.execute('PRAGMA page_count').fetchone()[0] + 4}")

    def store() -> None:
        with sqlite_database.write() as session:
            session.add(PaceRow(key="key", next_at=1.0))
            session.add_all(SlotRow(job="j" * 1000, slot=str(n), owner="o", taken_at=NOW) for n in range(100))

    sqlite_database.dispose()
    with pytest.raises(DatabaseUnavailable, match="full"):
        store()
    assert pace(sqlite_database) is None


def test_a_database_that_stays_busy_is_told(sqlite_database: Database) -> None:
    @event.listens_for(sqlite_database.engine, "connect")
    def hurry(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA busy_timeout=50")

    sqlite_database.dispose()
    with sqlite_database.write() as session:
        session.execute(text("SELECT 1"))
        with pytest.raises(DatabaseUnavailable, match="busy"):
            use(sqlite_database)


def test_postgres_out_of_reach_is_told_without_the_password(tmp_path: Path) -> None:
    for url in ("postgresql://me:topsecret@127.0.0.1:1/x", f"postgresql://me:topsecret@/x?host={tmp_path}"):
        with pytest.raises(DatabaseUnavailable, match="out of reach") as caught:
            use(connect(url))
        assert "topsecret" not in str(caught.value)


def test_a_database_that_postgres_lacks_is_told(postgres_database: Database) -> None:
    with pytest.raises(DatabaseUnavailable, match="does not exist"):
        use(connect(postgres_database.url.replace("/test_", "/no_test_")))


def test_waiting_for_postgres_ends(postgres_database: Database) -> None:
    def wait(setting: str, statement: str) -> None:
        with postgres_database.write() as session:
            session.execute(text(f"SET LOCAL {setting} = '50ms'"))
            session.execute(text(statement))

    with pytest.raises(DatabaseUnavailable, match="too long"):
        wait("statement_timeout", "SELECT pg_sleep(5)")
    with postgres_database.write() as session:
        session.execute(text("LOCK TABLE pace"))
        with pytest.raises(DatabaseUnavailable, match="lock"):
            wait("lock_timeout", "LOCK TABLE pace")


def test_a_dropped_connection_is_told_and_the_next_one_works(postgres_database: Database) -> None:
    def cut() -> None:
        with postgres_database.write() as session:
            own = session.scalar(text("SELECT pg_backend_pid()"))
            with postgres_database.write() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": own})
            session.execute(text("SELECT 1"))

    with pytest.raises(DatabaseUnavailable, match="out of reach"):
        cut()
    use(postgres_database)


def test_postgres_has_limits_on_every_wait(postgres_database: Database) -> None:
    with postgres_database.read() as session:
        for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            assert session.scalar(text(f"SHOW {name}")) != "0"
        assert session.scalar(text("SHOW transaction_isolation")) == "repeatable read"
        assert session.scalar(text("SHOW transaction_read_only")) == "on"


def test_tests_cannot_leave_this_machine() -> None:
    import socket

    with pytest.raises(LeftTheMachine):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(LeftTheMachine):
        socket.getaddrinfo("pubmed.ncbi.nlm.nih.gov", 443)
    with socket.socket() as probe, pytest.raises(LeftTheMachine):
        probe.connect(("192.0.2.1", 80))
