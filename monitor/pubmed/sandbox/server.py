"""The loopback server: counts, logs, answers, and fails on demand."""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

from monitor.core.query.mesh import MeshTree
from monitor.errors import MonitorError, UsageError
from monitor.pubmed.sandbox.context import Clock, Context, SetClock
from monitor.pubmed.sandbox.corpus import Corpus
from monitor.pubmed.sandbox.damage import damaged, key_invalid, rate_limited, replaced
from monitor.pubmed.sandbox.documents import error_document
from monitor.pubmed.sandbox.efetch import efetch, wanted
from monitor.pubmed.sandbox.elink import elink
from monitor.pubmed.sandbox.epost import epost
from monitor.pubmed.sandbox.esearch import esearch
from monitor.pubmed.sandbox.esummary import esummary
from monitor.pubmed.sandbox.exchange import Answer, Request, html, parse_parameters
from monitor.pubmed.sandbox.faults import FRAMINGS, Fault, FaultScript, Rule, read_faults
from monitor.pubmed.sandbox.history import HistoryError
from monitor.pubmed.sandbox.info import ecitmatch, einfo, espell
from monitor.pubmed.sandbox.limits import Line, RateLimit, Violation
from monitor.pubmed.sandbox.wire import Wire
from monitor.resources import load_mesh_tree

_BASE = "/entrez/eutils/"
_UTILITIES: dict[str, Callable[[Context, Request], Answer]] = {
    "esearch": esearch,
    "efetch": efetch,
    "epost": epost,
    "esummary": esummary,
    "elink": elink,
    "einfo": einfo,
    "espell": espell,
    "ecitmatch": ecitmatch,
}
_LARGEST_BODY = 64 * 2**20


