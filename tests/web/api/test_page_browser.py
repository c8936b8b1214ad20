"""The page about the API in a real browser: both themes, on a phone and on a screen."""

from __future__ import annotations

from typing import Any

from tests.web.browsing import grave, needs_chromium, picture, scrolls_sideways, serving
from tests.web.desk import Desk

pytestmark = needs_chromium


def test_the_page_is_read_by_everybody_and_fits_a_phone(place: Desk, chromium: Any) -> None:
    name, value = place.cookie("member")
    with serving(place.app) as url:
        for scheme, width in (("light", 1280), ("dark", 390)):
            context = chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": 900})
            context.add_cookies([{"name": name, "value": value, "url": url}])
            page = context.new_page()
            page.goto(f"{url}/settings/account")
            page.get_by_role("link", name="What programs can ask").click()
            page.wait_for_url(f"{url}/api")
            assert page.get_by_role("heading", level=1).inner_text() == "For programs"
            assert grave(page) == []
            assert not scrolls_sideways(page)
            picture(page, f"api-{scheme}-{width}")
            context.close()
