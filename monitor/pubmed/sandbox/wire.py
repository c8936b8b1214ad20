"""Sends an answer over a socket, in the framing asked for, or fails in the middle of it."""

from __future__ import annotations

import gzip
import socket
import struct
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from threading import Event

from monitor.pubmed.sandbox.damage import cut
from monitor.pubmed.sandbox.exchange import Answer, Request
from monitor.pubmed.sandbox.faults import CUTS, Fault, Rule

_PIECE = 16_384


class Wire:
    """One answer on its way. `sent` is told about every piece of the body; `stop` ends all waiting."""

    def __init__(self, connection: socket.socket, sent: Callable[[bytes], Iterator[bytes]], stop: Event) -> None:
        self.connection = connection
        self.sent = sent
        self.stop = stop

    def send(self, request: Request, answer: Answer, framing: str, rule: Rule | None, headers: dict[str, str]) -> bool:
        """Send the answer; returns whether the connection can be used again."""
        fault = rule.fault if rule else None
        if fault in (Fault.RESET, Fault.REFUSED):
            return self.reset()
        if fault is Fault.SILENT_CLOSE:
            return False
        if fault is Fault.GARBAGE:
            self.connection.sendall(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
            return False
        if fault is Fault.SLOW_START and rule:
            self.stop.wait(rule.seconds if rule.seconds is not None else 30)
        if rule and rule.framing:
            framing = rule.framing
        body, whole = answer.body, len(answer.body)
        if rule and fault in CUTS:
            body = body[: cut(rule, answer)]
        headers = {"Content-Type": answer.content_type, **headers, **answer.headers}
        if request.accepts_gzip and "Content-Encoding" not in headers and rule is None and len(body) > 500:
            body = gzip.compress(body, 5, mtime=0)
            whole = len(body)
            headers["Content-Encoding"] = "gzip"
        if fault is Fault.ENDLESS:
            framing = "close" if framing == "close" else "chunked"
        complete = len(body) == whole
        promised = framing == "promised" or fault in (Fault.RESET_IN_BODY, Fault.STALL)
        if framing == "chunked":
            headers["Transfer-Encoding"] = "chunked"
        elif framing != "close":
            headers["Content-Length"] = str(whole if promised else len(body))
        lasting = framing != "close" and (complete or not (promised or framing == "chunked"))
        headers["Connection"] = "keep-alive" if lasting else "close"
        self._head(answer.status, headers)
        if request.method == "HEAD":
            return lasting
        return self._body(body, framing, rule, complete) and lasting

    def _head(self, status: int, headers: dict[str, str]) -> None:
        lines = [
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
            *(f"{name}: {value}" for name, value in headers.items()),
            "",
            "",
        ]
        self.connection.sendall("\r\n".join(lines).encode("latin-1", "replace"))

    def _body(self, body: bytes, framing: str, rule: Rule | None, complete: bool) -> bool:
        fault = rule.fault if rule else None
        chunked = framing == "chunked"
        half = rule.size if rule and rule.size is not None else len(body) // 2
        if fault in (Fault.RESET_IN_BODY, Fault.STALL):
            self._write(body[:half], chunked)
            if fault is Fault.STALL:
                self.stop.wait()
                return False
            # Wait until the client has what was sent: a reset may overtake it.
            time.sleep(0.05)
            return self.reset()
        if fault is Fault.DRIP and rule:
            for place in range(len(body)):
                self._write(body[place : place + 1], chunked)
                if self.stop.wait(rule.seconds if rule.seconds is not None else 0.1):
                    return False
        else:
            self._write(body, chunked)
        while fault is Fault.ENDLESS and not self.stop.is_set():
            self._write(b" " * _PIECE, chunked)
        if chunked and complete:
            self.connection.sendall(b"0\r\n\r\n")
        return True

    def _write(self, data: bytes, chunked: bool) -> None:
        for start in range(0, len(data), _PIECE):
            for piece in self.sent(data[start : start + _PIECE]):
                self.connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece) if chunked else piece)

    def reset(self) -> bool:
        """Close so that the client sees a reset (RST): lingering for no time."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        return False
