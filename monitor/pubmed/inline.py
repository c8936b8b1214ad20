"""Mixed content as canonical inline XML: text escaped one way, markup and MathML kept verbatim."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from monitor.core.citation import InlineXml

DEEPEST: Final = 150
"""Markup nested deeper than this is an attack on whoever walks it."""

_XML: Final = "http://www.w3.org/XML/1998/namespace"


class Element(Protocol):
    """What we use of an lxml element. Comments and processing instructions never reach us, so a tag is a name."""

    tag: str
    text: str | None
    tail: str | None
    prefix: str | None
    nsmap: dict[str | None, str]

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Element]: ...
    def __getitem__(self, which: slice) -> list[Element]: ...
    def keys(self) -> list[str]: ...
    def items(self) -> list[tuple[str, str]]: ...
    def get(self, key: str) -> str | None: ...
    def itertext(self) -> Iterator[str]: ...
    def iterancestors(self) -> Iterator[Element]: ...


class Unreadable(Exception):
    """A record breaks a rule that the rest of the code relies on; becomes a `RecordError` with its PMID."""


def too_deep(what: str) -> Unreadable:
    return Unreadable(f"{what} are nested too deeply")


def inline(element: Element) -> InlineXml:
    """Inner XML of an element. Namespaces are declared where they are first used, so the fragment stands alone."""
    value = element.text
    if not len(element):
        if not value:
            return InlineXml("")
        if "&" in value or "<" in value or ">" in value or "\r" in value:
            value = _escape(value)
        return InlineXml(value)
    out = [_escape(value)] if value else []
    for child in element[:]:
        _write(child, out, {}, 0)
        if child.tail:
            out.append(_escape(child.tail))
    return InlineXml("".join(out))


def whole(element: Element) -> str:
    """Outer XML of an element, without what follows it."""
    out: list[str] = []
    _write(element, out, {}, 0)
    return "".join(out)


def _write(element: Element, out: list[str], declared: dict[str | None, str], depth: int) -> None:
    if depth > DEEPEST:
        raise too_deep("elements")
    name = element.tag
    fresh: dict[str | None, str] = {}
    if name[0] == "{":
        space, _, local = name[1:].partition("}")
        prefix = element.prefix
        if declared.get(prefix) != space:
            fresh[prefix] = space
        name = f"{prefix}:{local}" if prefix else local
    elif declared.get(None):
        fresh[None] = ""
    pairs = []
    for key, value in element.items():
        if key[0] == "{":
            space, _, local = key[1:].partition("}")
            if space == _XML:
                key = f"xml:{local}"
            else:
                prefix = next(p for p, each in element.nsmap.items() if each == space and p)
                if declared.get(prefix) != space:
                    fresh[prefix] = space
                key = f"{prefix}:{local}"
        pairs.append(f' {key}="{_escape_value(value)}"')
    if fresh:
        declared = declared | fresh
        for prefix, space in fresh.items():
            pairs.append(f' xmlns{":" + prefix if prefix else ""}="{_escape_value(space)}"')
    attributes = "".join(pairs)
    text = element.text
    if not text and not len(element):
        out.append(f"<{name}{attributes}/>")
        return
    out.append(f"<{name}{attributes}>")
    if text:
        out.append(_escape(text))
    for child in element[:]:
        _write(child, out, declared, depth + 1)
        if child.tail:
            out.append(_escape(child.tail))
    out.append(f"</{name}>")


def _escape(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def _escape_value(value: str) -> str:
    value = _escape(value).replace('"', "&quot;")
    return value.replace("\n", "&#10;").replace("\t", "&#9;")
