"""The first run in a real browser: by keyboard alone, in both themes, on a narrow screen."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.web.browsing import grave, needs_chromium, picture, scrolls_sideways, serving
from tests.web.setup_world import ADMIN, GOOD, fresh


@needs_chromium
def test_the_first_run_by_keyboard_alone(tmp_path: Path, chromium: Any) -> None:
    with fresh(tmp_path / "home") as new, serving(new.running) as base:
        context = chromium.new_context()
        page = context.new_page()
        faults: list[str] = []
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)

        def look(name: str) -> None:
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.set_viewport_size({"width": 1280, "height": 800})
                assert grave(page) == [], (name, scheme)
                picture(page, f"setup-{name}-{scheme}")
            page.set_viewport_size({"width": 320, "height": 700})
            assert not scrolls_sideways(page), name
            picture(page, f"setup-{name}-320")

        def tab_to(selector: str) -> None:
            """Go on with the Tab key, as somebody without a mouse, until the focus is there."""
            for _ in range(60):
                page.keyboard.press("Tab")
                if page.evaluate("chosen => document.activeElement.matches(chosen)", selector):
                    return
            raise AssertionError(f"no way by Tab to {selector}")

        page.goto(f"{base}/sign-in")
        look("sign-in")
        page.goto(base + new.link)
        look("account")
        tab_to("[name=address]")
        page.keyboard.type(ADMIN)
        for name, text in (("password", GOOD), ("again", "another")):
            tab_to(f"[name={name}]")
            page.keyboard.type(text)
        page.keyboard.press("Enter")
        page.wait_for_selector(".why")
        assert page.input_value("[name=address]") == ADMIN
        look("account-wrong")
        for name in ("password", "again"):
            tab_to(f"[name={name}]")
            page.keyboard.type(GOOD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{base}/setup/mail")
        look("mail")
        tab_to("[name=sender]")
        page.keyboard.press("Control+A")
        page.keyboard.type("Lab <monitor@lab.example>")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{base}/setup/pubmed")
        look("pubmed")
        tab_to("[name=address]")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{base}/setup/topics")
        look("topics")
        for topic in page.locator("[name=topic]").all()[3:]:
            tab_to(f"[value={topic.get_attribute('value')}]")
            page.keyboard.press("Space")
        tab_to("main form > button")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{base}/setup/counts")
        tab_to("form[action$=counts] button")
        page.keyboard.press("Enter")
        page.wait_for_selector("main table")
        look("counted")
        tab_to("form[action$=start] button")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{base}/setup/digest")
        new.clock.set(new.clock.now() + timedelta(minutes=1))
        new.work()
        page.reload()
        page.frame_locator("iframe.letter").locator("a:has-text('Invented CAR-NK cells')").first.wait_for()
        look("digest")
        page.goto(f"{base}/setup")
        look("overview")
        assert [each for each in faults if "422" not in each] == []
        context.close()
