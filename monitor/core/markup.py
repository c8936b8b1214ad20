"""Inline XML of titles and abstracts as readable text, as searchable text, and as safe HTML."""

from __future__ import annotations

import re
from html import escape
from typing import NamedTuple

from monitor.core.citation import InlineXml

_TAG = re.compile(r"<(/?)([A-Za-z_][\w.:-]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*?)(/?)>")
_SPACE = re.compile(r"\s+")
_SUPERSCRIPTS = dict(zip("0123456789+-=()in", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁱⁿ", strict=True))
_SUPERSCRIPTS["−"] = "⁻"
_SUBSCRIPTS = dict(zip("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎", strict=True))
_SUBSCRIPTS["−"] = "₋"
_SCRIPTS = {"sup": (_SUPERSCRIPTS, "^"), "sub": (_SUBSCRIPTS, "_")}
_SAFE = frozenset({"b", "i", "sub", "sup", "u"})


def escape_text(text: str) -> InlineXml:
    """Turn plain text into inline XML."""
    return InlineXml(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def plain(xml: InlineXml | None) -> str:
    """Readable text: tags dropped, white space collapsed, super- and subscripts kept apart from their base.

    Where Unicode has the raised or lowered character it is used (`10<sup>3</sup>` -> `10³`); otherwise the
    script is written `^x` or `_x`, in parentheses when longer than one character. None gives `""`.
    """
    if not xml:
        return ""
    if "<" not in xml:
        return _unescape(_SPACE.sub(" ", xml).strip())
    out: list[str] = []
    stack: list[tuple[str, int]] = []
    at = 0
    for tag in _TAG.finditer(xml):
        out.append(xml[at : tag.start()])
        at = tag.end()
        closing, name, _, empty = tag.groups()
        if name not in _SCRIPTS or empty:
            continue
        if not closing:
            stack.append((name, len(out)))
        elif stack and stack[-1][0] == name:
            _, start = stack.pop()
            out[start:] = [_script(name, "".join(out[start:]))]
    out.append(xml[at:])
    return _unescape(_SPACE.sub(" ", "".join(out)).strip())


def bare(xml: InlineXml | None) -> str:
    """Searchable text: tags dropped and nothing else changed but white space, so `CO<sub>2</sub>` is `CO2`."""
    return " ".join(loose(xml).split())


def loose(xml: InlineXml | None) -> str:
    """What `bare` gives, white space as it stands: as many words, sooner."""
    if not xml:
        return ""
    return _unescape(_TAG.sub("", xml) if "<" in xml else xml)


def safe_html(xml: InlineXml | None) -> str:
    """HTML that keeps `b i sub sup u` without attributes and drops every other tag; all text is escaped.

    Unbalanced tags are closed or dropped, so the result never breaks the page around it.
    """
    if not xml:
        return ""
    out: list[str] = []
    stack: list[str] = []
    at = 0
    for tag in _TAG.finditer(xml):
        out.append(escape(_unescape(xml[at : tag.start()])))
        at = tag.end()
        closing, name, _, empty = tag.groups()
        if name not in _SAFE or empty:
            continue
        if not closing:
            stack.append(name)
            out.append(f"<{name}>")
        elif name in stack:
            while stack:
                inner = stack.pop()
                out.append(f"</{inner}>")
                if inner == name:
                    break
    out.append(escape(_unescape(xml[at:])))
    out.extend(f"</{name}>" for name in reversed(stack))
    return _SPACE.sub(" ", "".join(out)).strip()


class Run(NamedTuple):
    """Characters that stand under the same tags, the outermost first."""

    text: str
    tags: tuple[str, ...] = ()


def runs(xml: InlineXml | None) -> tuple[Run, ...]:
    """Return the text that `bare` gives, cut where markup begins or ends, so that it can be marked up again in pieces."""
    if not xml:
        return ()
    found: list[Run] = []
    stack: list[str] = []
    at = 0
    spaced = True
    for tag in [*_TAG.finditer(xml), None]:
        text = _SPACE.sub(" ", _unescape(xml[at : tag.start() if tag is not None else len(xml)]))
        if spaced:
            text = text.removeprefix(" ")
        if text:
            found.append(Run(text, tuple(dict.fromkeys(stack))))
            spaced = text.endswith(" ")
        if tag is None:
            break
        at = tag.end()
        closing, name, _, empty = tag.groups()
        if name not in _SAFE or empty:
            continue
        if not closing:
            stack.append(name)
        elif name in stack:
            del stack[len(stack) - 1 - stack[::-1].index(name) :]
    if found and spaced:
        last = found.pop()
        if last.text != " ":
            found.append(last._replace(text=last.text[:-1]))
    return tuple(found)


def _script(name: str, inner: str) -> str:
    table, mark = _SCRIPTS[name]
    text = _unescape(inner)
    if not text.strip():
        return inner
    if all(c in table for c in text):
        return "".join(table[c] for c in text)
    return f"{mark}{inner}" if len(text) == 1 else f"{mark}({inner})"


def _unescape(text: str) -> str:
    if "&" not in text:
        return text
    return (
        text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", '"')
        .replace("&apos;", "'")
        .replace("&amp;", "&")
    )
