"""The README against the code: every command, every exit code, every make target it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from monitor.cli import commands, frame
from monitor.settings import load

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def command_paths() -> set[str]:
    def walk(group: object, prefix: str) -> set[str]:
        found: set[str] = set()
        for name, command in group.commands.items():  # type: ignore[attr-defined]
            path = f"{prefix} {name}"
            found |= walk(command, path) if hasattr(command, "commands") else {path}
        return found

    return walk(typer.main.get_command(commands.app), "monitor")


def test_every_command_is_documented_and_no_other() -> None:
    documented = set(re.findall(r"^\| `(monitor [a-z ]+)` \|", README, re.MULTILINE))
    assert documented == command_paths()


ROWS = dict(re.findall(r"^\| `(monitor [a-z ]+)` \| (.*) \|$", README, re.MULTILINE))
OPTION = re.compile(r"(?<![\w-])(--?[a-z][a-z-]*)")


def find(path: str) -> object:
    command = typer.main.get_command(commands.app)
    for name in path.split()[1:]:
        command = command.commands[name]  # type: ignore[attr-defined]
    return command


@pytest.mark.parametrize("path", sorted(ROWS))
def test_every_option_is_documented_and_no_other(path: str) -> None:
    parameters = find(path).params  # type: ignore[attr-defined]
    there = {option for each in parameters for option in each.opts if option.startswith("-")}
    assert set(OPTION.findall(ROWS[path])) == there
    for each in parameters:
        if each.param_type_name == "argument":
            assert each.metavar in ROWS[path], f"{path} takes {each.metavar}"


def test_options_before_the_command_are_documented() -> None:
    options = {option for each in find("monitor").params for option in each.opts}  # type: ignore[attr-defined]
    assert options == {"--config", "--home", "--verbose", "--version"}
    for option in options:
        assert f"`{option}" in README


def test_the_defaults_in_the_table_are_those_of_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load(environ={})
    rows = dict(re.findall(r"^\| `MONITOR_([A-Z_]+)` \| `([^`]+)` \|", README, re.MULTILINE))
    assert len(rows) >= 8
    for name, shown in rows.items():
        value = getattr(settings, name.lower())
        assert shown == str(value) or name in ("HOME", "MAIL_URL"), name
    assert settings.home == tmp_path / rows["HOME"]


def test_every_command_has_help() -> None:
    def walk(group: object) -> None:
        for name, command in group.commands.items():  # type: ignore[attr-defined]
            assert command.help, name
            if hasattr(command, "commands"):
                walk(command)

    walk(typer.main.get_command(commands.app))


def test_exit_codes_are_documented() -> None:
    codes = {int(number) for number in re.findall(r"^\| (\d) \|", README, re.MULTILINE)}
    assert codes == {frame.DONE, frame.PARTLY, frame.WRONG, frame.UNREACHABLE, frame.DAMAGED}


def test_documents_that_are_linked_exist() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", README) + re.findall(r'src="([^"]+)"', README):
        assert (ROOT / target).exists(), target
