"""JSON Lines, the lossless form: one object per citation, every element, and exactly back again.

Names and nesting are those of the types in `core.citation`. What is missing (`None`) or empty (no items) is left out.
Titles, abstracts and other mixed content are inline XML, so a reader gets back each subscript.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

from monitor.core.citation import Citation, InlineXml
from monitor.errors import UsageError

Convert = Callable[[Any], Any]


def write(citations: Iterable[Citation]) -> Iterator[str]:
    """Yield one line per citation. Characters beyond ASCII stand as themselves; no line end inside a line."""
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    for citation in citations:
        text = encode(to_object(citation))
        yield text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\x85", "\\u0085") + "\n"


def read(lines: Iterable[str]) -> Iterator[Citation]:
    """Read what `write` wrote; blank lines are skipped. Raise UsageError that names the line."""
    for number, text in enumerate(lines, 1):
        if not text.strip():
            continue
        try:
            yield from_object(json.loads(text))
        except ValueError as error:
            raise UsageError(f"line {number}: not JSON: {error}") from error
        except UsageError as error:
            raise UsageError(f"line {number}: {error}") from error


def to_object(citation: Citation) -> dict[str, Any]:
    """Turn a citation into plain JSON values, leaving out what is missing."""
    return typing.cast("dict[str, Any]", _writer(Citation)(citation))


def from_object(obj: dict[str, Any]) -> Citation:
    """Turn `to_object`'s result back into an equal citation. Raise UsageError that names the place."""
    return typing.cast("Citation", _reader(Citation)(obj))


def members(kind: Any) -> tuple[tuple[str, Any, bool], ...]:
    """Name, type and whether it must be given, for each field of one of the types of `core.citation`."""
    hints = typing.get_type_hints(kind)
    if dataclasses.is_dataclass(kind):
        needed = {each.name for each in dataclasses.fields(kind) if each.default is dataclasses.MISSING}
    else:
        needed = set(kind._fields) - set(kind._field_defaults)
    return tuple((name, hint, name in needed and not may_be_left_out(hint)) for name, hint in hints.items())


def may_be_left_out(hint: Any) -> bool:
    """Say whether None or an empty tuple is among the values, so that absence means it."""
    return typing.get_origin(hint) is tuple or type(None) in typing.get_args(hint)


def inner(hint: Any) -> Any:
    """`X` of `X | None`, of `tuple[X, ...]`, or the type itself."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (only,) = (each for each in typing.get_args(hint) if each is not type(None))
        return only
    return typing.get_args(hint)[0] if typing.get_origin(hint) is tuple else hint


def is_leaf(hint: Any) -> bool:
    return hint in (str, int, bool, InlineXml)


@cache
def _writer(kind: Any) -> Convert:
    """Compile once how a value of this type is written."""
    names = [name for name, _, _ in members(kind)]
    plain = {name for name, hint, _ in members(kind) if is_leaf(inner(hint))}
    lists = {name for name, hint, _ in members(kind) if typing.get_origin(hint) is tuple}
    # A type that holds itself is looked up when it is needed, not while it is compiled.
    kinds = {name: inner(hint) for name, hint, _ in members(kind)}

    def one(value: Any) -> dict[str, Any]:
        out = {}
        for name in names:
            each = getattr(value, name)
            if each is None or each == ():
                continue
            if name in lists:
                convert = _same if name in plain else _writer(kinds[name])
                out[name] = [convert(item) for item in each]
            elif name in plain:
                out[name] = each
            else:
                out[name] = _writer(kinds[name])(each)
        return out

    return one


def _same(value: Any) -> Any:
    return value


@cache
def _reader(kind: Any) -> Convert:
    """Compile once how a value of this type is read."""
    readers = {name: _field_reader(hint, f"{kind.__name__}.{name}") for name, hint, _ in members(kind)}
    needed = [name for name, _, must in members(kind) if must]
    absent = {
        name: () if typing.get_origin(hint) is tuple else None
        for name, hint, _ in members(kind)
        if may_be_left_out(hint) and not _has_default(kind, name)
    }

    def one(obj: Any) -> Any:
        if not isinstance(obj, dict):
            raise UsageError(f"{kind.__name__}: an object is needed, not {_called(obj)}")
        for name in needed:
            if name not in obj:
                raise UsageError(f"{kind.__name__}: {name} is missing")
        values = dict(absent)
        for name, value in obj.items():
            reader = readers.get(name)
            if reader is None:
                raise UsageError(f"{kind.__name__}: {name} is not known")
            values[name] = reader(value)
        return kind(**values)

    return one


def _has_default(kind: Any, name: str) -> bool:
    if dataclasses.is_dataclass(kind):
        return any(each.name == name and each.default is not dataclasses.MISSING for each in dataclasses.fields(kind))
    return name in kind._field_defaults


def _field_reader(hint: Any, where: str) -> Convert:
    one = _leaf_reader(inner(hint), where) if is_leaf(inner(hint)) else lambda value: _reader(inner(hint))(value)
    if typing.get_origin(hint) is tuple:

        def many(value: Any) -> Any:
            if not isinstance(value, list):
                raise UsageError(f"{where}: an array is needed, not {_called(value)}")
            return tuple([one(each) for each in value])

        return many
    if may_be_left_out(hint):
        return lambda value: None if value is None else one(value)
    return one


def _leaf_reader(hint: Any, where: str) -> Convert:
    wanted = str if hint is InlineXml else hint
    called = {str: "text", int: "a whole number", bool: "true or false"}[wanted]

    def leaf(value: Any) -> Any:
        if type(value) is not wanted:
            raise UsageError(f"{where}: {called} is needed, not {_called(value)}")
        return value

    return leaf


def _called(value: Any) -> str:
    return {"dict": "an object", "list": "an array", "NoneType": "null", "str": "text"}.get(
        type(value).__name__, json.dumps(value, default=repr)[:40]
    )
