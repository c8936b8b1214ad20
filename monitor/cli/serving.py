"""Running until stopped: the pages, the worker, or both in one process."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from monitor.cli.frame import DONE, choices, tell
from monitor.errors import UsageError

if TYPE_CHECKING:
    from types import FrameType

    from monitor.scheduler import Ticker
    from monitor.web.site import Site

GRACE = 10
"""Seconds that answers under way are given at the end."""


def listen(host: str, port: int, *, tries: int = 1) -> socket.socket:
    """Listen on `port`, or the next free one within `tries`; raises UsageError naming what is in the way."""
    if not host:
        raise UsageError("--host: name an address to listen on, such as 127.0.0.1")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    last = min(port + tries, 65_536) - 1
    for number in range(port, last + 1):
        found = socket.socket(family, socket.SOCK_STREAM)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((host, number))
            # At once, not when serving begins: until somebody listens, a second process could bind the same port.
            found.listen(128)
        except (OSError, UnicodeError) as error:
            found.close()
            if number == last:
                why = getattr(error, "strerror", None) or "this is no address"
                raise UsageError(f"cannot listen on {host} port {number}: {why}; choose another --port") from error
        else:
            return found
    raise UsageError(f"no free port from {port} on")


def serve(
    site: Site, host: str, port: int, ticker: Ticker | None = None, *, bound: socket.socket | None = None
) -> None:
    """Serve until Ctrl-C or SIGTERM; then stop the worker gracefully."""
    with stopped_by_signals() as stop, bound or listen(host, port) as listener:
        import uvicorn

        from monitor.web.app import create_app

        server = uvicorn.Server(
            uvicorn.Config(
                create_app(site),
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                ws="none",
                timeout_graceful_shutdown=GRACE,
            )
        )
        stop.then(lambda: setattr(server, "should_exit", True))
        shown = f"[{host}]" if ":" in host else host
        tell(f"Pages: http://{shown}:{listener.getsockname()[1]}/   Ctrl-C stops.")
        if ticker is not None:
            ticker.start()
        try:
            server.run(sockets=[listener])
        finally:
            if ticker is not None:
                tell("Stopping: what is under way is finished. Ctrl-C again stops at once; nothing is lost by it.")
                ticker.stop()
    tell("Stopped.")


class Stop:
    """Whether somebody asked to stop. Plain values only: a handler that takes a lock can wait for itself for ever."""

    def __init__(self) -> None:
        self.asked = False
        self._then: Callable[[], object] = lambda: None

    def ask(self) -> None:
        self.asked = True
        self._then()

    def then(self, call: Callable[[], object]) -> None:
        """Call this when asked, now if that was before."""
        self._then = call
        if self.asked:
            call()

    def wait(self) -> None:
        while not self.asked:
            time.sleep(0.1)


_installed: list[Stop] = []


@contextmanager
def stopped_by_signals() -> Iterator[Stop]:
    """Give a `Stop` that the first SIGINT or SIGTERM asks; at the second the process ends at once, which is always safe.

    Entered first of all by commands that run until stopped: an import that swallows KeyboardInterrupt would swallow
    the wish to stop. Within it, entering again gives the same `Stop`. Uvicorn puts its own handlers in front while it
    serves, and raises the signal again when it is done.
    """
    if _installed:
        yield _installed[0]
        return
    stop = Stop()

    from monitor import logs

    def handle(_number: int, _frame: FrameType | None) -> None:
        if stop.asked:
            os._exit(DONE)
        stop.ask()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    _installed.append(stop)
    choices.endless = True
    logs.configure(verbose=choices.verbose, secrets=choices.secrets)
    try:
        yield stop
    finally:
        _installed.clear()
        for number, handler in before.items():
            signal.signal(number, handler)
