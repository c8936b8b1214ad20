"""The command line as a user meets it: within this process for speed, as a process of its own where that matters."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from monitor.build import build
from monitor.cli import commands
from monitor.cli.frame import run
from monitor.pubmed.sandbox import Corpus, Sandbox
from monitor.settings import load, with_secret_key
from tests.unit.sandbox.records import record

FIRST = 90_000_001
CANARIES = {
    "MONITOR_NCBI_API_KEY": "canary0api0key",
    "MONITOR_SECRET_KEY": "canary0secret0key0of0thirty0two",
}
MAIL_PASSWORD, DATABASE_PASSWORD = "canary0mail0password", "canary0database0password"
ALL_CANARIES = (*CANARIES.values(), MAIL_PASSWORD, DATABASE_PASSWORD)


def corpus(number: int = 4) -> Corpus:
    """Invented papers that PubMed got today: two for CAR-NK, the others for CIK."""
    today = datetime.now(UTC) - timedelta(hours=1)
    titles = ["CAR-NK cells of invented donors", "Invented CAR-NK cells and nothing else"]
    titles += [f"Cytokine-induced killer cells, invented part {part}" for part in range(number - 2)]
    return Corpus.of(
        *(
            record(FIRST + place, title, crdt=f"{today:%Y/%m/%d %H:%M}", revised=f"{today:%Y/%m/%d}", year="2026")
            for place, title in enumerate(titles)
        )
    )


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def everything(self) -> str:
        return self.out + self.err


@dataclass
class Cli:
    """`cli("poll", "--json")`: one command in one home."""

    home: Path
    capture: pytest.CaptureFixture[str]
    environ: pytest.MonkeyPatch
    settings: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: object, stdin: bytes | None = None) -> Said:
        self.capture.readouterr()
        with self.environ.context() as patch:
            for name in [name for name in os.environ if name.startswith("MONITOR_")]:
                patch.delenv(name)
            for name, value in self.settings.items():
                patch.setenv(name, value)
            if stdin is not None:
                path = self.home.parent / "stdin"
                path.write_bytes(stdin)
                patch.setattr(sys, "stdin", path.open(encoding="utf-8", errors="replace"))
            words = ["--home", str(self.home), *map(str, arguments)]
            try:
                code = run(lambda: commands.app(words, prog_name="monitor", standalone_mode=False))
            finally:
                if stdin is not None:
                    sys.stdin.close()
        said = self.capture.readouterr()
        return Said(code, said.out, said.err)


def new_home(folder: Path) -> Path:
    """Return a home as `monitor init` leaves it, to be copied: quicker than making one for every test."""
    with build(with_secret_key(load(environ={}, home=folder)), create=True):
        return folder


@contextlib.contextmanager
def logging_kept() -> Iterator[None]:
    """Commands set up logging for their process; tests share one."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()


@contextlib.contextmanager
def process(home: Path, *arguments: str, **settings: str) -> Iterator[Running]:
    """Run a command as a process of its own, killed at the end if it still lives."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MONITOR_")} | settings
    stderr = (home.parent / "stderr").open("w")
    started = subprocess.Popen(
        [sys.executable, "-m", "monitor", "--home", str(home), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        env=environ,
        cwd=home.parent,
    )
    running = Running(started, home.parent / "stderr")
    try:
        yield running
    finally:
        if started.poll() is None:
            started.kill()
        started.wait()
        stderr.close()
        assert started.stdout is not None
        started.stdout.close()


@dataclass
class Running:
    process: subprocess.Popen[str]
    stderr: Path

    @property
    def said(self) -> str:
        return self.stderr.read_text(encoding="utf-8")

    def until(self, pattern: str, seconds: float = 30) -> re.Match[str]:
        """Wait for words on standard error; a process that ends without them fails the test."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if found := re.search(pattern, self.said):
                return found
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        if found := re.search(pattern, self.said):
            return found
        raise AssertionError(f"{pattern!r} was not said (exit {self.process.poll()}):\n{self.said}")

    def stop(self, number: signal.Signals, seconds: float = 30) -> int:
        self.process.send_signal(number)
        return self.process.wait(seconds)


__all__ = [
    "ALL_CANARIES",
    "CANARIES",
    "FIRST",
    "Cli",
    "Running",
    "Said",
    "Sandbox",
    "corpus",
    "logging_kept",
    "new_home",
    "process",
]
