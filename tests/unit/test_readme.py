"""The README against the code: every command, every exit code, every make target it names."""

from __future__ import annotations

import re
from pathlib import Path

import typer

from monitor.cli import commands, frame

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


def test_every_option_is_named_in_the_help_or_the_readme() -> None:
    for line in README.splitlines():
        if not (found := re.match(r"^\| `(monitor [a-z ]+)` \| (.*) \|$", line)):
            continue
        command = typer.main.get_command(commands.app)
        for name in found[1].split()[1:]:
            command = command.commands[name]  # type: ignore[attr-defined]
        options = {option for each in command.params for option in each.opts}
        for option in re.findall(r"(?<![\w-])(--?[a-z][a-z-]*)", found[2]):
            assert option in options, f"{found[1]} has no {option}"


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
