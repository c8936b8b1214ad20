"""Drafts of topics on their way into the database: typed, edited or read from files, saved, and never lost."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.cli.frame import PARTLY, leave, print_json, tell
from monitor.cli.plans import WITHOUT_REASON, blocking, plan_object, print_plan, print_saved, saved_object
from monitor.errors import MonitorError, UsageError

if TYPE_CHECKING:
    from monitor.build import House
    from monitor.core.draft import Draft
    from monitor.services.strategies import Plan

PATIENCE = 30.0
"""Seconds that a person at the terminal waits for PubMed before the library alone is asked."""


@contextmanager
def desk() -> Iterator[House]:
    """Open the house for somebody who waits at the terminal."""
    from monitor.cli.frame import house

    with house() as here:
        here.patience = PATIENCE
        yield here


def read_file(path: Path) -> object:
    """Return what a topic file holds, parsed; raises UsageError naming file and place."""
    from monitor.formats import topicfile

    form = topicfile.form_of(path.name)
    try:
        with path.open("rb") as file:
            data = file.read(topicfile.LARGEST + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
    return topicfile.read(data, form, str(path))


def drafts_in(here: House, path: Path) -> tuple[Draft, ...]:
    """Return the drafts of a topic file, and say which blocks of it are in vain."""
    values = read_file(path)
    try:
        drafts, unused = here.strategies.read(values)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
    for name in unused:
        tell(f"{path}: block {name} is inserted by no line of the file and is left out")
    return drafts


def draft_in(here: House, path: Path, topic_id: str) -> Draft:
    """Return the draft of one topic from a file that holds nothing else."""
    drafts = drafts_in(here, path)
    if [each.topic_id for each in drafts] != [topic_id]:
        found = ", ".join(each.topic_id for each in drafts) or "no topic"
        raise UsageError(f"{path} holds {found}, and {topic_id} is wanted; `monitor topic import` takes several")
    return drafts[0]


def edited(here: House, draft: Draft) -> tuple[Draft, Path]:
    """Let the person edit a draft as YAML in their editor; the file stays until what they typed is saved."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "say what to change: --add, --line N with --query, --reason, --on, --off, --move or --remove, --sentinel, "
            "--title, or --from FILE; without any an editor is opened, which needs a terminal"
        )
    from monitor.settings import editor

    path = keep(here, draft)
    before = path.read_bytes()
    command = [*shlex.split(editor()), str(path)]
    try:
        code = subprocess.run(command, check=False).returncode  # noqa: S603  the person's own editor
    except OSError as error:
        path.unlink()
        raise UsageError(f"the editor {command[0]} cannot be started: {error.strerror}; set EDITOR") from None
    if path.read_bytes() == before:
        path.unlink()
        raise UsageError(f"{command[0]} ended with {code}; nothing was changed" if code else "nothing was changed")
    with kept_after_errors(path, draft.topic_id):
        made = draft_in(here, path, draft.topic_id)
    return replace(made, based_on=draft.based_on, held=draft.held), path


def keep(here: House, draft: Draft) -> Path:
    """Write a draft into the home where only its owner reads it, and return the path."""
    from monitor.core.topicfile import write_file
    from monitor.formats import topicfile

    folder = here.settings.home / "drafts"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    based_on = {draft.topic_id: draft.based_on} if draft.based_on is not None else None
    remark = "A draft that is not saved. based_on is the version it was made from.\nComments are not kept."
    data = topicfile.write(write_file([draft.topic], based_on), "yaml", remark)
    stem = f"{draft.topic_id}-{here.clock.now():%Y%m%d-%H%M%S}"
    for number in range(1, 1000):
        path = folder / f"{stem}{'' if number == 1 else f'-{number}'}.yaml"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        return path
    raise UsageError(f"{folder} is full of drafts of this second; remove some")


@contextmanager
def kept_after_errors(path: Path, topic_id: str, *, new: bool = False) -> Iterator[None]:
    """Add to an error where the draft lies and how to go on with it."""
    try:
        yield
    except MonitorError as error:
        _say_where(error, path, topic_id, new=new)
        raise
    except KeyboardInterrupt:
        tell(f"What was typed is kept in {path}")
        raise


def _say_where(error: MonitorError, path: Path, topic_id: str, *, new: bool) -> None:
    from monitor.services.strategies import Conflict, Refused

    go_on = f"monitor topic {'add' if new else 'edit'} {topic_id} --from {shlex.quote(str(path))}"
    error.add_note(f"What was typed is kept in {path}")
    if isinstance(error, Conflict):
        number = error.theirs.version
        error.add_note(f"Take over there what you want of version {number}, set based_on: {number}")
        error.add_note(f"and go on with: {go_on}")
    else:
        error.add_note(f"Correct it there and go on with: {go_on}")
    if isinstance(error, Refused):
        error.add_note(f"Or save it as it is, with the reason: {go_on} --because TEXT")


def save(
    here: House,
    draft: Draft,
    message: str,
    because: str | None,
    *,
    dry_run: bool,
    as_json: bool,
    source: Path | None = None,
) -> None:
    """Save one draft and print what that did. After an error it is kept: in `source`, the file it came from, or anew."""
    from monitor.services.strategies import Refused

    plans: Sequence[Plan] = ()
    new = draft.based_on is None
    try:
        with kept_after_errors(source, draft.topic_id, new=new) if source is not None else nullcontext():
            plans = here.strategies.plan([draft])
            if not dry_run:
                (saved,) = here.strategies.commit(plans, message, because=because)
    except MonitorError as error:
        if isinstance(error, Refused):
            if as_json:
                print_json([plan_object(each) for each in plans])
            else:
                print_plan(plans[0])
        if source is None:
            keep_with(error, here, draft)
        raise
    if dry_run:
        _tell_dry(plans, because, as_json=as_json)
    elif as_json:
        print_json(saved_object(saved))
    else:
        print_saved(here, saved)


def keep_with(error: MonitorError, here: House, draft: Draft) -> None:
    """Keep a draft, and add to the error where it lies."""
    try:
        path = keep(here, draft)
    except OSError as trouble:
        error.add_note(f"What was typed could not be kept in {here.settings.home}: {trouble.strerror}")
    else:
        _say_where(error, path, draft.topic_id, new=draft.based_on is None)


def _tell_dry(plans: Sequence[Plan], because: str | None, *, as_json: bool) -> None:
    if as_json:
        print_json([plan_object(each) for each in plans])
    for plan in plans:
        if not as_json:
            print_plan(plan)
    if not because and (blocked := blocking(plans)):
        tell("\n".join([WITHOUT_REASON, *blocked]))
        leave(PARTLY)
    tell("Nothing was saved; without --dry-run it would be.")
