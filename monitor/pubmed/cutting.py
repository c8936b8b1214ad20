"""A stream of XML cut into whole records: about 96 KiB at a time, nothing parsed, nothing expanded.

Chunks of this size keep libxml2's tree in the processor's cache and memory flat, and since each chunk
stands alone a broken record spoils only itself.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import Final

from monitor.errors import IncompleteResponse

CHUNK: Final = 96 * 1024
LARGEST_RECORD: Final = 64 * 1024 * 1024
_LARGEST_PROLOG: Final = 64 * 1024
_LARGEST_ASIDE: Final = 8 * 1024 * 1024
"""A comment, CDATA section or processing instruction that runs longer is taken for a broken one."""

MATHML: Final = b'xmlns:mml="http://www.w3.org/1998/Math/MathML"'
_ROOTS: Final = {
    b"PubmedArticleSet": b"Pubmed(?:Book)?Article",
    b"PubmedBookArticleSet": b"PubmedBookArticle",
    b"MedlineCitationSet": b"MedlineCitation",
    b"BookDocumentSet": b"BookDocument",
}
_LONE: Final = (b"PubmedArticle", b"PubmedBookArticle")

_START_TAG: Final = re.compile(rb"<([A-Za-z_][\w.:-]*)((?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*)>")
_DOCTYPE: Final = re.compile(rb"<!DOCTYPE(?:[^\[<>\"']|\"[^\"]*\"|'[^']*')*([>\[])")
_ENCODING: Final = re.compile(rb"\s*<\?xml[^>]{0,200}?\sencoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_ERROR: Final = re.compile(rb"<(?:ERROR|error|Error)>([^<]*)<")
_CLOSERS: Final = {b"<!--": b"-->", b"<![CDATA[": b"]]>", b"<?": b"?>"}
_TEXT_CODECS: Final = (
    "ascii",
    "utf",
    "iso8859",
    "cp12",
    "latin",
    "gb",
    "big5",
    "shift_jis",
    "euc",
    "koi8",
    "mac-roman",
)


class Cutter:
    """Reads the prolog at once; `chunks` then yields whole records, and `rest` holds what follows the last one.

    `head` and `tail` make a document of any chunk. They declare the `mml` prefix, as NLM's DTD does.
    """

    def __init__(self, source: Iterable[bytes]) -> None:
        self._source = _as_utf8(source)
        self._buffer = bytearray()
        self._ended = False
        self._failure: IncompleteResponse | None = None
        self._careful = False
        self.oversized = b""
        self.rest = b""
        self.root, attributes, self.closed = self._read_prolog()
        self.lone = self.root in _LONE
        name = b"PubmedArticleSet" if self.lone else self.root
        record = b"Pubmed(?:Book)?Article" if self.lone else _ROOTS[self.root]
        self.head = b"<" + name + attributes + (b"" if b"xmlns:mml" in attributes else b" " + MATHML) + b">"
        self.tail = b"</" + name + b">"
        self._usual_end = b"</" + record.replace(b"(?:Book)?", b"") + b">"
        self._end = re.compile(rb"</" + record + rb"\s*>")
        self._start = re.compile(rb"<" + record + rb"(?=[\s/>])")
        self._token = re.compile(rb"<!--|<!\[CDATA\[|<\?|</" + record + rb"\s*>")
        self._root_end = re.compile(rb"</" + self.root + rb"\s*>")

    # -- reading

    def _fill(self, size: int) -> None:
        """Read until the buffer holds `size` bytes or the source has ended."""
        while len(self._buffer) < size and not self._ended:
            try:
                self._buffer += next(self._source)
            except StopIteration:
                self._ended = True
            except IncompleteResponse as failure:
                self._ended, self._failure = True, failure

    def _read_prolog(self) -> tuple[bytes, bytes, bool]:
        self._fill(_LARGEST_PROLOG)
        start = bytes(self._buffer[:_LARGEST_PROLOG])
        at = _skip_misc(start, 0)
        doctype = _DOCTYPE.match(start, at)
        if doctype is not None:
            if doctype[1] == b"[":
                raise IncompleteResponse("the document brings its own DTD declarations, which are refused unread")
            at = _skip_misc(start, doctype.end())
        tag = _START_TAG.match(start, at)
        if tag is None:
            raise self._failure or IncompleteResponse(_what_it_is(start, at))
        name, attributes = tag[1], tag[2]
        closed = attributes.rstrip().endswith(b"/")
        if name in _LONE:
            del self._buffer[:at]
            return name, b"", False
        if name not in _ROOTS:
            raise IncompleteResponse(_what_it_is(start, at))
        if re.search(rb"\sxmlns\s*=", attributes):
            raise IncompleteResponse("the elements stand in a foreign namespace; this is not PubMed's XML")
        del self._buffer[: tag.end()]
        return name, attributes.rstrip().removesuffix(b"/"), closed

    # -- cutting

    def chunks(self) -> Iterator[bytes | None]:
        """Yield whole records, many at a time; None stands for a record too large to be read,
        whose beginning is then `oversized`.

        The first cut takes no notice of comments and CDATA, of which NLM sends none. Cut inside one of them,
        a chunk cannot be parsed; given back, it is cut again with care.
        """
        wanted = CHUNK
        skipping = False
        while True:
            self._fill(wanted)
            if skipping:
                found = self._end.search(self._buffer)
                if found is None:
                    if self._ended:
                        break
                    del self._buffer[:-64]
                    continue
                del self._buffer[: found.end()]
                skipping = False
                continue
            cut = self._cut()
            if cut:
                with memoryview(self._buffer) as view:
                    chunk = bytes(view[:cut])
                del self._buffer[:cut]
                wanted = CHUNK
                yield chunk
            elif self._ended:
                break
            elif len(self._buffer) > LARGEST_RECORD:
                self.oversized = bytes(self._buffer[:_LARGEST_PROLOG])
                del self._buffer[:-64]
                yield None
                skipping = True
                wanted = CHUNK
            else:
                wanted = 2 * len(self._buffer)
        self.rest = bytes(self._buffer)
        self._buffer.clear()

    def accept(self) -> None:
        """Note that the last chunk could be parsed."""
        self._careful = False

    def give_back(self, chunk: bytes) -> bool:
        """Take a chunk that cannot be parsed; False if it was cut with care and is simply broken."""
        if self._careful:
            self._careful = False
            return False
        self._buffer[:0] = chunk
        self._careful = True
        return True

    def _cut(self) -> int:
        """Where the last record within a chunk's length ends, else the first one; 0 if none does."""
        if self._careful:
            return next(reversed(self.ends(self._buffer, self._ended, CHUNK)), 0)
        return self._last_end(CHUNK)

    def _last_end(self, limit: int) -> int:
        at = self._buffer.rfind(self._usual_end, 0, limit)
        if at >= 0:
            return at + len(self._usual_end)
        found = self._end.search(self._buffer)
        return found.end() if found is not None else 0

    def ends(self, data: bytes | bytearray, complete: bool, limit: int | None = None) -> list[int]:
        """Where records end, comments, CDATA sections and processing instructions respected.

        One that never closes is broken and taken for text, so that it cannot swallow the records behind it.
        """
        found: list[int] = []
        closing = _Closers(data)
        at = 0
        while (token := self._token.search(data, at)) is not None:
            if limit is not None and found and token.end() > limit:
                break
            closer = _CLOSERS.get(token[0])
            if closer is None:
                found.append(token.end())
                at = token.end()
                continue
            at = closing.after(token.end(), closer)
            if at < 0:
                if not complete and len(data) - token.start() < _LARGEST_ASIDE:
                    break
                at = token.end()
        return found

    def starts(self, data: bytes) -> list[int]:
        return [found.start() for found in self._start.finditer(data)]

    def is_root_tag_in(self, data: bytes) -> bool:
        return self._root_end.search(data) is not None

    # -- the end

    def finish(self) -> tuple[bytes, str | None]:
        """Content between the last record and the root's end tag, and why the document is not whole, if so."""
        if self._failure is not None:
            return b"", str(self._failure)
        if self.lone or self.closed:
            return b"", None if _is_misc(self.rest) else "something follows the end of the document"
        end = self._root_end.search(self.rest)
        if end is None:
            return b"", f"the end of {self.root.decode()} is missing; the answer was cut off"
        if not _is_misc(self.rest[end.end() :]):
            return self.rest[: end.start()], "something follows the end of the document"
        return self.rest[: end.start()], None


