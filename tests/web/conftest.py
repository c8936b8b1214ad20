"""The site that the tests of pages share; whoever changes something takes the fresh one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tests.web.desk import Desk, desk
from tests.web.site import World, world


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("site")) as found:
        yield found


@pytest.fixture
def fresh(tmp_path: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path / "fresh") as found:  # type: ignore[operator]
        yield found


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Desk]:
    """A desk of one's own, with the starter topics and a person of each role."""
    with desk(tmp_path / "desk") as found:
        yield found


def browser(world: World, client: tuple[str, int] = ("127.0.0.1", 50000), **headers: str) -> TestClient:
    """A client on this machine, unless told otherwise."""
    return TestClient(
        world.app, base_url="http://127.0.0.1:8000", client=client, headers=headers, follow_redirects=False
    )
