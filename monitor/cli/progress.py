"""Progress on standard error: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from monitor.cli.frame import tell

if TYPE_CHECKING:
    from monitor.services.lanepoll import Progress

EVERY_SECONDS = 10.0
Show = Callable[[str, int, int], None]
"""Hears what is under way, how much of it is done, and of how much; 0 of 0 while that is not known."""


@contextmanager
def poll_progress() -> Iterator[Callable[[Progress], object]]:
    with _shown("PubMed") as show:
        yield lambda step: show(f"{step.topic_id} {step.lane}", step.done, step.total)


@contextmanager
def index_progress() -> Iterator[Callable[[int, int], None]]:
    with _shown("search index") as show:
        yield lambda done, total: show("search index", done, total)


@contextmanager
def _shown(begins: str) -> Iterator[Show]:
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(begins, total=None)
        yield lambda what, done, total: bars.update(task, description=what, completed=done, total=total or None)


def _lines() -> Show:
    last = time.monotonic()

    def show(what: str, done: int, total: int) -> None:
        nonlocal last
        if total and time.monotonic() - last >= EVERY_SECONDS:
            last = time.monotonic()
            tell(f"{what}: {done:,} of {total:,}")

    return show
