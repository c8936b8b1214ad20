"""What JSON values have in common here, and the parameters that several routes take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, TypeVar

from fastapi import Path, Query
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from monitor.core.pmid import LARGEST_PMID

LIMIT: Final = 50
MOST: Final = 200
LARGEST: Final = 2**53 - 1
"""The largest whole number that every JSON reader keeps."""

T = TypeVar("T")


class Shape(BaseModel):
    """An object of an answer, made from a value of the same names; every member stands in it, if only as null."""

    model_config = ConfigDict(extra="forbid", frozen=True, from_attributes=True)


class Body(BaseModel):
    """An object that is sent. Nothing is converted and nothing unknown is passed over."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def digits(value: object) -> object:
    if isinstance(value, str) and not (
        value.isascii() and value.isdigit() and (value == "0" or not value.startswith("0"))
    ):
        raise ValueError("a whole number is needed, in plain digits")
    return value


def _true_or_false(value: object) -> object:
    if isinstance(value, str) and value not in ("true", "false"):
        raise ValueError("write true or false")
    return value


def _text(value: str) -> str:
    if "\0" in value:
        raise ValueError("no character may be NUL")
    return value


Pmid = Annotated[
    int,
    Field(ge=1, le=LARGEST_PMID),
    BeforeValidator(digits),
    Path(description="The paper's PMID.", examples=[90000001]),
]
Counted = Annotated[int, Field(ge=1, le=LARGEST), BeforeValidator(digits)]
Number = Annotated[Counted, Path(description="Its number.", examples=[1])]
Text = Annotated[str, AfterValidator(_text)]
Flag = Annotated[bool, BeforeValidator(_true_or_false)]
Limit = Annotated[
    int,
    Field(ge=1, le=MOST),
    BeforeValidator(digits),
    Query(description="How many one page holds.", examples=[LIMIT]),
]
Cursor = Annotated[
    Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,80}$")] | None,
    Query(
        description="`next` of the page before, unchanged; every other parameter as it was.",
    ),
]


def of(kind: type[T], values: Sequence[Any]) -> tuple[T, ...]:
    """Make an object of each of these values."""
    made: Any = kind
    return tuple(made.model_validate(each) for each in values)
