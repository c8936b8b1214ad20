"""Progress on standard error: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from monitor.cli.frame import tell

if TYPE_CHECKING:
    from monitor.services.polling import Progress

EVERY_SECONDS = 10.0


@contextmanager
def poll_progress() -> Iterator[Callable[[Progress], object]]:
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("PubMed", total=None)

        def show(progress: object) -> None:
            from monitor.services.polling import Progress as Step

            assert isinstance(progress, Step)  # noqa: S101
            bars.update(
                task,
                description=f"{progress.topic_id} {progress.lane}",
                completed=progress.done,
                total=progress.total or None,
            )

        yield show


@contextmanager
def index_progress() -> Iterator[Callable[[int, int], None]]:
    if not sys.stderr.isatty():
        lines = _IndexLines()
        yield lines.show
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("search index", total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


class _IndexLines:
    def __init__(self) -> None:
        self._last = time.monotonic()

    def show(self, done: int, total: int) -> None:
        if time.monotonic() - self._last >= EVERY_SECONDS:
            self._last = time.monotonic()
            tell(f"search index: {done:,} of {total:,}")


class _Lines:
    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        if progress.total and time.monotonic() - self._last >= EVERY_SECONDS:
            self._last = time.monotonic()
            tell(f"{progress.topic_id} {progress.lane}: {progress.done:,} of {progress.total:,}")
