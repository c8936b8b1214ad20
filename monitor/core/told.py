"""Sentences that are made of a pattern and values, so that who shows them can say them in another language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Value = object
NOTHING: Final[Mapping[str, Value]] = {}


class Told(str):
    """A sentence in English that knows its pattern; `many` is the pattern for more than one of `number`.

    Values may be Told themselves. Anything that takes a text takes it as it stands.
    """

    __slots__ = ("many", "number", "pattern", "values")
    pattern: str
    values: Mapping[str, Value]
    many: str | None
    number: int

    def __new__(cls, pattern: str, values: Mapping[str, Value], many: str | None = None, number: int = 1) -> Told:
        """Write the English sentence."""
        chosen = pattern if many is None or number == 1 else many
        made = super().__new__(cls, chosen % values if values else chosen)
        made.pattern, made.values, made.many, made.number = pattern, values, many, number
        return made


def told(pattern: str, /, **values: Value) -> Told:
    """Say something; `%(name)s` in the pattern stands for a value. Message extraction looks for this name."""
    return Told(pattern, values)


def counted(one: str, many: str, number: int, /, **values: Value) -> Told:
    """Say something of a number of things; `%(number)s` stands for it."""
    return Told(one, {"number": number, **values}, many, number)
