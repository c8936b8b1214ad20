"""The collection that the tests of the API share; whoever changes something takes the fresh one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.web.api.conforming import Description, Program
from tests.web.members import Collection, collection


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collection]:
    with collection(tmp_path_factory.mktemp("api")) as found:
        yield found


@pytest.fixture(scope="module")
def described(held: Collection) -> Description:
    return Description(held.place)


@pytest.fixture(scope="module")
def reader(held: Collection, described: Description) -> Program:
    return Program(held.place, described, "member", "read")


@pytest.fixture(scope="module")
def admin(held: Collection, described: Description) -> Program:
    return Program(held.place, described, "admin", "admin")


@pytest.fixture
def changing(tmp_path: Path) -> Iterator[tuple[Collection, Callable[..., Program]]]:
    """A collection of one's own, and programs of any role and scopes."""
    with collection(tmp_path / "fresh") as found:
        description = Description(found.place)
        yield found, lambda role, *scopes: Program(found.place, description, role, *scopes)
