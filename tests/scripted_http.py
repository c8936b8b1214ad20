"""A loopback HTTP server that answers each connection from a script, byte by byte where a test needs that."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import parse_qs

Reply = bytes | Callable[[socket.socket], None]


@dataclass(frozen=True)
class Asked:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def utility(self) -> str:
        return self.target.rpartition("/")[2]

    @property
    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.body.decode("ascii"), keep_blank_values=True)


class ScriptedServer:
    """Gives the replies in order; the last one again and again. `asked` is what was asked."""

    def __init__(self, replies: Iterable[Reply] | Callable[[Asked], Reply]) -> None:
        self._choose = replies if callable(replies) else None
        self._replies = [] if callable(replies) else list(replies)
        self.asked: list[Asked] = []
        self._lock = threading.Lock()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._handlers: list[threading.Thread] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}/entrez/eutils"

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)
        for each in self._open:
            each.close()
        for thread in self._handlers:
            thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._open.append(connection)
            handler = threading.Thread(target=self._answer, args=(connection,), daemon=True)
            self._handlers.append(handler)
            handler.start()

    def _answer(self, connection: socket.socket) -> None:
        try:
            asked = _read(connection)
            with self._lock:
                self.asked.append(asked)
                if self._choose is not None:
                    reply = self._choose(asked)
                else:
                    reply = self._replies[min(len(self.asked), len(self._replies)) - 1]
            if callable(reply):
                reply(connection)
            else:
                connection.sendall(reply)
        except OSError:
            pass  # the client has had enough: that is what several tests are about
        finally:
            connection.close()


def http(
    body: bytes | str,
    *,
    status: int = 200,
    kind: str = "text/xml; charset=UTF-8",
    headers: Iterable[str] = (),
    length: int | None = None,
) -> bytes:
    """A whole response; `length` lies about its size, -1 leaves it out."""
    data = body.encode() if isinstance(body, str) else body
    size = [] if length == -1 else [f"Content-Length: {len(data) if length is None else length}"]
    head = [f"HTTP/1.1 {status} Scripted", f"Content-Type: {kind}", *size, *headers, "Connection: close", "", ""]
    return "\r\n".join(head).encode() + data


def gzipped(body: bytes | str, *, keep: int | None = None) -> bytes:
    data = gzip.compress(body.encode() if isinstance(body, str) else body)[:keep]
    return http(data, headers=["Content-Encoding: gzip"])


def chunked(body: bytes | str, *, end: bool = True) -> bytes:
    data = body.encode() if isinstance(body, str) else body
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    return head + b"%x\r\n%s\r\n" % (len(data), data) + (b"0\r\n\r\n" if end else b"")


def _read(connection: socket.socket) -> Asked:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            raise OSError("closed before the request was whole")
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536)
    method, target, _ = first.split(" ")
    return Asked(method, target, headers, body)
