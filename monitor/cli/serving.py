"""Serving the pages, alone or with the worker beside them."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from monitor.cli.frame import tell
from monitor.errors import UsageError

if TYPE_CHECKING:
    from monitor.scheduler import Ticker
    from monitor.web.app import Site


def listen(host: str, port: int, *, tries: int = 1) -> socket.socket:
    """Bind `port`, or the next free one within `tries`; raises UsageError naming what is in the way."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in range(port, port + tries):
        found = socket.socket(family, socket.SOCK_STREAM)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((host, number))
        except OSError as error:
            found.close()
            if number == port + tries - 1:
                raise UsageError(
                    f"cannot listen on {host} port {number}: {error.strerror}; choose another --port"
                ) from error
        else:
            return found
    raise UsageError(f"no free port from {port} on")


def serve(
    site: Site, host: str, port: int, ticker: Ticker | None = None, *, bound: socket.socket | None = None
) -> None:
    """Serve until Ctrl-C or SIGTERM; then stop the worker gracefully."""
    import uvicorn

    from monitor.web.app import create_app

    listener = bound or listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    tell(f"Pages: http://{shown}:{listener.getsockname()[1]}/   Ctrl-C stops.")
    config = uvicorn.Config(
        create_app(site), log_config=None, access_log=False, proxy_headers=False, server_header=False
    )
    server = uvicorn.Server(config)
    if ticker is not None:
        ticker.start()
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    finally:
        if ticker is not None:
            ticker.stop()
        listener.close()
    tell("Stopped.")
