"""The pages in a real browser: small screens, keyboard, contrast in light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.browsing import FAINT, needs_chromium, serving
from tests.web.site import World, world

pytestmark = needs_chromium
SCHEMES = ("light", "dark")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, str]]:
    with world(tmp_path_factory.mktemp("browser")) as found, serving(found.app) as url:
        yield found, url


def addresses(found: World) -> dict[str, str]:
    return {
        "sign in": "/sign-in",
        "issue": f"/issues/{found.key}",
        "leave": f"/u/{found.token}",
        "left": "/u/nobody-has-this-token",
        "health": "/health",
        "missing": "/nosuch",
    }


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_page_scrolls_sideways_on_a_phone_and_all_text_has_contrast(
    served: tuple[World, str], chromium: Any, scheme: str
) -> None:
    found, url = served
    for width in (320, 360, 1280):
        context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page = context.new_page()
        for name, path in addresses(found).items():
            page.goto(url + path)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, (name, width, wide)
            assert page.evaluate(FAINT) == [], (name, scheme)
            assert page.evaluate("document.querySelectorAll('h1').length") == 1, name
        context.close()


def test_a_page_needs_nothing_from_elsewhere_and_breaks_no_policy(served: tuple[World, str], chromium: Any) -> None:
    found, url = served
    page = chromium.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text) if "Content Security" in message.text else None)
    for path in addresses(found).values():
        page.goto(url + path)
    assert asked
    assert all(each.startswith((url, "data:")) for each in asked), asked
    assert said == []
    page.close()


def test_the_button_that_stops_is_reached_and_pressed_by_keyboard(tmp_path: Path, chromium: Any) -> None:
    with world(tmp_path) as found, serving(found.app) as url:
        page = chromium.new_page()
        page.goto(f"{url}/u/{found.token}")
        order = []
        for _ in range(6):
            page.keyboard.press("Tab")
            order.append(page.evaluate("document.activeElement.tagName + ' ' + document.activeElement.className"))
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
            if order[-1].startswith("BUTTON"):
                break
            assert order[-1].endswith("skip") or outline == "3px", order
        assert order[0] == "A skip"
        assert order[-1].startswith("BUTTON"), order
        assert outline == "3px"
        assert found.receives
        page.keyboard.press("Enter")
        page.wait_for_selector("h1:has-text('stopped')")
        assert not found.receives
        page.close()
