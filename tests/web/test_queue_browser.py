"""The desk in a real browser: by keyboard, by mouse, by touch, for two at once, and for who hears the page."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from monitor.core.people import Preferences
from tests.web.browsing import grave, needs_chromium, picture, scrolls_sideways, serving
from tests.web.desk import NOW, Desk
from tests.web.waiting import FISH, KINDS, NO_CRS, TRIAL, VERSUS, found, plain_papers

pytestmark = needs_chromium
PLAIN = 14
WORDS = "document.querySelector('#toasts .toast span')?.textContent || ''"


@pytest.fixture
def queue(place: Desk) -> Desk:
    """Eight kinds of papers and some plain ones wait, all found by one topic."""
    found(place.house.database, [*KINDS, *plain_papers(PLAIN)], NOW - timedelta(days=2))
    place.house.vocabularies.refresh()
    return place


@contextmanager
def opened(
    queue: Desk, chromium: Any, url: str, path: str = "/queue?order=newest", role: str = "curator", **options: Any
) -> Iterator[Any]:
    context = chromium.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
    name, value = queue.cookie(role)
    context.add_cookies([{"name": name, "value": value, "url": url}])
    context.route("https://**", lambda route: route.fulfill(body="elsewhere"))
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if "Content Security" in message.text else None)
    page.goto(url + path)
    yield page
    assert faults == []
    context.close()


def until(page: Any, holds: str) -> None:
    """Wait for something to hold; Playwright's own way would need `eval`, which the pages forbid."""
    end = time.monotonic() + 8
    while not page.evaluate(holds):
        assert time.monotonic() < end, holds
        page.wait_for_timeout(15)


def shown(page: Any) -> int:
    return int(page.evaluate("document.getElementById('reader').dataset.pmid"))


def rows(page: Any) -> list[int]:
    return [int(each) for each in page.evaluate("[...document.querySelectorAll('.row')].map((e) => e.dataset.pmid)")]


def press(page: Any, *keys: str) -> None:
    """Press keys, and wait until the paper that is current is the one that is shown."""
    for key in keys:
        page.keyboard.press(key)
        until(
            page,
            "!document.querySelector('.open[aria-current]') || document.querySelector('.open[aria-current]').closest('.row').dataset.pmid === document.getElementById('reader').dataset.pmid",
        )


def lane_count(page: Any) -> int:
    return int(page.evaluate("document.querySelector('#lanes [aria-current] .many').textContent"))


def settled(page: Any) -> None:
    """Wait until the server has heard of everything."""
    until(page, "!document.querySelector('#desk[aria-busy]')")


def verdict(queue: Desk, pmid: int) -> str | None:
    (now,) = queue.house.screening.of([pmid])
    return now.judgement.verdict


def prefer(queue: Desk, role: str, **values: Any) -> None:
    people = queue.house.site.people
    person = people.find(queue.ids[role])
    actor = queue.house.screening.curator("admin@lab.example")
    queue.house.site.personal.prefer(person.id, replace(Preferences(), **values), person.version, actor)


def test_forty_papers_go_by_keys_and_every_step_comes_back(queue: Desk, chromium: Any) -> None:
    """Q-01, Q-02, Q-03, Q-11, T-03 by keyboard."""
    with serving(queue.app) as url, opened(queue, chromium, url) as page:
        order, many = rows(page), lane_count(page)
        assert many == len(KINDS) + PLAIN
        press(page, "j", "j", "j")
        assert shown(page) == order[3]
        press(page, "a")
        assert shown(page) == order[4]
        assert lane_count(page) == many - 1
        assert "Kept: CAR-NK" in page.evaluate(WORDS)
        assert page.evaluate("document.activeElement.closest('.row').dataset.pmid") == str(order[4])
        settled(page)
        assert verdict(queue, order[3]) == "keep"
        assert "car-nk" in queue.house.screening.of([order[3]])[0].tags, "what was ticked was confirmed"
        # Nine more, of several kinds, then all ten back in reverse order.
        press(page, "a", "d", "4", "m", "1", "a", "a", "d", "1", "a", "a", "a")
        settled(page)
        assert lane_count(page) == many - 10
        for n in range(10):
            press(page, "u")
            settled(page)
            assert lane_count(page) == many - 9 + n
        assert shown(page) == order[3], "the first that was decided comes back last"
        assert rows(page) == order
        assert verdict(queue, order[3]) is None
        press(page, "Shift+U")
        settled(page)
        assert (lane_count(page), verdict(queue, order[3])) == (many - 1, "keep")
        picture(page, "queue after redo")

        page.goto(f"{url}/queue/{FISH}?order=newest")
        assert page.locator(".choose.dismiss [data-digit='1']").text_content().startswith("1Grass-carp kidney")
        press(page, "d", "1")
        settled(page)
        assert "Dismissed: Grass-carp kidney (CIK) cell line" in page.evaluate(WORDS)
        (now,) = queue.house.screening.of([FISH])
        assert (now.judgement.verdict, now.judgement.reason) == ("dismiss", "fish-cik")

        page.keyboard.press("s")
        until(page, "document.querySelector('[data-mark=saved]').getAttribute('aria-pressed') === 'true'")
        before = shown(page)
        assert "saved" in queue.house.papers.marks([before], queue.ids["curator"])[before]
        with page.context.expect_page() as opening:
            page.keyboard.press("v")
        opening.value.wait_for_url(f"https://pubmed.ncbi.nlm.nih.gov/{before}/")
        opening.value.close()
        assert (shown(page), verdict(queue, before)) == (before, None)


