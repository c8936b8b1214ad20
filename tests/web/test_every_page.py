"""Every page there is, in both themes and at the width of a small phone: what axe-core finds, and whether it fits (ux.md B13, A-01, A-03).

The pages are those of the table of doors, so that no new one can be forgotten here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from monitor.storage.issues import archive
from monitor.web.doors import DOORS, Need
from tests.web.browsing import grave, needs_chromium, picture, scrolls_sideways, serving
from tests.web.members import Collection, collection

pytestmark = needs_chromium
NO_PAGE = ("/feeds/", "/static/", "/healthz", "/robots.txt", "/api/v1/", "/setup/{key}", "/link/", "/queue/rows")
"""Answers for programs, pieces of a page, and links that work once, which have tests of their own."""
FILES = ("/export", "/_export", "/issues/", "/admin/digests/letter")
"""Files and letters; letters have tests of their own (test_letters_in_a_browser.py)."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Collection, str]]:
    with collection(tmp_path_factory.mktemp("pages")) as held:
        house = held.place.house
        house.delivering.run()
        house.vocabularies.refresh()
        house.saved.save("Doubted", "doubted[ti]", actor=held.curator)
        with serving(held.place.app) as url:
            yield held, url


def addresses(held: Collection) -> dict[str, str]:
    """Each page of the table with something that stands behind it."""
    with held.place.house.database.read() as session:
        key = archive(session)[0].key
    stands_for = {
        "{key}": key,
        "{token}": "nobody-ever-had-this-token",
        "{number}": "1",
        "{pmid}": str(held.plain[2]),
        "{person}": str(held.place.ids["member"]),
        "{kind}": "vocabulary",
        "{topic}": "car-nk",
    }
    found = {}
    for path, methods in DOORS.items():
        if "GET" in methods and not path.startswith(NO_PAGE) and not any(each in path for each in FILES):
            address = path
            for name, value in stands_for.items():
                address = address.replace(name, value)
            assert "{" not in address, f"nothing to put into {path}"
            found[path] = address + (f"?pmid={held.plain[3]}" if path == "/queue/bulk" else "")
    return found | {"/papers/{pmid} odd": f"/papers/{held.pmid('400 authors')}", "missing": "/nosuch"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_grave_and_nothing_scrolls_sideways(
    served: tuple[Collection, str], chromium: Any, scheme: str
) -> None:
    held, url = served
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    wrong: dict[str, object] = {}
    for path, address in addresses(held).items():
        context.clear_cookies()
        if DOORS.get(path, {}).get("GET") is not Need.NOBODY:
            name, value = held.place.cookie("admin")
            context.add_cookies([{"name": name, "value": value, "url": url}])
        page.set_viewport_size({"width": 1280, "height": 800})
        answer = page.goto(url + address)
        found: list[object] = grave(page)
        if answer.status != (404 if path == "missing" else 200):
            found.append(f"answered {answer.status}")
        if page.evaluate("document.querySelectorAll('h1').length") != 1:
            found.append("not one h1")
        found += [each for each in said if "404" not in each]
        said.clear()
        picture(page, f"{path} {scheme}")
        if scheme == "light":
            page.set_viewport_size({"width": 320, "height": 640})
            if scrolls_sideways(page):
                found.append("scrolls sideways at 320 px")
            picture(page, f"{path} narrow")
        if found:
            wrong[path] = found
    context.close()
    assert wrong == {}
