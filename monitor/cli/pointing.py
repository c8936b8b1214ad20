"""Showing where in a search something is wrong: the text with a mark under the place."""

from __future__ import annotations

import unicodedata

WIDTH = 76
BEFORE = 56
"""Of a long search the part around the place is shown, with most of what was read before it."""


def pointed(text: str, column: int) -> str:
    """Return the text, or the part around `column` (counted from 1), with a caret under that character."""
    shown = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    at = min(max(column - 1, 0), len(shown))
    start = max(0, min(at - BEFORE, len(shown) - WIDTH))
    end = min(len(shown), start + WIDTH)
    left, right = "…" if start else "", "…" if end < len(shown) else ""
    room = len(left) + sum(map(_cells, shown[start:at]))
    return f"  {left}{shown[start:end]}{right}\n  {' ' * room}^"


def _cells(character: str) -> int:
    """Count the terminal's columns that a character takes (Unicode Annex 11; marks stand on the one before)."""
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