def test_keys_are_silent_where_they_should_be_and_can_be_changed(queue: Desk, chromium: Any) -> None:
    """Q-05, Q-06, Q-07, and the list of keys."""
    with serving(queue.app) as url:
        with opened(queue, chromium, url) as page:
            order = rows(page)
            page.keyboard.press("n")
            page.keyboard.type("adjuvant mad")
            assert page.locator("[name=note]").input_value() == "adjuvant mad"
            assert rows(page) == order
            page.keyboard.press("Escape")
            assert page.evaluate("document.activeElement.className") == "open"
            page.evaluate("document.dispatchEvent(new CompositionEvent('compositionstart', {bubbles: true}))")
            page.keyboard.press("a")
            page.evaluate("document.dispatchEvent(new CompositionEvent('compositionend', {bubbles: true}))")
            assert rows(page) == order
            page.evaluate(
                "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'Process', code: 'KeyJ', keyCode: 229, bubbles: true, cancelable: true}))"
            )
            until(page, f"document.getElementById('reader').dataset.pmid === '{order[1]}'")
            page.keyboard.press("?")
            assert page.locator("#keys").is_visible()
            assert page.locator("#keys tr:has-text('Next paper') kbd").first.text_content() == "j"
            page.keyboard.press("a")
            assert rows(page) == order, "no key works behind an open dialog"
            page.keyboard.press("Escape")
            assert not page.locator("#keys").is_visible()
        prefer(queue, "curator", shortcuts="off")
        with opened(queue, chromium, url) as page:
            press(page, "a")
            assert rows(page) == order
        prefer(queue, "curator", shortcuts="alt", keys={"keep": "x"})
        with opened(queue, chromium, url) as page:
            press(page, "x", "Alt+a")
            assert rows(page) == order
            press(page, "Alt+x")
            assert rows(page) == order[1:]
            page.keyboard.press("Alt+Shift+/")
            settled(page)


def test_two_decide_at_once_and_nothing_is_lost(queue: Desk, chromium: Any) -> None:
    """Q-09, and the lock that says who reads."""
    with (
        serving(queue.app) as url,
        opened(queue, chromium, url) as one,
        opened(queue, chromium, url, role="admin") as two,
    ):
        pmid = shown(one)
        one.wait_for_timeout(900)
        two.goto(f"{url}/queue/{pmid}?order=newest")
        assert "Curator is reading this." in two.locator("#reader").text_content()
        two.get_by_role("button", name="Take over").click()
        until(two, "!document.querySelector('.held-by')")
        press(one, "a")
        settled(one)
        two.bring_to_front()
        press(two, "d", "4")
        two.wait_for_selector("#overtaken[open]")
        told = two.locator("#overtaken").text_content()
        assert "Curator decided on this while you read" in told
        assert "Kept" in told
        assert "Duplicate report" in told
        picture(two, "overtaken")
        assert grave(two) == []
        two.get_by_role("button", name="Keep mine").click()
        until(two, "!document.querySelector('#overtaken[open]')")
        settled(two)
        said = [
            each.verdict
            for each in queue.house.steps.history(queue.house.screening.curator("admin@lab.example"), everybody=True)
        ]
        assert said == ["dismiss", "keep"]
        assert verdict(queue, pmid) == "dismiss"


