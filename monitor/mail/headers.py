"""Header text and addresses, encoded by us: the standard library folds them wrongly and has let lines be injected.

Titles in subjects come from strangers. Whatever they hold, one header stays one header, and two independent decoders
read back the same text (RFC 2047, RFC 5322 section 2.2.3).
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Collection

from monitor.core.address import read_address
from monitor.errors import MessageRefused, UsageError

LINE_LIMIT = 998
"""Octets in one line without its CRLF, RFC 5322 section 2.1.1."""

_GAPS = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")
_SURROGATES = re.compile(r"[\ud800-\udfff]")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9-]*")
_FIRST_ROOM = 76
_ROOM = 75
_FOLD_AT = 76
_LONG_WORD = 750


def one_line(value: str) -> str:
    """Collapse whitespace and control characters into single spaces; lone surrogates become the replacement mark."""
    return _SURROGATES.sub("\ufffd", _GAPS.sub(" ", value)).strip()


def text_header(name: str, value: str) -> str:
    """Return the folded header line(s) of unstructured text, without the final CRLF."""
    value = one_line(value)
    if not value:
        raise MessageRefused(f"the {name} header is empty")
    if _needs_encoding(value) or any(len(word) > _LONG_WORD for word in value.split(" ")):
        return f"{name}: {_encoded_words(value, _FIRST_ROOM - len(name) - 2)}"
    return _folded(name, value)


def mailbox_header(name: str, display: str | None, address: str) -> str:
    """Return a header holding one mailbox, its domain in ASCII; `display` is None for a bare address."""
    spec = address_on_the_wire(address)
    return phrase_header(name, display, spec) if display and one_line(display) else f"{name}: {spec}"


def phrase_header(name: str, phrase: str, angled: str) -> str:
    """Return a header of the form `phrase <angled>`; what stands in the angle brackets is the caller's to check."""
    phrase = one_line(phrase)
    if _needs_encoding(phrase) or len(phrase) > _LONG_WORD:
        words = _encoded_words(phrase, _FIRST_ROOM - len(name) - 2)
    elif _ATOMS.fullmatch(phrase):
        words = phrase
    else:
        words = '"' + re.sub(r'(["\\])', r"\\\1", phrase) + '"'
    return f"{name}: {words}\r\n <{angled}>"


def address_on_the_wire(address: str) -> str:
    """Return the address as SMTP and headers carry it, its domain in ASCII.

    A local part may be UTF-8 (RFC 6531); whether the relay takes it is known only in the conversation.
    """
    try:
        return read_address(address).text
    except UsageError as cause:
        raise MessageRefused(str(cause)) from cause


def check_header_block(block: bytes, expected: Collection[str], *, utf8: Collection[str] = ()) -> None:
    """Refuse a header block (up to and with the empty line) that is not exactly these headers, once each.

    Only headers named in `utf8` may hold octets above 127 (RFC 6532).
    """
    if not block.endswith(b"\r\n\r\n"):
        raise MessageRefused("the header block does not end in an empty line")
    if b"\0" in block:
        raise MessageRefused("the header block holds a NUL")
    lines = block[:-4].split(b"\r\n")
    seen: set[str] = set()
    name = ""
    for line in lines:
        if b"\r" in line or b"\n" in line:
            raise MessageRefused("the header block holds a line end that is not CRLF")
        if len(line) > LINE_LIMIT:
            raise MessageRefused(f"a header line has {len(line)} octets, more than {LINE_LIMIT}")
        if line[:1] in (b" ", b"\t"):
            if not name or not line.strip():
                raise MessageRefused("the header block holds a stray folded line")
        else:
            raw, colon, _ = line.partition(b":")
            if not colon or not _NAME.fullmatch(raw):
                raise MessageRefused(f"{line[:60]!r} is not a header")
            name = raw.decode("ascii")
            if name not in expected:
                raise MessageRefused(f"an unexpected header {name}")
            if name in seen:
                raise MessageRefused(f"the header {name} stands twice")
            seen.add(name)
        if not line.isascii() and name not in utf8:
            raise MessageRefused(f"the header {name} holds octets that are not ASCII")
    missing = [each for each in expected if each not in seen]
    if missing:
        raise MessageRefused(f"missing headers: {', '.join(missing)}")


def _needs_encoding(value: str) -> bool:
    return not value.isascii() or "=?" in value


def _encoded_words(value: str, first_room: int) -> str:
    """Encode the whole value as base64 encoded-words of at most 75 columns, split between characters."""
    words: list[str] = []
    chunk = bytearray()
    room = min(first_room, _ROOM)
    for character in value:
        encoded = character.encode()
        if chunk and len("=?utf-8?b??=") + (len(chunk) + len(encoded) + 2) // 3 * 4 > room:
            words.append(_encoded_word(bytes(chunk)))
            chunk.clear()
            room = _ROOM
        chunk += encoded
    words.append(_encoded_word(bytes(chunk)))
    return "\r\n ".join(words)


def _encoded_word(chunk: bytes) -> str:
    return f"=?utf-8?b?{binascii.b2a_base64(chunk, newline=False).decode('ascii')}?="


def _folded(name: str, value: str) -> str:
    lines = [f"{name}:"]
    for word in value.split(" "):
        if len(lines[-1]) + 1 + len(word) > _FOLD_AT and lines[-1] != f"{name}:":
            lines.append("")
        lines[-1] += f" {word}"
    return "\r\n".join(lines)
