"""Bytes of a file made elsewhere as text and lines, and what one of its entries comes to."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from monitor.core.citation import Citation

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")
_LINE_END = re.compile(r"\r\n|\r|\n")


class NamedRecord(NamedTuple):
    """One entry of a file that names records.

    `pmid` is None where the entry has none that can be trusted: list it for the person who imports. `line` is where
    the entry begins, counted from 1. `citation` is provisional: what the format says, replaced whole by the record.
    """

    pmid: int | None
    title: str | None
    line: int
    citation: Citation | None


def decode(data: bytes, *, cut: bool = False) -> str:
    """Decode by byte order mark, else as UTF-8, else as Windows-1252, which old reference managers write.

    `cut` says that the end may lie within a character.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode("utf-16", errors="replace")
    else:
        try:
            text = codecs.getincrementaldecoder("utf-8-sig")().decode(data, final=not cut)
        except UnicodeDecodeError:
            text = data.decode("cp1252", errors="replace")
    return text


def lines_of(text: str) -> list[str]:
    """Split at CR LF, CR or LF and nothing else; control characters vanish."""
    return _LINE_END.split(_CONTROL.sub("", text).removeprefix("\ufeff"))


def pmid_of(text: str) -> int | None:
    """A PMID written in digits: one to eight of them, no leading zero; anything else is None."""
    return int(text) if re.fullmatch(r"[1-9][0-9]{0,7}", text) else None


def year_of(text: str) -> int | None:
    """The first four-digit year from 1500 to 2999."""
    found = re.search(r"(?<![0-9])(1[5-9][0-9]{2}|2[0-9]{3})(?![0-9])", text)
    return int(found.group()) if found is not None else None
