"""Settings, digests and the studio in a real browser: both themes, small screens, keys pressed in their fields."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from monitor.core.delivery import NoticeKind
from monitor.storage import bounces, people
from tests.web.browsing import grave, needs_chromium, picture, scrolls_sideways, serving
from tests.web.desk import desk
from tests.web.test_digests import MEMBER, Weeks, opened

pytestmark = needs_chromium
PAGES = {
    "member": ("/settings", "/settings/keys", "/settings/digest", "/settings/feeds", "/settings/data", "/digests", "/digests/mine"),
    "admin": (
        "/admin/digests?view=phone",
        "/admin/digests?view=text",
        "/admin/digests/outbox",
        "/admin/digests/outbox/1",
        "/admin/digests/addresses",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Weeks, str]]:
    with desk(tmp_path_factory.mktemp("browsed")) as place:
        weeks = opened(place)
        weeks.later(6)
        weeks.publish()
        weeks.sent()
        weeks.later(1)
        weeks.world.retracted(1)
        weeks.later(6)
        weeks.publish()
        with place.house.database.write() as session:
            now = place.clock.now()
            bounces.keep_notice(
                session,
                at=now,
                kind=NoticeKind.SOFT,
                fingerprint="1",
                address_key=MEMBER,
                text="452 4.2.2 mailbox full",
            )
            people.suppress(session, "a-long-address-that-left@a-department.lab.example", "unsubscribed", now)
        place.house.saved.save("Safety", '"CAR-NK"[tiab] AND "cytokine release"[tiab]')
        with serving(place.app) as url:
            yield weeks, url


def context(served: tuple[Weeks, str], chromium: Any, role: str, **options: Any) -> Any:
    weeks, url = served
    found = chromium.new_context(**options)
    name, value = weeks.place.cookie(role)
    found.add_cookies([{"name": name, "value": value, "url": url}])
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("role", PAGES)
def test_pages_pass_the_checker_and_fit_a_phone(
    served: tuple[Weeks, str], chromium: Any, role: str, scheme: str
) -> None:
    opened_ = context(served, chromium, role, color_scheme=scheme, viewport={"width": 1280, "height": 900})
    page = opened_.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if "Content Security" in message.text else None)
    for path in PAGES[role]:
        page.set_viewport_size({"width": 1280, "height": 900})
        assert page.goto(served[1] + path).ok, path
        assert grave(page) == [], (path, scheme)
        picture(page, f"{path}-{scheme}")
        page.set_viewport_size({"width": 320, "height": 700})
        assert not scrolls_sideways(page), path
        picture(page, f"{path}-{scheme}-320")
    assert faults == []
    opened_.close()


def test_a_key_is_chosen_by_pressing_it(served: tuple[Weeks, str], chromium: Any) -> None:
    opened_ = context(served, chromium, "curator", viewport={"width": 1280, "height": 900})
    page = opened_.new_page()
    page.goto(f"{served[1]}/settings/keys")
    field = page.locator("#key-keep")
    field.focus()
    page.keyboard.press("Shift+Y")
    assert field.input_value() == "Shift+y"
    page.locator("#key-week").focus()
    page.keyboard.press("g")
    page.keyboard.press("x")
    assert page.locator("#key-week").input_value() == "g x"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "key-queue"
    page.locator("#key-dismiss").focus()
    page.keyboard.press("Backspace")
    assert page.locator("#key-dismiss").input_value() == ""
    page.click("button:has-text('Save') >> nth=0")
    page.wait_for_selector("text=Saved.")
    kept = next(each for each in served[0].place.house.subscribing.everyone() if each.role == "curator")
    assert kept.preferences.keys == {"keep": "Shift+y", "week": "g x"}
    opened_.close()


def test_the_studio_shows_the_letter_in_a_frame_light_and_dark(served: tuple[Weeks, str], chromium: Any) -> None:
    opened_ = context(served, chromium, "admin", viewport={"width": 1280, "height": 900}, color_scheme="light")
    page = opened_.new_page()
    grounds = {}
    for view in ("html", "phone", "dark"):
        page.goto(f"{served[1]}/admin/digests?view={view}")
        frame = page.frame_locator("iframe.letter")
        frame.locator(".sheet").wait_for()
        grounds[view] = frame.locator(".sheet").evaluate("node => getComputedStyle(node).backgroundColor")
        assert frame.locator("h1").inner_text() == "NK evidence"
        if view == "phone":
            assert page.locator("iframe.letter").evaluate("node => node.clientWidth") == 390
        picture(page, f"studio-{view}")
    assert grounds["html"] == grounds["phone"] == "rgb(255, 255, 255)"
    assert grounds["dark"] == "rgb(23, 32, 36)"
    opened_.close()
