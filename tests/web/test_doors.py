"""Deny by default: every route stands in the table of doors, and each role gets exactly what the table gives it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from monitor.core.people import ROLES
from monitor.web.doors import DOORS, Need, need
from tests.web.desk import Desk, desk

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk(tmp_path_factory.mktemp("doors")) as found:
        yield found


def routes(place: Desk) -> list[BaseRoute]:
    return list(place.app.app.routes)  # type: ignore[attr-defined]


def test_every_route_stands_in_the_table_and_every_entry_is_a_route(place: Desk) -> None:
    served = {
        (route.path, method)
        for route in routes(place)
        if isinstance(route, APIRoute)
        for method in route.methods - {"HEAD"}
    }
    assert len(served) == sum(1 for route in routes(place) for m in route.methods - {"HEAD"}), "no other kind of route"  # type: ignore[attr-defined]
    assert served == {(path, method) for path, methods in DOORS.items() for method in methods}


@pytest.mark.parametrize("role", [None, *ROLES])
def test_each_role_enters_exactly_where_the_table_lets_it(place: Desk, role: str | None) -> None:
    client = place.client(role)
    order = [Need.NOBODY, Need.MEMBER, Need.CURATOR, Need.ADMIN]
    for path, methods in DOORS.items():
        address = path.replace("{file:path}", "site.css")
        while "{" in address:
            address = address[: address.index("{")] + "0" + address[address.index("}") + 1 :]
        for method in METHODS:
            if path == "/sign-out" or method not in methods:
                continue
            wanted = need(path, method)
            assert wanted is not None
            least = Need.ADMIN if wanted is Need.KEEPER else wanted
            answer = client.request(method, address)
            if least is Need.NOBODY or (role is not None and order.index(least) <= order.index(Need(role))):
                assert answer.status_code not in (401, 403), (method, path, role)
                assert "/sign-in" not in answer.headers.get("location", ""), (method, path, role)
            elif role is None:
                assert answer.status_code == 303, (method, path)
                assert answer.headers["location"].startswith("/sign-in?next=")
            else:
                assert answer.status_code == 403, (method, path, role)


def test_a_route_that_is_forgotten_in_the_table_is_closed_to_all() -> None:
    assert need("/nowhere", "GET") is None
    assert need("/health", "DELETE") is None