def test_who_is_signed_out_loses_nothing(queue: Desk, chromium: Any) -> None:
    with serving(queue.app) as url, opened(queue, chromium, url) as page:
        pmid = shown(page)
        token = next(each["value"] for each in page.context.cookies() if each["name"] == "session")
        queue.house.accounts.end(token)
        press(page, "2")
        page.keyboard.press("a")
        until(page, "document.querySelector('#alerts .toast') !== null")
        settled(page)
        assert "Signed out. Your draft is safe" in page.locator("#alerts").text_content()
        assert shown(page) == pmid
        assert verdict(queue, pmid) is None
        assert page.locator("#alerts a").get_attribute("href").startswith("/sign-in?next=")
        name, value = queue.cookie("curator")
        page.context.add_cookies([{"name": name, "value": value, "url": url}])
        page.goto(f"{url}/queue/{pmid}?order=newest")
        assert not page.locator("[name=tag][data-digit='2']").is_checked(), "what was ticked is still so"
        page.keyboard.press("Control+k")
        page.keyboard.type(str(TRIAL))
        page.keyboard.press("Enter")
        page.wait_for_url(f"{url}/papers/{TRIAL}")


def test_without_a_connection_nothing_is_said_that_is_not_so(queue: Desk, chromium: Any) -> None:
    with serving(queue.app) as url, opened(queue, chromium, url) as page:
        order, many = rows(page), lane_count(page)
        settled(page)
        page.context.set_offline(True)
        page.keyboard.press("a")
        until(page, "document.querySelector('#alerts .toast') !== null")
        settled(page)
        assert "The paper is back" in page.locator("#alerts").text_content()
        assert page.locator("#toasts").text_content() == "", "no word of a verdict that was not taken, nor a way back"
        assert (shown(page), rows(page), lane_count(page)) == (order[0], order, many)
        for _ in range(4):  # beyond what was fetched before it was wanted
            page.keyboard.press("j")
        settled(page)
        assert page.evaluate("document.querySelector('.open[aria-current]').closest('.row').dataset.pmid") == str(
            shown(page)
        ), "the paper that is marked in the list is the one that is shown"
        page.context.set_offline(False)
        page.wait_for_timeout(4100)
        here = shown(page)
        press(page, "a")
        settled(page)
        assert page.locator("#alerts").text_content() == "", "what was overcome is no longer said"
        assert verdict(queue, here) == "keep"
        # Slow answers: a key meant for a paper that is not there yet decides on no other.
        held = []
        page.context.route("**/queue/*part=record*", lambda route: held.append(route))
        here, after = shown(page), rows(page)
        for _ in range(4):
            page.keyboard.press("j")
        page.keyboard.press("a")
        assert "Nothing was decided" in page.locator("#alerts").text_content()
        assert rows(page) == after
        for route in held:
            route.continue_()
        page.context.unroute("**/queue/*part=record*")
        settled(page)
        assert [verdict(queue, each) for each in after] == [None] * len(after)


def test_an_empty_lane_says_so_on_a_phone_and_the_focus_leaves_words_free(queue: Desk, chromium: Any) -> None:
    small: Any = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    with serving(queue.app) as url:
        with opened(queue, chromium, url, "/queue?lane=wide", **small) as page:
            assert page.get_by_text("Queue clear.").is_visible()
            assert page.get_by_role("link", name="Go to New").is_visible()
        with opened(queue, chromium, url) as page:
            press(page, "j")
            free = page.evaluate(
                "(() => { const link = document.activeElement, words = document.createRange(); words.selectNodeContents(link.querySelector('.row-title')); return words.getBoundingClientRect().left - link.getBoundingClientRect().left; })()"
            )
            assert free >= 5, "the outline does not run through the first letter"


def test_what_is_missing_for_a_verdict_is_asked_for_where_it_belongs(queue: Desk, chromium: Any) -> None:
    with serving(queue.app) as url, opened(queue, chromium, url, f"/queue/{TRIAL}?order=newest") as page:
        page.locator(".deciding .change > summary").click()
        page.locator(".deciding [name=level]").select_option("A")
        page.keyboard.press("Escape")
        page.keyboard.press("a")
        assert "Another level than the rule's needs a reason" in page.locator("#alerts").text_content()
        assert page.evaluate("document.activeElement.name") == "level_why"
        assert shown(page) == TRIAL
        page.keyboard.type("seven hospitals")
        page.keyboard.press("Escape")
        press(page, "a")
        assert page.locator("#alerts").text_content() == "", "what was asked for was given"
        settled(page)
        (now,) = queue.house.screening.of([TRIAL])
        assert (now.judgement.verdict, now.level) == ("keep", "A")


