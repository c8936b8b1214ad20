"""The loopback server: counts, logs, answers, and fails on demand."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, RLock, Thread
from types import TracebackType
from typing import Any

from monitor.core.query.mesh import MeshTree
from monitor.errors import UsageError
from monitor.pubmed.sandbox.context import Clock, Context
from monitor.pubmed.sandbox.corpus import Corpus
from monitor.pubmed.sandbox.damage import damaged, key_invalid, rate_limited, replaced
from monitor.pubmed.sandbox.documents import error_document
from monitor.pubmed.sandbox.efetch import efetch, wanted
from monitor.pubmed.sandbox.elink import elink
from monitor.pubmed.sandbox.epost import epost
from monitor.pubmed.sandbox.esearch import esearch
from monitor.pubmed.sandbox.esummary import esummary
from monitor.pubmed.sandbox.exchange import Answer, Request, html
from monitor.pubmed.sandbox.faults import FRAMINGS, Fault, FaultScript, Rule
from monitor.pubmed.sandbox.history import HistoryError
from monitor.pubmed.sandbox.info import ecitmatch, einfo, espell
from monitor.pubmed.sandbox.limits import Line, RateLimit, Violation
from monitor.pubmed.sandbox.listener import BASE, Listener
from monitor.pubmed.sandbox.script import read_script
from monitor.resources import load_mesh_tree

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
        self.faults = faults if faults is not None else FaultScript(seed=behaviour.get("seed", 0))
        self.log: list[Request] = []
        self.trap_hits: list[str] = []
        """Paths that a client fetched because a redirect, a DTD or an entity told it to; must stay empty."""
        self.bytes_sent = 0
        self._port = port
        self._server: Listener | None = None
        self._bound: socket.socket | None = None
        self._thread: Thread | None = None
        self._lock = Lock()
        self._turning = RLock()
        self._stop = Event()

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        """Where the utilities are."""
        return f"http://127.0.0.1:{self._port}{BASE}"

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
        with self._turning:
            self._close()
            self._release()

    def prepare(self) -> None:
        """Read every record now, which otherwise the first search does (about half a millisecond a record)."""
        self.index.update()

    def _listen(self, bound: socket.socket | None) -> None:
        try:
            self._server = Listener(self, self._port, bound)
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
        with self._turning:
            self._close()
            if self._bound is None:
                self._bind()

    def _bind(self) -> None:
        # Bound but not listening: the kernel refuses, and nobody else gets the port.
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", self._port))
        self._bound = bound

    def accept(self) -> None:
        """Listen again after `refuse()`."""
        with self._turning:
            bound, self._bound = self._bound, None
            if bound is not None:
                self._listen(bound)

    def _release(self) -> None:
        bound, self._bound = self._bound, None
        if bound is not None:
            bound.close()

    def refuse_for(self, seconds: float) -> None:
        """Refuse connections for a while, in the background."""

        def turn() -> None:
            self.refuse()
            self._stop.wait(seconds)
            with self._turning:
                if self._stop.is_set():
                    self._release()
                else:
                    self.accept()

        Thread(target=turn, name="sandbox-refusing", daemon=True).start()

    def note(self, request: Request) -> None:
        """Put a request into the log."""
        with self._lock:
            self.log.append(request)

    @property
    def stopping(self) -> Event:
        """Set once the sandbox stops."""
        return self._stop

    def answer(self, request: Request, key: str | None) -> tuple[Answer, Rule | None, dict[str, str]]:
        """Answer one request: the limit first, then the script of faults, then the utility."""
        headers = {}
        if self.rate_limit:
            valid = request.has_api_key and (self.api_keys is None or key in self.api_keys)
            who = request.key or "" if valid else request.client
            number, limit = self.rate_limit.count(who, valid, request.monotonic)
            headers = {"X-RateLimit-Limit": str(limit), "X-RateLimit-Remaining": str(max(0, limit - number))}
            if number > limit:
                return rate_limited(key or request.client, number, limit, self.rate_limit.retry_after), None, headers
        if self.api_keys is not None and request.has_api_key and key not in self.api_keys:
            return key_invalid(key or request.client), None, headers
        if request.url_size > self.url_limit:
            return (
                html(414, "Request-URI Too Long", "The requested URL's length exceeds the capacity limit."),
                None,
                headers,
            )
        ids = self._ids(request)
        rule = self.faults.strike(request, ids)
        self._stop.wait(self.latency + self.latency_per_id * len(ids))
        return self._answer(request, rule, key), rule, headers

    def _answer(self, request: Request, rule: Rule | None, key: str | None) -> Answer:
        if rule and (instead := replaced(rule, request, key, self.trap, self.dtd)):
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


def serve(
    corpus: list[Path], port: int = 0, faults: Path | None = None, ready: Callable[[Sandbox], object] | None = None
) -> None:
    """Serve until interrupted (KeyboardInterrupt ends it in order); `ready` is called once the port is open."""
    sandbox = Sandbox(Corpus.read(*corpus), port=port, **(read_script(faults) if faults else {}))
    with suppress(KeyboardInterrupt), sandbox:
        sandbox.prepare()
        if ready:
            ready(sandbox)
        while True:
            # Short naps: the kernel may hand the interrupt to another thread, which does not wake this one.
            time.sleep(0.5)
