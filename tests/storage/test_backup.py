"""Backups: every row of either database into either database, whole or not at all."""

from __future__ import annotations

import json
import re
import threading
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, Boolean, CheckConstraint, Date, Float, Integer, LargeBinary, Table, insert, select, text

from monitor.core.citation import Correction
from monitor.errors import DatabaseBehind, DatabaseDamaged, MonitorError, UsageError
from monitor.services.backup import backup, restore
from monitor.storage import archive, codec, indexing, migrations, soundness
from monitor.storage.citations import everything, keep
from monitor.storage.engine import Database, connect, sqlite_url
from monitor.storage.tables import Base, HeartbeatRow, PaceRow, PersonRow, UtcDateTime
from tests.factories import FIRST_PMID, citation

KEPT = [each for each in Base.metadata.sorted_tables if each.name not in ("citation_index", "index_state")]
NOW = datetime(2026, 11, 22, 9, 30, 0, 123456, tzinfo=UTC)


def invented(table: Table, name: str, at: int) -> Any:
    """A value for row `at` of a column that breaks no constraint; every nullable column is NULL once."""
    column = table.c[name]
    if table.name == "citation" and name in ("codec", "doc"):  # what the index is made of when it comes back
        return codec.CURRENT if name == "codec" else codec.pack(codec.encode(citation(at + 1)))
    for constraint in table.constraints:
        if isinstance(constraint, CheckConstraint) and re.match(rf"\(?{name} (IN|BETWEEN)", str(constraint.sqltext)):
            allowed = re.findall(r"'([^']*)'", str(constraint.sqltext))
            return allowed[at % len(allowed)] if allowed else at
    for key in column.foreign_keys:
        if at == 1 and column.nullable:
            return None
        return invented(key.column.table, key.column.name, at)
    if column.nullable and at == 1:
        return None
    kind = column.type
    if isinstance(kind, UtcDateTime):
        return NOW + timedelta(days=at, microseconds=at)
    if isinstance(kind, Date):
        return date(2026, 1, 1 + at)
    if isinstance(kind, JSON):
        return [{"é\n": [1, None, "漢", 1.5, True]}, [], ["a"], "text"][at % 4]
    if isinstance(kind, Boolean):
        return at % 2 == 0
    if isinstance(kind, LargeBinary):
        return bytes(range(256)) + bytes([at])
    if isinstance(kind, Integer):
        return at + 1
    if isinstance(kind, Float):
        return 0.1 * at + 1e17
    return f"{table.name}.{name} {at} é漢\u2028\t\r\n\"'\\"


def fill(database: Database) -> None:
    """Put four rows into every table there is; the search index is made from them."""
    with database.connection(write=True) as connection:
        for table in KEPT:
            connection.execute(
                insert(table), [{c.name: invented(table, c.name, at) for c in table.columns} for at in range(4)]
            )
        if database.dialect == "postgresql":
            archive._move_sequences(connection)
    with database.write() as session:
        indexing.fill(session)


