"""The search index knows who wrote it, is written anew when it must be, and is checked against the documents."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from monitor.core.citation import InlineXml
from monitor.errors import DatabaseBehind, DatabaseDamaged
from monitor.services.setup import Setup
from monitor.storage import fulltext, indexing, migrations, soundness
from monitor.storage.citations import keep
from monitor.storage.engine import Database
from tests.factories import FIRST_PMID, citation
from tests.storage.test_fulltext import found, sound

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
MANY = 600


class Still:
    def now(self) -> datetime:
        return NOW


def fill(database: Database, count: int = 3) -> None:
    with database.write() as session:
        keep(session, [citation(FIRST_PMID + n) for n in range(count)], NOW)


def mark(database: Database, version: str) -> None:
    with database.write() as session:
        session.execute(text("UPDATE index_state SET version = :version"), {"version": version})


def test_an_index_of_other_code_or_tree_must_be_written_anew(database: Database) -> None:
    fill(database)
    mark(database, "0-0123456789abcdef")
    with pytest.raises(DatabaseBehind, match="run `monitor init`"):
        migrations.check(database)
    with database.write() as session, pytest.raises(DatabaseBehind, match="another version"):
        keep(session, [citation(FIRST_PMID + 9)], NOW)
    with database.write() as session:
        assert "run `monitor init`" in soundness.problems(session)[0]
    shown: list[tuple[int, int]] = []
    report = Setup(database, Still()).run(lambda done, total: shown.append((done, total)))
    assert report.indexed == indexing.Renewal(3, ())
    assert shown[-1] == (3, 3)
    migrations.check(database)
    sound(database)
    assert len(found(database, "title", "killer cells")) == 3


def test_an_index_that_is_current_is_left_alone(database: Database) -> None:
    fill(database)
    assert indexing.renew(database) is None
    assert indexing.renew(database, always=True) == indexing.Renewal(3, ())
    sound(database)


def test_an_empty_library_is_never_behind(database: Database) -> None:
    with database.write() as session:
        session.execute(text("DELETE FROM index_state"))
    migrations.check(database)
    fill(database)
    with database.read() as session:
        assert indexing.found(session) == indexing.wanted()
    migrations.check(database)


def test_a_lost_word_row_or_line_is_noticed_and_written_anew(database: Database) -> None:
    fill(database)
    ways = [
        "DELETE FROM citation_index WHERE pmid = :pmid",
        "UPDATE citation_index SET facets = 'y1066' WHERE pmid = :pmid",
    ]
    if database.dialect == "sqlite":
        words = f"'delete', {fulltext.MIRROR} - :pmid, 'invented natural killer cells carry an invented receptor', '', '', '', ''"
        ways.append(f"INSERT INTO citation_fts(citation_fts, rowid, title, body, terms, rest, facets) VALUES ({words})")
        ways.append("UPDATE citation_fts_data SET block = zeroblob(40) WHERE id > 100")
    else:
        ways.append("UPDATE citation_index SET search = '''tinvented'''::tsvector WHERE pmid = :pmid")
    for way in ways:
        with database.write() as session:
            session.execute(text(way.replace("::", "\\:\\:")), {"pmid": FIRST_PMID + 1} if ":pmid" in way else {})
        with database.write() as session, pytest.raises(DatabaseDamaged, match="monitor init --index"):
            indexing.check(session)
        assert indexing.renew(database, always=True) == indexing.Renewal(3, ())
        sound(database)


def test_a_damaged_record_costs_only_itself(database: Database) -> None:
    fill(database)
    with database.write() as session:
        session.execute(
            text("UPDATE citation SET doc = :doc WHERE pmid = :pmid"), {"doc": b"?", "pmid": FIRST_PMID + 1}
        )
    assert indexing.renew(database, always=True) == indexing.Renewal(3, (FIRST_PMID + 1,))
    assert found(database, "title", "killer cells") == [FIRST_PMID + 2, FIRST_PMID]
    with (
        database.write() as session,
        pytest.raises(DatabaseDamaged, match=f"PMID {FIRST_PMID + 1}.*restore a backup, or"),
    ):
        indexing.check(session)


def test_damaged_records_are_counted_and_named(database: Database) -> None:
    fill(database, MANY)
    with database.write() as session:
        session.execute(text("UPDATE citation SET doc = :doc WHERE pmid % 2 = 0"), {"doc": b"?"})
    damaged = [pmid for pmid in range(FIRST_PMID, FIRST_PMID + MANY) if pmid % 2 == 0]
    some = ", ".join(map(str, damaged[:10]))
    said = f"record of {len(damaged):,} papers cannot be read (PMID {some}, …): restore a backup, or"
    for again, advice in ((False, "run `monitor init --index`, and PubMed"), (True, "PubMed")):
        if again:
            indexing.renew(database, always=True)
        with database.write() as session:
            (problem,) = soundness.problems(session)
        assert f"{said} {advice}" in problem


def test_who_begins_later_takes_over(database: Database) -> None:
    fill(database, MANY)
    begun: list[int] = []

    def meanwhile(done: int, total: int) -> None:
        if not begun:
            begun.append(done)
            indexing.renew(database, always=True)

    with pytest.raises(DatabaseBehind, match="another `monitor init`"):
        indexing.renew(database, meanwhile, always=True)
    assert 0 < begun[0] < MANY
    migrations.check(database)
    sound(database)


KILLED = """
import os, sys
from monitor.storage import indexing
from monitor.storage.engine import connect
def die(done, total):
    if done >= int(sys.argv[2]):
        os.kill(os.getpid(), 9)
indexing.renew(connect(sys.argv[1]), die, always=True)
"""


def test_killed_at_work_it_begins_anew(database: Database) -> None:
    fill(database, MANY)
    done = subprocess.run([sys.executable, "-c", KILLED, database.url, "500"], check=False, cwd=ROOT, timeout=60)
    assert done.returncode == -signal.SIGKILL
    with pytest.raises(DatabaseBehind, match="not finished"):
        migrations.check(database)
    with database.write() as session, pytest.raises(DatabaseBehind, match="not finished"):
        keep(session, [citation(title=InlineXml("Came too early."))], NOW)
    assert indexing.renew(database) == indexing.Renewal(MANY, ())
    migrations.check(database)
    sound(database)
    assert len(found(database, "title", "killer cells")) == MANY


def test_the_index_can_be_emptied(database: Database) -> None:
    fill(database)
    with database.write() as session:
        fulltext.clear(session)
        assert fulltext.count(session) == 0
    assert found(database, "title", "killer cells") == []


def test_an_index_of_many_parts_is_merged_and_finds_the_same(database: Database) -> None:
    pmids = list(range(FIRST_PMID, FIRST_PMID + 12))
    for pmid in pmids:
        with database.write() as session:
            keep(session, [citation(pmid, title=InlineXml("killer cells"))], NOW)
    many = 12 if database.dialect == "sqlite" else 1
    with database.read() as session:
        assert fulltext.parts(session) == many
    assert indexing.tidy(database, lambda: True) is (many > 1)  # told to stop before it began
    with database.read() as session:
        assert fulltext.parts(session) == many
    assert indexing.tidy(database) is (many > 1)
    with database.read() as session:
        assert fulltext.parts(session) == 1
    sound(database)
    assert found(database, "title", "killer cells") == pmids[::-1]
    assert indexing.tidy(database) is False