class _Closers:
    """Where comments, CDATA sections and instructions end. However many never do, no byte is searched twice for one."""

    def __init__(self, data: bytes | bytearray) -> None:
        self._data = data
        self._known: dict[bytes, tuple[int, int]] = {}

    def after(self, at: int, closer: bytes) -> int:
        """Return where what begins at `at` is over; -1 if it is not, or not as XML demands."""
        if closer == b"-->":
            # "--" may stand in no comment but at its end, so the next one tells.
            end = self._next(at, b"--")
            return end + 3 if end >= 0 and self._data[end : end + 3] == closer else -1
        end = self._next(at, closer)
        return end + len(closer) if end >= 0 else -1

    def _next(self, at: int, wanted: bytes) -> int:
        """Find what is wanted no further off than an aside may be long; `at` never goes back."""
        place, searched = self._known.get(wanted, (-1, 0))
        if place < at:
            limit = min(at + _LARGEST_ASIDE, len(self._data))
            place = self._data.find(wanted, max(at, searched), limit)
            # A beginning of what is wanted may stand at the limit.
            self._known[wanted] = place, max(at, limit - len(wanted) + 1) if place < 0 else place
        return place


def _skip_misc(data: bytes, at: int) -> int:
    while True:
        while data[at : at + 1].isspace():
            at += 1
        for opener, closer in ((b"<!--", b"-->"), (b"<?", b"?>")):
            if data.startswith(opener, at):
                end = data.find(closer, at)
                if end < 0:
                    return len(data)
                at = end + len(closer)
                break
        else:
            return at


