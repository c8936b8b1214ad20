"""Carries each E-utilities request: always a POST, to our address, paced, within deadlines and size, never redirected."""

from __future__ import annotations

import http.client
import io
import logging
import socket
import threading
import time
import zlib
from collections.abc import Callable
from email.message import Message
from functools import partial
from typing import Any, Final, Protocol, cast
from urllib.parse import urlsplit
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request, UnknownHandler

from monitor import __version__
from monitor.errors import IncompleteResponse

log = logging.getLogger(__name__)

CHUNK: Final = 65_536
LARGEST: Final = 256 * 2**20
AT_ONCE: Final = 3
"""Requests that PubMed works on for us at any moment."""
LATE: Final = 0.05
"""A request that oversleeps its place by more than this gives the place up: sent late, it would crowd the next one."""

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class AnswerTooLarge(IncompleteResponse):
    """The answer goes on past every sensible size; what came was thrown away."""


class Pacer(Protocol):
    """Hands out places under the shared request limit."""

    def reserve(self) -> float:
        """Take the next free place and return the seconds until it comes."""
        ...


class Answer(io.BytesIO):
    """A whole HTTP response, whatever its status; Biopython is given this in place of urllib's."""

    def __init__(self, status: int, headers: Message, body: bytes, url: str) -> None:
        super().__init__(body)
        self.status = status
        self.headers = headers
        self.url = url


class Opener:
    """Sends what Biopython built. Safe to call from several threads at once."""

    def __init__(
        self,
        base_url: str,
        pacer: Pacer,
        *,
        connect_seconds: float = 15.0,
        answer_seconds: float = 120.0,
        largest: int = LARGEST,
        at_once: int = AT_ONCE,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._base = base_url.rstrip("/")
        self._pacer = pacer
        self._connect_seconds = connect_seconds
        self._largest = largest
        self._sleep = sleep
        self._at_once = threading.BoundedSemaphore(at_once)
        self._director = OpenerDirector()
        if urlsplit(self._base).hostname not in _LOOPBACK:
            self._director.add_handler(ProxyHandler())
        # No handler for redirects, errors, cookies or passwords: every status comes back as it is, nothing follows.
        self._director.add_handler(_Http(answer_seconds))
        self._director.add_handler(_Https(answer_seconds))
        self._director.add_handler(UnknownHandler())

    def open(self, built: Request) -> Answer:
        """Send the request when its turn comes and return the whole answer.

        Raises OSError or HTTPException when the line fails, IncompleteResponse when the body is cut,
        AnswerTooLarge when it does not end.
        """
        address, _, query = built.full_url.partition("?")
        url = f"{self._base}/{address.rpartition('/')[2]}"
        body = built.data if isinstance(built.data, bytes) else query.encode("ascii")
        request = Request(  # noqa: S310 - the scheme was checked with the settings
            url,
            data=body,
            method="POST",
            headers={"Accept-Encoding": "gzip", "User-Agent": f"evidence-monitor/{__version__}"},
        )
        with self._at_once:
            self._wait_for_turn()
            started = time.monotonic()
            response = cast(http.client.HTTPResponse, self._director.open(request, timeout=self._connect_seconds))
        # PubMed has done its work once it answers; while the line carries the body, the next question may be asked.
        with response:
            content = self._read(response)
        log.debug(
            "%s answered %d: %d bytes in %.2f s",
            url.rpartition("/")[2],
            response.status,
            len(content),
            time.monotonic() - started,
        )
        return Answer(response.status, response.headers, content, url)

    def _wait_for_turn(self) -> None:
        for _ in range(20):
            wait = self._pacer.reserve()
            due = time.monotonic() + wait
            if wait > 0:
                self._sleep(wait)
            if time.monotonic() - due <= LATE:
                return

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        gzipped = (response.headers.get("Content-Encoding") or "").strip().lower() in ("gzip", "x-gzip")
        unpack = zlib.decompressobj(wbits=31) if gzipped else None
        pieces: list[bytes] = []
        size = 0
        while chunk := response.read(CHUNK):
            while chunk:
                if unpack is None:
                    piece, chunk = chunk, b""
                else:
                    try:
                        piece = unpack.decompress(chunk, CHUNK * 4)
                    except zlib.error as error:
                        raise IncompleteResponse("the compressed answer is damaged") from error
                    chunk = unpack.unconsumed_tail
                pieces.append(piece)
                size += len(piece)
                if size > self._largest:
                    raise AnswerTooLarge(f"the answer is larger than {self._largest // 2**20} MiB")
        if unpack is not None:
            pieces.append(unpack.flush())
        # urllib gives what there is without complaint when the line closes early: compare with Content-Length.
        if response.length:
            raise IncompleteResponse(f"the answer ends {response.length} bytes early")
        if unpack is not None and size and not unpack.eof:
            raise IncompleteResponse("the compressed answer is cut off")
        return b"".join(pieces)


class _Deadline:
    """A socket of which every operation must end before one moment; urllib itself only limits each read."""

    def __init__(self, inner: socket.socket, ends: float) -> None:
        self._inner = inner
        self._ends = ends

    def limit(self) -> None:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer did not come in time")
        self._inner.settimeout(left)

    def sendall(self, data: bytes) -> None:
        self.limit()
        self._inner.sendall(data)

    def makefile(self, mode: str = "rb", *_: object, **__: object) -> io.BufferedReader:
        return io.BufferedReader(_Limited(self, self._inner.makefile("rb", buffering=0)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Limited(io.RawIOBase):
    def __init__(self, deadline: _Deadline, raw: io.RawIOBase | socket.SocketIO) -> None:
        super().__init__()
        self._deadline = deadline
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._deadline.limit()
        return self._raw.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _Connection(http.client.HTTPConnection):
    def __init__(self, *args: Any, ends: float, **options: Any) -> None:
        super().__init__(*args, **options)
        self._ends = ends

    def connect(self) -> None:
        super().connect()
        self.sock = cast(socket.socket, _Deadline(self.sock, self._ends))


class _SecureConnection(http.client.HTTPSConnection):
    def __init__(self, *args: Any, ends: float, **options: Any) -> None:
        super().__init__(*args, **options)
        self._ends = ends

    def connect(self) -> None:
        super().connect()
        self.sock = cast(socket.socket, _Deadline(self.sock, self._ends))


class _Http(HTTPHandler):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def http_open(self, req: Request) -> http.client.HTTPResponse:
        return self.do_open(cast(Any, partial(_Connection, ends=time.monotonic() + self._seconds)), req)


class _Https(HTTPSHandler):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def https_open(self, req: Request) -> http.client.HTTPResponse:
        return self.do_open(cast(Any, partial(_SecureConnection, ends=time.monotonic() + self._seconds)), req)