def contents(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    with database.read() as session:
        return {
            table.name: [tuple(row) for row in session.execute(select(table).order_by(*table.primary_key.columns))]
            for table in (*KEPT, Base.metadata.tables["citation_index"])
        }


def fresh(request: pytest.FixtureRequest, kind: str) -> Database:
    found: Database = request.getfixturevalue(f"bare_{kind}")
    return found


@pytest.mark.parametrize("target", ["sqlite", "postgres"])
def test_every_row_of_every_table_comes_back(
    database: Database, target: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    fill(database)
    path = tmp_path / "backups" / "a b %41 é.zip"
    manifest = backup(database, path, NOW)
    assert manifest.rows == 4 * len(KEPT)
    into = fresh(request, target)
    assert restore(into, path).rows == manifest.rows
    assert contents(into) == contents(database)
    migrations.check(into)
    with into.write() as session:
        assert soundness.problems(session) == []
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_numbering_goes_on_after_a_restore(
    database: Database, bare_postgres: Database, bare_sqlite: Database, tmp_path: Path
) -> None:
    fill(database)
    backup(database, tmp_path / "backup", NOW)
    for into in (bare_postgres, bare_sqlite):
        restore(into, tmp_path / "backup")
        with into.write() as session:
            row = PersonRow(address="x", address_key="x", name="X", role="member", language="en", created_at=NOW)
            session.add(row)
            session.flush()
            assert row.id == 5


def test_a_restored_library_is_searchable_and_readable(
    database: Database, bare_sqlite: Database, tmp_path: Path
) -> None:
    with database.write() as session:
        keep(session, [citation(FIRST_PMID + n) for n in range(30)], NOW)
    backup(database, tmp_path / "backup", NOW)
    restore(bare_sqlite, tmp_path / "backup")
    with bare_sqlite.write() as session:
        assert len(list(everything(session))) == 30
        found = session.scalar(text("SELECT count(*) FROM citation_fts WHERE citation_fts MATCH 'title: killer'"))
        assert found == 30


def test_an_empty_installation_can_be_backed_up_and_restored_into_a_new_schema(
    database: Database, bare_database: Database, tmp_path: Path
) -> None:
    assert backup(database, tmp_path / "backup", NOW).rows == 0
    migrations.upgrade(bare_database)
    restore(bare_database, tmp_path / "backup")
    assert contents(bare_database) == contents(database)


def test_a_database_that_holds_anything_is_not_restored_into(database: Database, tmp_path: Path) -> None:
    fill(database)
    backup(database, tmp_path / "backup", NOW)
    before = contents(database)
    with pytest.raises(UsageError, match="not empty"):
        restore(database, tmp_path / "backup")
    assert contents(database) == before


def test_a_database_behind_the_code_is_not_backed_up(bare_database: Database, tmp_path: Path) -> None:
    with pytest.raises(DatabaseBehind):
        backup(bare_database, tmp_path / "backup", NOW)
    assert not (tmp_path / "backup").exists()


def damage(how: str, path: Path) -> None:
    content = bytearray(path.read_bytes())
    if how == "cut":
        del content[len(content) // 2 :]
    elif how == "empty":
        content.clear()
    elif how == "something else":
        content[:] = b"PK nothing of ours" * 100
    elif how == "a byte in the rows":
        at = content.index(b"person.jsonl.zst") + 60
        content[at] ^= 0x55
    path.write_bytes(bytes(content))


def rewrite(path: Path, change: Callable[[str, bytes], bytes | None]) -> None:
    """Write the archive anew with entries changed or, for None, left out."""
    with zipfile.ZipFile(path) as old:
        entries = {name: change(name, old.read(name)) for name in old.namelist()}
    with zipfile.ZipFile(path, "w") as new:
        for name, content in entries.items():
            if content is not None:
                new.writestr(name, content)


def with_manifest(path: Path, **changes: object) -> None:
    def change(name: str, content: bytes) -> bytes:
        return json.dumps({**json.loads(content), **changes}).encode() if name == "manifest.json" else content

    rewrite(path, change)


@pytest.mark.parametrize("how", ["cut", "empty", "something else", "a byte in the rows"])
def test_a_damaged_archive_restores_nothing(
    how: str, sqlite_database: Database, bare_database: Database, tmp_path: Path
) -> None:
    fill(sqlite_database)
    path = tmp_path / "backup"
    backup(sqlite_database, path, NOW)
    damage(how, path)
    with pytest.raises(UsageError, match="nothing was restored"):
        restore(bare_database, path)
    assert migrations.current(bare_database) is None


def test_no_flipped_byte_goes_unnoticed(sqlite_database: Database, tmp_path: Path) -> None:
    fill(sqlite_database)
    path = tmp_path / "backup"
    backup(sqlite_database, path, NOW)
    before = archive.verify(path)
    sound = path.read_bytes()
    unnoticed = 0
    for at in range(0, len(sound), 61):
        flipped = bytearray(sound)
        flipped[at] ^= 1 << (at % 8)
        path.write_bytes(flipped)
        try:
            # A byte that means nothing, such as a file time in the zip, may pass; what is read is the same.
            assert archive.verify(path) == before
            unnoticed += 1
        except UsageError:
            continue
    assert unnoticed < len(sound) / 61 / 2


@pytest.mark.parametrize(
    ("changes", "why"),
    [({"schema": "9999"}, "newer"), ({"format": 2}, "format 2"), ({"tables": "none"}, "damaged")],
)
def test_an_archive_of_another_version_is_refused(
    changes: dict[str, object], why: str, sqlite_database: Database, bare_database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "backup"
    backup(sqlite_database, path, NOW)
    with_manifest(path, **changes)
    with pytest.raises(UsageError, match=why):
        restore(bare_database, path)
    assert migrations.current(bare_database) is None


def test_table_names_in_an_archive_are_names(
    sqlite_database: Database, bare_database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "backup"
    backup(sqlite_database, path, NOW)
    evil = {"name": 'x"; DROP TABLE person; --', "columns": [], "rows": 0, "checksum": ""}
    with_manifest(path, tables=[evil])
    with pytest.raises(UsageError, match="no name of a table"):
        restore(bare_database, path)


def test_rows_that_break_a_constraint_leave_nothing_behind(
    sqlite_database: Database, bare_database: Database, tmp_path: Path
) -> None:
    """The last of many tables fails: what came in before it goes again."""
    fill(sqlite_database)
    path = tmp_path / "backup"
    manifest = backup(sqlite_database, path, NOW)
    kept = [json.loads(archive.msgspec.json.encode(each)) for each in manifest.tables if each.name != "person"]
    with_manifest(path, tables=kept)
    with pytest.raises(UsageError, match="do not fit"):
        restore(bare_database, path)
    assert migrations.current(bare_database) is None
    if bare_database.path is not None:
        assert not bare_database.path.exists()


def test_texts_too_long_for_an_index_entry_go_from_one_database_to_the_other(
    sqlite_database: Database, bare_postgres: Database, tmp_path: Path
) -> None:
    long = "".join(chr(0x4E00 + at * 7919 % 20_000) for at in range(4_000))
    odd = citation(doi=f"10.99999/{long}", corrections=(Correction("ErratumIn", long),))
    with sqlite_database.write() as session:
        keep(session, [odd], NOW)
    backup(sqlite_database, tmp_path / "backup", NOW)
    restore(bare_postgres, tmp_path / "backup")
    with bare_postgres.read() as session:
        assert list(everything(session)) == [odd]


def test_a_sound_backup_that_a_database_cannot_take_is_not_called_damaged(
    sqlite_database: Database, bare_postgres: Database, tmp_path: Path
) -> None:
    """SQLite keeps NUL in a text, PostgreSQL cannot."""
    with sqlite_database.write() as session:
        session.add(HeartbeatRow(name="worker\0", at=NOW, details={}))
    backup(sqlite_database, tmp_path / "backup", NOW)
    with pytest.raises(UsageError, match="does not take the rows of .*the backup is whole") as told:
        restore(bare_postgres, tmp_path / "backup")
    assert "damaged" not in str(told.value)
    assert migrations.current(bare_postgres) is None


def test_a_missing_archive_is_named(bare_sqlite: Database, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such backup"):
        restore(bare_sqlite, tmp_path / "nowhere")
    with pytest.raises(UsageError, match="nothing was restored"):
        restore(bare_sqlite, tmp_path)


def test_a_damaged_database_does_not_replace_a_good_backup(sqlite_database: Database, tmp_path: Path) -> None:
    with sqlite_database.write() as session:
        keep(session, [citation(FIRST_PMID + n) for n in range(200)], NOW)
    path = tmp_path / "backup"
    backup(sqlite_database, path, NOW)
    good = path.read_bytes()
    sqlite_database.dispose()
    assert sqlite_database.path is not None
    with sqlite_database.path.open("r+b") as file:
        size = file.seek(0, 2)
        for at in range(size // 3, size, 8192):
            file.seek(at)
            file.write(b"\xff" * 512)
    with pytest.raises(DatabaseDamaged, match="damaged"):
        backup(connect(sqlite_database.url), path, NOW)
    assert path.read_bytes() == good
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


def test_a_folder_that_may_not_be_written_is_told(sqlite_database: Database, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MonitorError, match="cannot be written"):
        backup(sqlite_database, tmp_path / "file" / "backup", NOW)


def test_a_backup_under_write_load_is_one_moment(database: Database, tmp_path: Path) -> None:
    """Two rows always change together; no backup may see one without the other."""
    stop = threading.Event()
    failures: list[BaseException] = []

    def write() -> None:
        count = 0
        try:
            while not stop.is_set():
                count += 1
                with database.write() as session:
                    session.merge(PaceRow(key="one", next_at=float(count)))
                    session.flush()
                    session.merge(HeartbeatRow(name="two", at=NOW, details={"count": count}))
                    keep(session, [citation(FIRST_PMID + count)], NOW)
        except BaseException as error:
            failures.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        counts = []
        for number in range(5):
            path = tmp_path / f"backup{number}"
            backup(database, path, NOW)
            into = connect(sqlite_url(tmp_path / f"into{number}.db"))
            restore(into, path)
            with into.read() as session:
                pace, beat = session.get(PaceRow, "one"), session.get(HeartbeatRow, "two")
                count = int(pace.next_at) if pace else 0
                assert count == (beat.details["count"] if beat else 0)
                assert len(list(everything(session))) == count
                counts.append(count)
            into.dispose()
    finally:
        stop.set()
        writer.join()
    assert failures == []
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]
