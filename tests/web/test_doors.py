"""Deny by default: every route stands in the table of doors, and each role gets exactly what the table gives it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from monitor.core.accounts import SCOPES, grantable
from monitor.core.people import ROLES, Actor
from monitor.web.doors import DOORS, Need, Scope, need
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
        address = an_address(path)
        for method in METHODS:
            if path == "/sign-out" or method not in methods:
                continue
            wanted = need(path, method)
            if isinstance(wanted, Scope):
                continue
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


API = [(path, method, scope) for path, of in DOORS.items() for method, scope in of.items() if isinstance(scope, Scope)]


def an_address(path: str) -> str:
    address = path.replace("{file:path}", "site.css")
    while "{" in address:
        address = address[: address.index("{")] + "1" + address[address.index("}") + 1 :]
    return address


@pytest.mark.parametrize(("role", "scope"), [(role, scope) for role in ROLES for scope in grantable(role)])
def test_each_token_opens_exactly_what_the_table_gives_its_scope(place: Desk, role: str, scope: str) -> None:
    client = place.client(None, Authorization=f"Bearer {place.token(role, scope)}")
    order = list(SCOPES)
    for path, method, wanted in API:
        answer = client.request(method, an_address(path), json={} if method == "POST" else None)
        if order.index(wanted) <= order.index(scope):
            assert answer.status_code in (200, 404, 422), (method, path, scope)
        else:
            assert answer.status_code == 403, (method, path, scope)
            assert answer.json()["needed"] == wanted
            assert f'scope="{wanted}"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("role", ROLES)
def test_a_cookie_opens_nothing_that_takes_a_token(place: Desk, role: str) -> None:
    client = place.client(role)
    for path, method, _ in API:
        answer = client.request(method, an_address(path), json={} if method == "POST" else None)
        assert answer.status_code == 401, (method, path)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"].startswith("Bearer ")


def test_a_token_reaches_no_further_than_its_owner_does_today(place: Desk) -> None:
    """The scope was given while the owner was an admin; as a curator they lose it, and get it back with the role."""
    house = place.house
    owner = house.subscribing.add("second@lab.example", "Second", "admin")
    text = house.accounts.make_token(owner, "a script", ["admin"], None, Actor(owner.address, "admin", owner.id))
    client = place.client(None, Authorization=f"Bearer {text}")
    assert client.get("/api/v1/polls").status_code == 200
    admin = Actor("admin@lab.example", "admin", place.ids["admin"])
    for role, status in (("curator", 403), ("admin", 200)):
        house.site.people.set_role(owner.address, role, admin)
        assert client.get("/api/v1/polls").status_code == status
    assert client.get("/api/v1/steps").status_code == 200


def test_a_page_takes_no_token(place: Desk) -> None:
    client = place.client(None, Authorization=f"Bearer {place.token('admin', 'admin')}")
    assert client.get("/papers").status_code == 303


def test_a_route_that_is_forgotten_in_the_table_is_closed_to_all() -> None:
    assert need("/nowhere", "GET") is None
    assert need("/health", "DELETE") is None