def test_undo_answers_on_every_page_of_curators(queue: Desk, chromium: Any) -> None:
    with serving(queue.app) as url, opened(queue, chromium, url) as page:
        pmid = shown(page)
        press(page, "a")
        settled(page)
        page.goto(f"{url}/papers")
        page.keyboard.press("u")
        page.wait_for_url(f"{url}/queue/{pmid}?*")
        assert "Taken back: Kept: CAR-NK cells." in page.evaluate(WORDS)
        assert verdict(queue, pmid) is None
        page.goto(f"{url}/me")
        page.keyboard.press("Shift+U")
        page.wait_for_url(f"{url}/queue*")
        assert verdict(queue, pmid) == "keep"


def test_a_note_survives_a_reload_and_drafts_stay(queue: Desk, chromium: Any) -> None:
    """Q-10, and what was ticked before a reload."""
    with serving(queue.app) as url, opened(queue, chromium, url, f"/queue/{TRIAL}?order=newest") as page:
        page.keyboard.press("n")
        page.keyboard.type("Ask for the full")
        until(page, "[...document.querySelectorAll('.saved')].some((each) => each.textContent.trim() === 'saved')")
        page.keyboard.type(" text")
        page.keyboard.press("Escape")
        press(page, "1")
        page.reload()
        assert page.locator("[name=note]").input_value() == "Ask for the full text"
        settled(page)
        assert "saved" in page.locator(".saved").text_content()
        assert not page.locator("[data-digit='1'][name=tag]").is_checked()
        page.goto(f"{url}/queue/{TRIAL}?order=newest")
        press(page, "a")
        settled(page)
        (now,) = queue.house.screening.of([TRIAL])
        assert now.judgement.note == "Ask for the full text"
        assert "car-nk" not in now.tags


def test_suggestions_explain_themselves_and_layers_have_lines_of_their_own(queue: Desk, chromium: Any) -> None:
    """T-01, T-02, T-03, T-04, and A-05."""
    with serving(queue.app) as url, opened(queue, chromium, url, f"/queue/{VERSUS}", reduced_motion="reduce") as page:
        studied, comparator = (
            page.locator(".chip.suggested:has([value='car-nk'])"),
            page.locator(".chip:has([value='car-t/comparator'])"),
        )
        assert studied.evaluate("(e) => getComputedStyle(e).borderTopStyle") == "dashed"
        assert comparator.evaluate("(e) => getComputedStyle(e).borderTopStyle") == "dotted"
        assert "CAR-T cells · comparator" in comparator.text_content()
        for reach in (comparator.hover, page.locator(".suggested [value='car-nk']").focus):
            reach()
            tips = page.evaluate(
                "[...document.querySelectorAll('.tip')].filter((e) => e.checkVisibility()).map((e) => e.textContent)"
            )
            assert any("Title: " in each and "CAR-" in each for each in tips), tips
        described = page.locator(".suggested [value='car-nk']").get_attribute("aria-describedby")
        assert "CAR-NK" in page.locator(f"#{described}").text_content()
        page.goto(f"{url}/queue/{NO_CRS}")
        assert (
            "Cytokine release syndrome · reported absent"
            in page.locator(".chip:has([value='crs/absent'])").text_content()
        )
        assert page.locator("[value='crs/reported']").count() == 0

        line = "getComputedStyle(document.querySelector('mark.{}')).textDecorationStyle"
        assert page.evaluate(line.format("safety")) == "solid", "off until somebody turns them on"
        assert page.evaluate("getComputedStyle(document.querySelector('mark.safety')).textDecorationLine") == "none"
        press(page, "h")
        styles = [
            page.evaluate(line.format(layer)) for layer in ("therapy", "outcome", "safety", "numbers", "negation")
        ]
        assert len(set(styles)) == 5, styles
        tree = page.locator("#reader .sections").aria_snapshot()
        assert "[safety]" in tree
        assert "[numbers]" in tree
        settled(page)
        page.reload()
        assert page.locator("[name=layer]:checked").count() == 5, "remembered"
        slow = page.evaluate(
            "[...document.querySelectorAll('*')].filter((e) => [getComputedStyle(e).transitionDuration, getComputedStyle(e).animationDuration].some((t) => parseFloat(t) > 0.1)).length"
        )
        assert slow == 0


