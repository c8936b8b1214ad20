"""The command line as a fixture; a module that needs another home or PubMed has a `template` or `server` of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.pubmed.sandbox import Sandbox
from tests.acceptance.cli_world import Cli, corpus, logging_kept, new_home


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    with Sandbox(corpus(), rate_limit=None) as found:
        yield found


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home to be copied for each test."""
    return new_home(tmp_path_factory.mktemp("template") / "home")


@pytest.fixture
def terminal(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Cli]:
    """The command line before there is a home, and without PubMed."""
    monkeypatch.chdir(tmp_path)
    with logging_kept():
        yield Cli(tmp_path / "home", capfd, monkeypatch, {"MONITOR_TIMEZONE": "UTC"})


@pytest.fixture
def cli(terminal: Cli, template: Path, server: Sandbox) -> Cli:
    """The command line in a home of its own, with PubMed."""
    server.faults.clear()
    server.unknown_phrases = []
    shutil.copytree(template, terminal.home)
    terminal.settings |= {"MONITOR_EUTILS_URL": server.url, "MONITOR_NCBI_API_KEY": "invented"}
    return terminal
