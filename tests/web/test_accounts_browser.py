"""Signing in by keyboard alone, and the pages of accounts, people and log in a real browser, in both themes."""

from __future__ import annotations

from typing import Any

from monitor.core.people import Actor
from monitor.services.people import Seen
from tests.web.browsing import grave, needs_chromium, picture, scrolls_sideways, serving
from tests.web.desk import Desk

GOOD = "gravel otter lantern"
BOSS = Actor("admin@lab.example", "admin")


@needs_chromium
def test_signing_in_by_keyboard_and_what_stands_behind_it(place: Desk, chromium: Any) -> None:
    made = place.house.one_time.make(place.ids["admin"], BOSS).url.rpartition("/")[2]
    place.house.people.change(place.ids["member"], "Member Two", "member", Seen("Member", "member"), BOSS)
    invitation = place.house.one_time.make(place.ids["curator"], BOSS).url.rpartition("/")[2]
    with serving(place.app) as base:
        context = chromium.new_context(viewport={"width": 1280, "height": 800})
        page = context.new_page()
        faults: list[str] = []
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.goto(f"{base}/link/{made}")
        page.fill("[name=password]", GOOD)
        page.fill("[name=again]", GOOD)
        page.press("[name=again]", "Enter")
        page.wait_for_url(f"{base}/")
        page.goto(f"{base}/settings/account")
        page.click(".menu.me summary")
        page.click("text=Sign out >> visible=true")
        page.wait_for_url("**/sign-in")

        # Wrong first: the address is kept, and the keyboard is where one goes on.
        page.goto(f"{base}/admin/people")
        page.wait_for_function("document.activeElement.name === 'address'")
        page.keyboard.type("admin@lab.example")
        page.keyboard.press("Tab")
        page.keyboard.type("wrong")
        page.keyboard.press("Enter")
        page.wait_for_selector("[role=alert]:has-text('belong together')")
        page.wait_for_function("document.activeElement.name === 'password'")
        page.keyboard.type(GOOD)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.tagName") == "BUTTON"
        page.keyboard.press("Enter")
        page.wait_for_url(f"{base}/admin/people")

        page.goto(f"{base}/admin/people/{place.ids['member']}")
        page.click("text=Make an invitation")
        page.wait_for_selector("#once")
        assert "/link/" in page.input_value("#once")
        page.click("[data-copies]")
        assert page.evaluate("getSelection().toString() || document.activeElement.value").startswith("http")
        shown = [
            "/admin/people",
            f"/admin/people/{place.ids['member']}",
            "/admin/log",
            "/admin/log?action=nothing",
            "/settings/account",
        ]
        page.goto(f"{base}/settings/account")
        page.fill("[name=name]", "script")
        page.click("text=Make the token")
        assert page.input_value("#once").startswith("em_")
        strangers = ["/sign-in", "/forgotten", f"/link/{invitation}", f"/link/{made}", "/link/nothing"]
        looked_at(context, base, shown)
        looked_at(chromium.new_context(), base, strangers)
        assert [each for each in faults if "422" not in each] == []


def looked_at(context: Any, base: str, paths: list[str]) -> None:
    """Hold pages against axe in both themes, and against 320 px, the width of 1280 at 400%."""
    page = context.new_page()
    for path in paths:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": 1280, "height": 800})
            page.goto(base + path)
            assert grave(page) == [], (path, scheme)
            picture(page, f"accounts{path}-{scheme}")
        page.set_viewport_size({"width": 320, "height": 700})
        assert not scrolls_sideways(page), path
        picture(page, f"accounts{path}-320")
    context.close()
