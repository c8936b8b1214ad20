"""Running until stopped: the pages, the worker, or both in one process."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from monitor.cli.frame import DONE, choices, tell
from monitor.errors import UsageError

if TYPE_CHECKING:
    from types import FrameType

    from monitor.scheduler import Ticker
    from monitor.web.app import Site

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
    import uvicorn

    from monitor.web.app import create_app

    choices.endless = True
    listener = bound or listen(host, port)
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

    def ask() -> None:
        server.should_exit = True

    with listener, stopped_by_signals(ask):
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


@contextmanager
def stopped_by_signals(ask: Callable[[], object]) -> Iterator[None]:
    """Call `ask` at the first SIGINT or SIGTERM; at the second one the process ends at once, which is always safe.

    Uvicorn puts its own handlers in front while it serves, and raises the signal again when it is done.
    """
    asked = False

    def handle(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            os._exit(DONE)
        asked = True
        ask()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