def test_mouse_alone_and_a_finger_at_360_pixels_can_do_it_all(queue: Desk, chromium: Any) -> None:
    """Q-08."""
    with serving(queue.app) as url:
        with opened(queue, chromium, url) as page:
            pmid = shown(page)
            page.locator("#decide [name=tag]:not(:checked)").first.click()
            page.locator("#decide button.keep").click()
            until(page, f"document.getElementById('reader').dataset.pmid !== '{pmid}'")
            settled(page)
            page.get_by_role("button", name="Undo").last.click()
            settled(page)
            assert verdict(queue, pmid) is None
        small: Any = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
        with opened(queue, chromium, url, **small) as page:
            assert page.locator("#reader").is_hidden()
            first = rows(page)[0]
            page.locator(".row .open").first.tap()
            assert page.locator("#reader").is_visible()
            assert page.locator("#list").is_hidden()
            head = "Math.max(...[...document.querySelectorAll('.band a, .band summary')].filter((e) => e.checkVisibility() && !e.closest('.places')).map((e) => e.getBoundingClientRect().bottom))"
            assert page.evaluate(head) < 60, "name, search and menu share a line"
            chip = page.locator("#decide .chip [name=tag]").first
            chip.scroll_into_view_if_needed()
            chip.tap()
            page.locator(".choose.dismiss > summary").tap()
            page.locator(".choose.dismiss .pick-one").nth(3).tap()
            until(page, f"document.getElementById('reader').dataset.pmid !== '{first}'")
            settled(page)
            assert verdict(queue, first) == "dismiss"
            title = page.locator("#reader .title").bounding_box()
            assert 0 <= title["y"] < 200, "the next paper begins at its title, not where the last one was left"
            page.locator(".toast button").tap()
            settled(page)
            assert verdict(queue, first) is None
            assert page.evaluate(
                "[...document.querySelectorAll('#decide button, #decide summary, #decide label.chip')].filter((e) => e.checkVisibility() && e.tabIndex !== -1).every((e) => e.getBoundingClientRect().height >= 24 && e.getBoundingClientRect().width >= 24)"
            )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_desk_is_sound_for_all_senses_and_sizes(queue: Desk, chromium: Any, scheme: str) -> None:
    """A-01, A-02, A-03 for the queue."""
    with (
        serving(queue.app) as url,
        opened(queue, chromium, url, f"/queue/{TRIAL}?order=newest", color_scheme=scheme) as page,
    ):
        press(page, "h")
        assert grave(page) == []
        picture(page, f"queue {scheme}")
        regions = []
        for _ in range(40):
            page.keyboard.press("Tab")
            at, outline = page.evaluate(
                "(() => { const e = document.activeElement; const seen = e.closest('label') || e; return [e.closest('#list, #reader, #decide')?.id || '', Math.max(parseFloat(getComputedStyle(e).outlineWidth), parseFloat(getComputedStyle(seen).outlineWidth))]; })()"
            )
            assert outline >= 2, page.evaluate("document.activeElement.outerHTML.slice(0, 120)")
            regions += [at] if at and at not in regions else []
            if at == "decide":
                break
        assert regions[-2:] == ["reader", "decide"], (
            "from the row that has the focus to the paper, then to the decision"
        )
        page.keyboard.press("Escape")
        assert page.evaluate("document.activeElement.closest('.row') !== null")
        for width in (320, 640, 1024):  # 640 is 1280 at 200 %
            page.set_viewport_size({"width": width, "height": 800})
            for path in (f"/queue/{TRIAL}", "/queue", "/queue?words=nothing"):
                page.goto(url + path)
                assert not scrolls_sideways(page), (width, path)
        page.goto(f"{url}/queue?words=nothing")
        assert "0 of 22 match these filters." in page.locator("#list").text_content()


def test_without_script_the_desk_works_by_forms(queue: Desk, chromium: Any) -> None:
    with serving(queue.app) as url, opened(queue, chromium, url, java_script_enabled=False) as page:
        first = int(page.locator("#reader").get_attribute("data-pmid"))
        page.locator("#decide button.keep").click()
        assert int(page.locator("#reader").get_attribute("data-pmid")) != first
        assert "Kept: CAR-NK" in page.locator(".step-told").text_content()
        assert verdict(queue, first) == "keep"
        page.locator(".step-told button").click()
        assert "Taken back" in page.locator(".step-told").text_content()
        assert verdict(queue, first) is None
        page.locator(".choose.dismiss > summary").click()
        page.locator(".choose.dismiss .pick-one").first.click()
        assert verdict(queue, first) == "dismiss"
        for box in (0, 1, 2):
            page.locator(".pick").nth(box).check()
        page.get_by_role("button", name="Apply to selected").click()
        assert page.locator("h1").text_content() == "Dismiss 3 papers"
        page.select_option("#reason", "duplicate")
        page.get_by_role("button", name="Apply to 3").click()
        assert "Dismissed: Duplicate report (3 papers)" in page.locator(".step-told").text_content()
        page.locator(".step-told button").click()
        assert "Taken back" in page.locator(".step-told").text_content()