def _is_misc(data: bytes) -> bool:
    return _skip_misc(data, 0) == len(data)


def _what_it_is(start: bytes, at: int) -> str:
    """Say in a sentence what came instead of records."""
    body = start[at:].lstrip()
    if not start.strip():
        return "the answer is empty"
    if not body:
        return "the answer holds an XML prolog and nothing else"
    if body[:1] in b"{[":
        return "the answer is JSON, not PubMed XML"
    if (error := _ERROR.search(body)) is not None:
        said = " ".join(error[1].decode("utf-8", "replace").split())
        return f"the answer is an error: {said[:200]}"
    if body[:200].lower().startswith((b"<html", b"<!doctype html")):
        return "the answer is an HTML page, not PubMed XML"
    if (tag := re.match(rb"<([\w.:-]+)", body)) is not None:
        return f"the document is a {tag[1].decode('utf-8', 'replace')[:80]}, not a PubmedArticleSet"
    return "the answer is not XML"


def _as_utf8(source: Iterable[bytes]) -> Iterator[bytes]:
    """The stream in UTF-8 without byte order mark, in pieces of at most a chunk."""
    pieces = _pieces(source)
    start = b""
    for piece in pieces:
        start += piece
        if len(start) >= 1024:
            break
    encoding, mark = _encoding(start)
    start = start[mark:]
    if encoding is None:
        yield start
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder(encoding)(errors="surrogateescape")
    yield decoder.decode(start).encode("utf-8", "surrogatepass")
    for piece in pieces:
        yield decoder.decode(piece).encode("utf-8", "surrogatepass")
    # What cannot be decoded becomes invalid UTF-8 and so costs only its own record.
    yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")


def _encoding(start: bytes) -> tuple[str | None, int]:
    """Encoding to decode from (None for UTF-8) and the length of the byte order mark."""
    for mark, name in (
        (codecs.BOM_UTF8, None),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if start.startswith(mark):
            return name, len(mark)
    if start[:4] == b"<\0?\0":
        return "utf-16-le", 0
    if start[:4] == b"\0<\0?":
        return "utf-16-be", 0
    declared = _ENCODING.match(start)
    if declared is None:
        return None, 0
    label = declared[1].decode("ascii")
    try:
        name = codecs.lookup(label).name
    except LookupError:
        name = ""
    if not name.startswith(_TEXT_CODECS):
        raise IncompleteResponse(f"the document claims the encoding {label!r}, which is not known here")
    return (None if name in ("utf-8", "ascii") or name.startswith("utf-16") else name), 0


def _pieces(source: Iterable[bytes]) -> Iterator[bytes]:
    for piece in source:
        if len(piece) <= CHUNK:
            yield piece
        else:
            for at in range(0, len(piece), CHUNK):
                yield piece[at : at + CHUNK]
