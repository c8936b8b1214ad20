"""Running until stopped: the pages, the worker, or both in one process."""

from __future__ import annotations

import gc
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from monitor.cli.frame import DONE, choices, keep_secret, tell
from monitor.errors import SettingsError, UsageError
from monitor.settings import HOME_FILE, LOOPBACK

if TYPE_CHECKING:
    from types import FrameType

    from starlette.types import ASGIApp, Receive, Scope, Send

    from monitor.build import House
    from monitor.scheduler import Ticker

GRACE = 10
"""Seconds that answers under way are given at the end."""
LOOK = 1.0
"""Seconds between looks at the settings that the pages keep: another process may have written them."""


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


def collect_seldom() -> None:
    """Look for rubbish after 10,000 new objects, not 700.

    A page makes thousands of objects and drops them at once. Counted so soon, many of them grow old enough to have
    everything that the process keeps, the MeSH tree first of all, walked through in the middle of somebody's request:
    0.2 s each time.
    """
    gc.set_threshold(10_000)


class Running:
    """Pages and worker of one installation, put together anew, and the database kept, when its kept settings change.

    An application (ASGI) by itself: requests under way end with the pages they began with.
    """

    def __init__(self, house: House, *, pages: bool = True, worker: bool = False) -> None:
        self._pages = pages
        self._worker = worker
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._ending = threading.Event()
        self._minder: threading.Thread | None = None
        self._ticker: Ticker | None = None
        self._ticks: House | None = None
        house.on_kept = self.renew
        self.house = house
        self._stamp = self._look()
        self._app = self._made(house)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._app is not None  # noqa: S101  only where pages are served
        await self._app(scope, receive, send)

    def renew(self) -> None:
        """Go on by the settings that are kept now: pages from the next request, the worker when its steps have ended.

        Raises SettingsError, and then all goes on as it was.
        """
        with self._lock:
            self._stamp = self._look()
            house = self.house.renewed()
            keep_secret(house.settings)
            self._app = self._made(house)
            self.house = house
        self._wake.set()

    def start(self) -> None:
        self._minder = threading.Thread(target=self._mind, name="settings", daemon=True)
        self._tick()
        self._minder.start()

    def stop(self) -> None:
        """Let the worker end its current steps."""
        self._ending.set()
        self._wake.set()
        if self._minder is not None:
            self._minder.join()
        if self._ticker is not None:
            self._ticker.stop()

    def _mind(self) -> None:
        while not self._ending.is_set():
            self._wake.wait(LOOK)
            self._wake.clear()
            if self._ending.is_set():
                return
            try:
                if self._look() != self._stamp:
                    self.renew()
            except SettingsError as error:
                tell(f"{HOME_FILE} was changed and is wrong; what was set before still counts.\n{error}")
            self._tick()

    def _tick(self) -> None:
        """Have the worker of the house that stands now, when the one before has ended."""
        house = self.house
        if not self._worker or house is self._ticks:
            return
        if self._ticker is not None:
            self._ticker.stop()
        self._ticker, self._ticks = house.ticker(), house
        self._ticker.start()

    def _look(self) -> tuple[int, int] | None:
        """Return what tells one state of the file from another; None where there is none."""
        try:
            found = (self.house.settings.home / HOME_FILE).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino

    def _made(self, house: House) -> ASGIApp | None:
        from monitor.web.app import create_app

        return create_app(house.site) if self._pages else None


def serve(house: House, host: str, port: int, *, worker: bool = False, bound: socket.socket | None = None) -> None:
    """Serve until Ctrl-C or SIGTERM; then stop the worker gracefully."""
    with stopped_by_signals() as stop, bound or listen(host, port) as listener:
        import uvicorn

        collect_seldom()
        running = Running(house, worker=worker)
        server = uvicorn.Server(
            uvicorn.Config(
                running,
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
        here = f"http://{shown}:{listener.getsockname()[1]}"
        if house.first_run.is_open():
            tell(f"Nobody can sign in yet. Open this to set the monitor up, once:\n  {_outside(house, here)}")
        tell(f"Pages: {here}/   Ctrl-C stops.")
        running.start()
        try:
            server.run(sockets=[listener])
        finally:
            if worker:
                tell("Stopping: what is under way is finished. Ctrl-C again stops at once; nothing is lost by it.")
            running.stop()
    tell("Stopped.")


def _outside(house: House, here: str) -> str:
    """Return the address of the set-up: where this process listens, or where a proxy in front of it is reached."""
    public = house.settings.public_url
    near = urlsplit(public).hostname in LOOPBACK and urlsplit(here).hostname in LOOPBACK
    return (here if near else public) + house.first_run.path


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