class Sandbox(Context):
    """E-utilities on a port of 127.0.0.1; a context manager that serves from a thread.

    What is served: `corpus`; `clock` (anything with `now()`; default a `SetClock`, real time until `clock.set()`);
    `mesh` for explosion (default the built-in tree); `dtd` 250101, 260101 or 990101; `shuffle` efetch's order.
    Search: `limit` (9,999), `post_limit` (10,000), `vocabulary` ("open": tagged words are known; "corpus": only what
    stands in the corpus is), `unknown_phrases`, `translations` (text replaced in QueryTranslation),
    `name_unknown_fields`, `history_lifetime`.
    Line: `rate_limit` (a RateLimit; None switches it off), `api_keys` (None takes any), `latency` seconds a request
    and `latency_per_id` more, `bytes_per_second` of the line that all connections share, `framing` ("length",
    "chunked" or "close"), `gzip` when asked for, `url_limit` bytes, `after_bytes=(k, callback)` called once when the
    k-th byte of all bodies has been handed to the network.
    Faults: `faults`, a FaultScript; `fault()` adds a rule.
    """

    def __init__(
        self,
        corpus: Corpus,
        *,
        clock: Clock | None = None,
        mesh: MeshTree | None = None,
        port: int = 0,
        rate_limit: RateLimit | bool | None = True,
        api_keys: Collection[str] | None = None,
        latency: float = 0.0,
        latency_per_id: float = 0.0,
        bytes_per_second: float | None = None,
        framing: str = "length",
        gzip: bool = False,
        url_limit: int = 8000,
        after_bytes: tuple[int, Callable[[], object]] | None = None,
        faults: FaultScript | None = None,
        **behaviour: Any,
    ) -> None:
        if framing not in FRAMINGS or framing == "promised":
            raise UsageError(f"framing is length, chunked or close, not {framing!r}")
        super().__init__(corpus, clock=clock, mesh=mesh if mesh is not None else load_mesh_tree(), **behaviour)
        self.rate_limit = RateLimit() if rate_limit is True else rate_limit or None
        self.api_keys = api_keys
        self.latency = latency
        self.latency_per_id = latency_per_id
        self.line = Line(bytes_per_second)
        self.framing = framing
        self.gzip = gzip
        self.url_limit = url_limit
        self.after_bytes = after_bytes
        self.faults = faults or FaultScript()
        self.log: list[Request] = []
        self.trap_hits: list[str] = []
        """Paths that a client fetched because a redirect, a DTD or an entity told it to; must stay empty."""
        self.bytes_sent = 0
        self._port = port
        self._server: _Server | None = None
        self._thread: Thread | None = None
        self._lock = Lock()
        self._stop = Event()

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        """Where the utilities are."""
        return f"http://127.0.0.1:{self._port}{_BASE}"

    @property
    def trap(self) -> str:
        return f"http://127.0.0.1:{self._port}/trap/"

    @property
    def violations(self) -> list[Violation]:
        """Requests above the rate limit so far."""
        return self.rate_limit.violations if self.rate_limit else []

    def fault(self, fault: Fault, **conditions: Any) -> Rule:
        """Add a fault with the conditions of `Rule`."""
        return self.faults.add(Rule(fault, **conditions))

    def requests(self, utility: str) -> list[Request]:
        """Return the logged requests to one utility."""
        with self._lock:
            return [each for each in self.log if each.utility == utility]

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen and serve from a thread; a port taken by another raises UsageError."""
        self._stop.clear()
        self._listen(None)

    def stop(self) -> None:
        """Stop, whatever answer is on its way."""
        self._stop.set()
        self._close()

    def _listen(self, bound: socket.socket | None) -> None:
        try:
            self._server = _Server(self, self._port, bound)
        except OSError as error:
            raise UsageError(f"port {self._port} of 127.0.0.1 cannot be used: {error.strerror}") from error
        self._port = self._server.server_address[1]
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), name="sandbox", daemon=True)
        self._thread.start()

    def _close(self) -> None:
        server, thread = self._server, self._thread
        self._server = self._thread = None
        if server is not None and thread is not None:
            server.shutdown()
            server.server_close()
            thread.join()
            server.drop_connections()

    def refuse(self) -> None:
        """Refuse connections, as a host does on which nothing listens, until `accept()`; the port stays ours."""
        self._close()
        # Bound but not listening: the kernel refuses, and nobody else gets the port.
        self._bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._bound.bind(("127.0.0.1", self._port))

    def accept(self) -> None:
        """Listen again after `refuse()`."""
        self._listen(self._bound)

    def refuse_for(self, seconds: float) -> None:
        """Refuse connections for a while, in the background."""

        def turn() -> None:
            self.refuse()
            if not self._stop.wait(seconds):
                self.accept()
            else:
                self._bound.close()

        Thread(target=turn, name="sandbox-refusing", daemon=True).start()

    def answer(self, request: Request, key: str | None) -> tuple[Answer, Rule | None, dict[str, str]]:
        """Answer one request: the limit first, then the script of faults, then the utility."""
        headers = {}
        if self.rate_limit:
            valid = request.has_api_key and (self.api_keys is None or key in self.api_keys)
            who = request.key or "" if valid else request.client
            number, limit = self.rate_limit.count(who, valid, request.monotonic)
            headers = {"X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": str(max(0, limit - number))}
            if number > limit:
                return rate_limited(key or request.client, number, limit), None, headers
        if self.api_keys is not None and request.has_api_key and key not in self.api_keys:
            return key_invalid(), None, headers
        if request.url_size > self.url_limit:
            return (
                html(414, "Request-URI Too Long", "The requested URL's length exceeds the capacity limit."),
                None,
                headers,
            )
        ids = self._ids(request)
        rule = self.faults.strike(request, ids)
        self._stop.wait(self.latency + self.latency_per_id * len(ids))
        return self._answer(request, rule), rule, headers

    def _answer(self, request: Request, rule: Rule | None) -> Answer:
        if rule and (instead := replaced(rule, request, self.trap, self.dtd)):
            return instead
        fault = rule.fault if rule else None
        if request.utility == "egquery":
            return Answer(error_document("egquery", "EGQuery has been retired"), status=400)
        if fault is Fault.EMPTY_RESULT and request.utility == "esearch":
            return esearch(self, request, empty=True)
        if fault in (Fault.LINKSET_ERROR, Fault.SCORES_MISSING) and request.utility == "elink":
            return elink(self, request, fault)
        answer = _UTILITIES[request.utility](self, request)
        return damaged(rule, answer, lambda n: self._others(request, n), self.trap, self.random) if rule else answer

    def _ids(self, request: Request) -> list[int]:
        """Return the UIDs a request is about, for the conditions of faults; an expired history is about none."""
        if request.utility == "esearch":
            return []
        try:
            return wanted(self, request)
        except HistoryError:
            return []

    def _others(self, request: Request, number: int) -> list[bytes]:
        asked = set(request.ids)
        view = self.view()
        found = [raw for pmid in view.newest if pmid not in asked and (raw := view.raw(pmid)) is not None]
        return found[:number]

    def count_bytes(self, request: Request, data: bytes) -> Iterator[bytes]:
        """Let data pass at the line's speed, counted; cut where `after_bytes` wants to be called."""
        if self._stop.is_set():
            raise ConnectionAbortedError("the sandbox is stopping")
        self.line.wait(len(data))
        with self._lock:
            before = self.bytes_sent
            self.bytes_sent += len(data)
            request.answered += len(data)
        if self.after_bytes and before < self.after_bytes[0] <= before + len(data):
            place, callback = self.after_bytes
            yield data[: place - before]
            callback()
            data = data[place - before :]
        if data:
            yield data


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, sandbox: Sandbox, port: int, bound: socket.socket | None) -> None:
        self.sandbox = sandbox
        self.connections: dict[socket.socket, int] = {}
        self.numbers = count(1)
        super().__init__(("127.0.0.1", port), _Handler, bind_and_activate=bound is None)
        if bound is not None:
            self.socket.close()
            self.socket = bound
            self.server_address = bound.getsockname()
            self.server_activate()

    def server_bind(self) -> None:
        # HTTPServer's own asks the resolver for a host name.
        socket.socket.setsockopt(self.socket, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connections[connection] = next(self.numbers)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self.connections.pop(request, None)
        super().shutdown_request(request)

    def drop_connections(self) -> None:
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of ours; everything else is shown as usual."""
        import sys

        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    server: _Server

    def do_GET(self) -> None:
        self._serve(b"")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        try:
            size = int(self.headers.get("Content-Length", "0"))
        except ValueError:
            size = -1
        if not 0 <= size <= _LARGEST_BODY:
            self.close_connection = True
            self.send_error(400, "Bad Content-Length")
            return
        self._serve(self.rfile.read(size))

    def _serve(self, body: bytes) -> None:
        sandbox = self.server.sandbox
        parameters, key_in_url = parse_parameters(self.path, body)
        keys = parameters.pop("api_key", [])
        path = unquote(urlsplit(self.path).path)
        name, _, suffix = path.removeprefix(_BASE).partition(".")
        known = path.startswith(_BASE) and (name in _UTILITIES or name == "egquery")
        known = known and suffix == ("cgi" if name == "ecitmatch" else "fcgi")
        key = keys[0] if keys and keys[0] else None
        request = Request(
            at=sandbox.clock.now(),
            monotonic=time.monotonic(),
            method=self.command,
            path=path,
            utility=name if known else "",
            parameters=parameters,
            has_api_key=key is not None,
            key_in_url=key_in_url,
            user_agent=self.headers.get("User-Agent"),
            content_type=self.headers.get("Content-Type"),
            body_size=len(body),
            url_size=len(self.path),
            client=self.client_address[0],
            connection=self.server.connections.get(self.connection, 0),
            accepts_gzip=sandbox.gzip and "gzip" in self.headers.get("Accept-Encoding", ""),
            key=hashlib.sha256(key.encode()).hexdigest()[:16] if key else None,
        )
        with sandbox._lock:
            sandbox.log.append(request)
        rule, headers = None, {}
        if path.startswith("/trap/"):
            sandbox.trap_hits.append(path)
            answer = Answer(b'<!ENTITY trapped "trapped">\n', "application/xml-dtd")
        elif not known:
            answer = html(404, "Not Found", "The requested URL was not found on this server.")
        else:
            try:
                answer, rule, headers = sandbox.answer(request, key)
            except MonitorError as error:
                answer = Answer(error_document(name, f"Search Backend failed: {error}"))
        request.status = answer.status
        request.fault = rule.fault.value if rule else None
        if rule and rule.fault is Fault.REFUSED:
            sandbox.refuse_for(rule.seconds if rule.seconds is not None else 1)
        wire = Wire(self.connection, lambda data: sandbox.count_bytes(request, data), sandbox._stop)
        headers = {"Date": self.date_time_string(), "Server": "Sandbox", **headers}
        asked_to_close = self.headers.get("Connection", "").lower() == "close"
        self.close_connection = not wire.send(request, answer, sandbox.framing, rule, headers) or asked_to_close

    def log_message(self, format: str, *args: object) -> None:
        """Requests are in `Sandbox.log`, without their keys; nothing is printed."""


def serve(
    corpus: list[Path], port: int = 0, faults: Path | None = None, ready: Callable[[Sandbox], object] | None = None
) -> None:
    """Serve until interrupted (KeyboardInterrupt ends it in order); `ready` is called once the port is open."""
    sandbox = Sandbox(Corpus.read(*corpus), port=port, **_behaviour(faults))
    with sandbox:
        if ready:
            ready(sandbox)
        with suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)


_SETTINGS = frozenset(
    ["dtd", "shuffle", "seed", "vocabulary", "unknown_phrases", "translations", "name_unknown_fields", "limit", "post_limit", "latency", "latency_per_id", "bytes_per_second", "framing", "gzip", "url_limit"]
)


def _behaviour(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    values = read_faults(path)
    if isinstance(values.get("clock"), datetime):
        values["clock"] = SetClock(values["clock"])
    return values
