"""The HTTP side: reads a request, has it answered, and sends the answer or fails at it."""

from __future__ import annotations

import hashlib
import socket
import sys
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from monitor.pubmed.sandbox.exchange import Answer, Request, html, parse_parameters
from monitor.pubmed.sandbox.faults import UTILITIES, Fault, Rule
from monitor.pubmed.sandbox.wire import Wire

if TYPE_CHECKING:
    from monitor.pubmed.sandbox.server import Sandbox

BASE = "/entrez/eutils/"
_LARGEST_BODY = 64 * 2**20


class Listener(ThreadingHTTPServer):
    """Accepts connections on 127.0.0.1, one thread each; may take over a socket that is bound already."""

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
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """One connection, kept open for as many requests as the client likes."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    server: Listener

    def do_GET(self) -> None:
        self._serve(b"")

    def do_HEAD(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            self.close_connection = True
            self.send_error(411, "Length Required")
            return
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
        name, _, suffix = path.removeprefix(BASE).partition(".")
        known = path.startswith(BASE) and name in UTILITIES
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
        sandbox.note(request)
        rule: Rule | None = None
        headers: dict[str, str] = {}
        if path.startswith("/trap/"):
            sandbox.trap_hits.append(path)
            answer = Answer(b'<!ENTITY trapped "trapped">\n', "application/xml-dtd")
        elif not known:
            answer = html(404, "Not Found", "The requested URL was not found on this server.")
        else:
            answer, rule, headers = sandbox.answer(request, key)
        request.status = answer.status
        request.fault = rule.fault.value if rule else None
        if rule and rule.fault is Fault.REFUSED:
            sandbox.refuse_for(rule.seconds if rule.seconds is not None else 1)
        wire = Wire(self.connection, lambda data: sandbox.count_bytes(request, data), sandbox.stopping)
        headers = {"Date": self.date_time_string(), "Server": "Sandbox", **headers}
        asked_to_close = self.headers.get("Connection", "").lower() == "close"
        self.close_connection = not wire.send(request, answer, sandbox.framing, rule, headers) or asked_to_close

    def log_message(self, format: str, *args: object) -> None:
        """Requests are in `Sandbox.log`, without their keys; nothing is printed."""
