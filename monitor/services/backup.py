"""One portable archive of a whole installation's database, for either database, and the way back."""

from __future__ import annotations

import os
import tempfile
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from monitor import __version__
from monitor.errors import DatabaseDamaged, MonitorError, UsageError
from monitor.storage import archive, indexing, migrations, soundness
from monitor.storage.archive import Manifest
from monitor.storage.engine import Database


def backup(database: Database, path: Path, now: datetime) -> Manifest:
    """Write every row of one moment to `path` while others go on writing.

    The archive is written under another name, read back whole, forced to disk and only then given its name: what
    stood there before is replaced by a complete backup or not at all.
    """
    migrations.check(database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as folder:
            unfinished = Path(folder) / "backup"
            with archive.snapshot(database, Path(folder)) as session:
                problems = soundness.file_problems(session)
                if problems:
                    raise DatabaseDamaged(f"{database.name}: not backed up: {'; '.join(problems)}")
                with unfinished.open("wb") as file:
                    manifest = archive.write(
                        session,
                        file,
                        schema=migrations.head(),
                        made_by=f"evidence-monitor {__version__}",
                        made_at=now,
                    )
                    file.flush()
                    os.fsync(file.fileno())
            archive.verify(unfinished)
            unfinished.chmod(0o600)
            unfinished.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise MonitorError(f"{path}: the backup cannot be written: {error}") from error
    return manifest


def restore(database: Database, path: Path) -> Manifest:
    """Put a backup into an empty or new database, whole or not at all, and bring it to this version's schema.

    Raises UsageError, with nothing changed, for a damaged archive, one of a newer version, and a database that
    already holds anything.
    """
    manifest = archive.verify(path)
    if not migrations.knows(manifest.schema):
        raise UsageError(
            f"{path}: made by {manifest.made_by}, whose schema {manifest.schema} is newer than this version's "
            f"{migrations.head()}; upgrade evidence-monitor first"
        )
    made = database.path is not None and not database.path.exists()
    database.create()
    try:
        with migrations.changing(database) as connection:
            found = migrations.revision(database, connection)
            if found is not None and (found != manifest.schema or not archive.is_empty(connection)):
                raise UsageError(f"{database.name}: this database is not empty; name a new one to restore into")
            migrations.step(connection, manifest.schema)
            archive.put_back(connection, path)
            migrations.step(connection, "head")
            with Session(connection) as session:
                indexing.fill(session)
                session.commit()
    except BaseException:
        if made and database.path is not None:
            database.dispose()
            for suffix in ("", "-wal", "-shm", "-journal"):
                Path(f"{database.path}{suffix}").unlink(missing_ok=True)
        raise
    return manifest


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
