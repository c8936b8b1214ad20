"""Migrations equal the tables, refuse what is not theirs, and are old or new, never between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, inspect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex

from monitor.errors import DatabaseBehind, DatabaseDamaged
from monitor.storage import fulltext, migrations
from monitor.storage.engine import Database, connect
from monitor.storage.migrations import check, current, head, include_object, upgrade
from monitor.storage.tables import Base

ROOT = Path(__file__).resolve().parents[2]


def test_every_migration_is_named_after_its_revision() -> None:
    """How far a database is gets asked without Alembic, by the names of the files alone."""
    script = ScriptDirectory.from_config(migrations._config())
    chain = [each.revision for each in script.walk_revisions()][::-1]
    assert migrations._revisions() == chain
    assert head() == script.get_current_head()


def test_a_database_with_two_marks_is_not_ours(database: Database) -> None:
    with database.connection(write=True) as connection:
        connection.execute(text("INSERT INTO alembic_version (version_num) VALUES ('0000x')"))
    try:
        with pytest.raises(DatabaseDamaged, match="0000x, 0001, which this version does not know"):
            check(database)
    finally:  # later tests get the same schema
        with database.connection(write=True) as connection:
            connection.execute(text("DELETE FROM alembic_version WHERE version_num = '0000x'"))


def test_migrations_equal_the_tables(database: Database) -> None:
    with database.connection() as connection, warnings.catch_warnings():
        # SQLite cannot reflect indexes over expressions; the test below holds them.
        warnings.filterwarnings("ignore", message=".*expression-based index.*")
        context = MigrationContext.configure(
            connection, opts={"include_object": include_object, "compare_type": True, "target_metadata": Base.metadata}
        )
        assert compare_metadata(context, Base.metadata) == []


def plain(definition: str) -> str:
    for noise in ("public.", "USING btree", "::text", "::character varying", '"', "(", ")", ","):
        definition = definition.replace(noise, " ")
    return " ".join(definition.lower().split())


def test_every_index_is_made_as_the_tables_name_it(database: Database) -> None:
    dialect = sqlite.dialect() if database.dialect == "sqlite" else postgresql.dialect()
    wanted = {
        str(index.name): plain(str(CreateIndex(index).compile(dialect=dialect)))
        for table in Base.metadata.tables.values()
        for index in table.indexes
    }
    query = (
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
        if database.dialect == "sqlite"
        else "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    )
    with database.read() as session:
        made = {name: plain(sql) for name, sql in session.execute(text(query))}
    made = {name: sql for name, sql in made.items() if name in wanted}
    if database.dialect == "postgresql":
        assert set(made) == set(wanted)
        assert {n for n in made if " where " in made[n]} == {n for n in wanted if " where " in wanted[n]}
        assert {n for n in made if "coalesce" in made[n]} == {n for n in wanted if "coalesce" in wanted[n]}
    else:
        assert made == wanted


def test_every_check_constraint_is_made(database: Database) -> None:
    with database.connection() as connection:
        inspector = inspect(connection)
        for table in Base.metadata.sorted_tables:
            wanted = {str(each.name) for each in table.constraints if isinstance(each, CheckConstraint)}
            assert {each["name"] for each in inspector.get_check_constraints(table.name)} == wanted


def test_a_second_upgrade_changes_nothing(database: Database) -> None:
    upgrade(database)
    assert current(database) == head()
    check(database)


def test_the_search_index_stands_and_is_left_alone(sqlite_database: Database) -> None:
    with sqlite_database.read() as session:
        columns = [row[1] for row in session.execute(text("PRAGMA table_info(citation_fts)"))]
        assert tuple(columns) == fulltext.COLUMNS


def test_an_empty_database_is_behind(bare_database: Database) -> None:
    assert current(bare_database) is None
    with pytest.raises(DatabaseBehind, match="monitor init"):
        check(bare_database)
    if bare_database.path is not None:
        assert not bare_database.path.exists()
    upgrade(bare_database)
    check(bare_database)


def test_tables_of_someone_else_are_left_alone(bare_database: Database) -> None:
    bare_database.create()
    with bare_database.write() as session:
        session.execute(text("CREATE TABLE recipes (id integer)"))
    for act in (upgrade, check, current):
        with pytest.raises(DatabaseDamaged, match="something else \\(recipes\\)"):
            act(bare_database)
    with bare_database.connection() as connection:
        assert inspect(connection).get_table_names() == ["recipes"]


def test_a_database_of_a_newer_version_is_left_alone(database: Database) -> None:
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        for act in (upgrade, check, current):
            with pytest.raises(DatabaseDamaged, match="newer version"):
                act(database)
    finally:
        with database.write() as session:
            session.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": head()})


def test_a_failed_migration_leaves_the_database_as_it_was(
    bare_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last statement fails: not one table stays, on SQLite either."""
    search = fulltext.TABLE if bare_database.dialect == "sqlite" else "ix_citation_index_search"
    bare_database.create()
    with bare_database.write() as session:
        # Something of that name makes the last step fail; a view is nobody's table.
        made = "VIEW" if bare_database.dialect == "sqlite" else "SEQUENCE"
        session.execute(text(f"CREATE {made} {search} {'AS SELECT 1' if made == 'VIEW' else ''}"))
    with pytest.raises(Exception, match="already exists|already another"):
        upgrade(bare_database)
    with bare_database.connection() as connection:
        assert inspect(connection).get_table_names() == []


KILLED = """
import os, sys
from sqlalchemy import event
from monitor.storage.engine import connect
from monitor.storage.migrations import upgrade
database = connect(sys.argv[1])
left = int(sys.argv[2])
@event.listens_for(database.engine, "after_cursor_execute")
def count(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), 9)
upgrade(database)
"""


@pytest.mark.parametrize("statements", [3, 30, 55])
def test_a_killed_migration_is_old_or_new(bare_database: Database, statements: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, bare_database.url, str(statements)], check=False, cwd=ROOT, timeout=60
    )
    assert done.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 10
    while current(bare_database) is not None and time.monotonic() < deadline:
        time.sleep(0.05)  # PostgreSQL may need a moment to see that its client is gone
    assert current(bare_database) is None
    with bare_database.connection() as connection:
        assert inspect(connection).get_table_names() == []
    upgrade(bare_database)
    check(bare_database)


def test_two_processes_may_upgrade_at_once(bare_database: Database) -> None:
    code = (
        "import sys; from monitor.storage.engine import connect; from monitor.storage.migrations import upgrade;"
        "upgrade(connect(sys.argv[1]))"
    )
    processes = [subprocess.Popen([sys.executable, "-c", code, bare_database.url], cwd=ROOT) for _ in range(3)]
    assert [each.wait(60) for each in processes] == [0, 0, 0]
    check(bare_database)


def test_a_migration_is_found_under_any_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = tmp_path / "100% odd é" / "db"
    odd.parent.mkdir()
    odd.symlink_to(ROOT / "db")
    monkeypatch.setattr(migrations, "resource_dir", lambda _: odd)
    assert head() == "0001"


def test_alembic_from_a_checkout_uses_the_settings(tmp_path: Path) -> None:
    """`alembic upgrade head` as a developer types it, without any ini file."""
    environment = {**os.environ, "MONITOR_HOME": str(tmp_path), "MONITOR_DATABASE_URL": f"sqlite:///{tmp_path}/a.db"}
    (tmp_path / "a.db").touch()
    command = [sys.executable, "-m", "alembic", "upgrade", "head"]
    done = subprocess.run(command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    check(connect(f"sqlite:///{tmp_path}/a.db"))
