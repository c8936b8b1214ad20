"""The wheel as a user gets it: one top-level name, templates and migrations inside, working far from a checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site with spaces %")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def run(installed: Path, elsewhere: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MONITOR_")}
    environment["PYTHONPATH"] = str(installed)
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=elsewhere,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_wheel_has_one_top_level_name(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name.split("/")[0] for name in archive.namelist()}
        files = set(archive.namelist())
    assert {name for name in names if not name.endswith(".dist-info")} == {"monitor"}
    assert any(name.startswith("monitor/templates/mail/digest/") for name in files)
    assert any(name.startswith("monitor/db/versions/") for name in files)
    assert "monitor/db/seed/queries.yaml" in files
    assert "monitor/templates/locale/zh-Hans.po" in files
    assert not any("__pycache__" in name for name in files)


def test_the_code_that_runs_is_the_installed_one(installed: Path, tmp_path: Path) -> None:
    done = run(
        installed, tmp_path, "-c", "import monitor.resources as r; print(r.__file__); print(r.resource_dir('db'))"
    )
    lines = done.stdout.splitlines()
    assert lines[0].startswith(str(installed)), done.stderr
    assert lines[1] == str(installed / "monitor" / "db")


def test_it_migrates_and_loads_the_starter_topics(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "-m", "monitor", "--home", str(tmp_path / "home of 100%"), "init")
    assert done.returncode == 0, done.stderr
    listed = run(installed, tmp_path, "-m", "monitor", "--home", str(tmp_path / "home of 100%"), "topic", "list")
    assert "car-nk" in listed.stdout, listed.stderr


def test_importing_it_touches_nothing(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "-c", "import monitor, monitor.cli.commands, os; print(os.listdir('.'))")
    assert done.stdout.strip() == "[]", done.stderr
