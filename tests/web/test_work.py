"""My work and votes: what waits for whom, blind verdicts, and steps taken back from the history."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from monitor.core.people import Actor
from tests.web.browsing import grave, needs_chromium, picture, scrolls_sideways, serving
from tests.web.desk import NOW, Desk
from tests.web.waiting import FISH, KINDS, NO_CRS, TRIAL, VERSUS, found

SECRET = "a canary note that the other must not see"


@pytest.fixture
def desk(place: Desk) -> Desk:
    found(place.house.database, KINDS, NOW - timedelta(days=2))
    for name in ("second", "third"):
        place.ids[name] = place.house.subscribing.add(f"{name}@lab.example", name.title(), "curator").id
    return place


def actor(desk: Desk, name: str) -> Actor:
    return desk.house.screening.curator(f"{name}@lab.example")


def test_maybes_stand_by_whose_turn_it_is(desk: Desk) -> None:
    curator, screening = actor(desk, "curator"), desk.house.screening
    screening.decide([TRIAL], "maybe", asked=desk.ids["second"], note="Is this one ours?", actor=curator)
    screening.decide([VERSUS], "maybe", until=NOW.date() + timedelta(days=7), actor=curator)
    mine = desk.client("curator").get("/me").text
    assert re.search(r"You asked others <span class=\"many\">1<", mine)
    assert re.search(r"Put aside for later <span class=\"many\">1<", mine)
    assert "No maybe is due today." in mine
    theirs = desk.client("second").get("/me").text
    assert re.search(r"Asked of you <span class=\"many\">1<", theirs)
    assert "Is this one ours?" in theirs
    desk.clock.set(NOW + timedelta(days=8))
    assert re.search(r"Maybes due <span class=\"many\">1<", desk.client("curator").get("/me").text)


def test_the_history_names_tags_as_people_do(desk: Desk) -> None:
    desk.house.screening.decide(
        [TRIAL], "keep", topics=["car-nk"], tags=["car-nk", "crs/absent", "lab favourite"], actor=actor(desk, "curator")
    )
    told = " ".join(re.sub("<[^>]+>", "", desk.client("curator").get("/me").text).split())
    assert "put on: CAR-NK cells, Cytokine release syndrome reported absent, lab favourite" in told


def test_a_step_of_many_papers_is_taken_back_from_the_history(desk: Desk) -> None:
    curator, client = actor(desk, "curator"), desk.client("curator")
    (done, *_) = desk.house.screening.decide(
        [TRIAL, VERSUS, FISH, NO_CRS], "dismiss", reason="duplicate", actor=curator
    )
    desk.house.screening.decide([FISH], "dismiss", reason="fish-cik", actor=curator)
    page = client.get("/me").text
    assert "Dismissed: Duplicate report (4 papers)" in page
    assert "and 1 more" in page
    assert client.post(f"/me/steps/{done.step_id}/undo").headers["location"] == f"/me?undone={done.step_id}"
    assert "Taken back: Dismissed: Duplicate report (4 papers)." in client.get(f"/me?undone={done.step_id}").text
    verdicts = {each.pmid: each.judgement.verdict for each in desk.house.screening.of([TRIAL, FISH])}
    assert verdicts == {TRIAL: None, FISH: "dismiss"}, "what was decided since stands"
    assert client.post(f"/me/steps/{done.step_id}/undo").status_code == 422
    assert desk.client("second").post(f"/me/steps/{done.step_id}/undo").status_code == 404
    assert client.post("/me/steps/²/undo").status_code == 404
    desk.house.screening.decide([NO_CRS], "keep", topics=["cik"], actor=curator)
    desk.clock.set(NOW + timedelta(hours=25))
    assert "Take back" not in desk.client("curator").get("/me").text


def test_notes_that_were_begun_are_listed(desk: Desk) -> None:
    desk.house.site.notes.write(TRIAL, "Ask for the <b>full</b> text", 0, actor(desk, "curator"))
    page = desk.client("curator").get("/me").text
    assert "Ask for the &lt;b&gt;full&lt;/b&gt; text" in page
    assert "Draft" in page
    assert "Ask for the" not in desk.client("second").get("/me").text


def test_a_vote_is_blind_until_both_are_in_and_a_third_decides(desk: Desk) -> None:
    assert desk.client("curator").post("/votes/topics", data={"topic": "car-nk", "on": "1"}).status_code == 403
    assert desk.client("admin").post("/votes/topics", data={"topic": "car-nk", "on": "1"}).status_code == 303
    form = {
        "where": "lane=second",
        "say": "keep",
        "topic": "car-nk",
        "tag": "canary-tag",
        "note": SECRET,
        "level": "B2",
    }
    first = desk.client("curator").post(f"/queue/{TRIAL}", data={**form, "level_usual": "", "level_why": "because"})
    assert first.status_code == 303, first.text
    assert "lane=second" in first.headers["location"]
    second = desk.client("second")
    seen = [
        second.get(path).text
        for path in (
            "/queue?lane=second", f"/queue/{TRIAL}?lane=second", f"/queue/{TRIAL}?lane=second&part=record", "/me", "/votes",
            f"/papers/{TRIAL}", "/queue/rows?lane=second",
        )
    ]  # fmt: skip
    assert "Blind review" in seen[1]
    for page in seen:
        assert SECRET not in page
        assert "canary-tag" not in page
        assert 'class="verdict keep"' not in page
        assert "Curator</b>" not in page
    said = second.post(f"/queue/{TRIAL}", data={"where": "lane=second", "say": "dismiss not-primary"})
    assert said.status_code == 303
    conflicts = desk.client("third").get("/votes").text
    assert SECRET in conflicts
    assert "Not primary research" in conflicts
    assert ">Decide<" in conflicts
    assert "a third person decides" in second.get("/votes").text
    assert "Two verdicts differ." in desk.client("third").get(f"/queue/{TRIAL}?lane=second").text
    assert (
        second.post(f"/queue/{TRIAL}", data={"where": "lane=second", "say": "keep", "topic": "car-nk"}).status_code
        == 422
    )
    third = desk.client("third").post(
        f"/queue/{TRIAL}", data={"where": "lane=second", "say": "keep", "topic": "car-nk"}
    )
    assert third.status_code == 303
    (now,) = desk.house.screening.of([TRIAL])
    assert now.judgement.verdict == "keep"
    report = desk.client("third").get("/votes").text
    assert re.search(r'<td class="count">1</td><td class="count">0%</td>', report)


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_are_sound_in_a_browser(desk: Desk, chromium: Any, scheme: str) -> None:
    desk.house.site.votes.switch("car-nk", True, actor(desk, "admin"))
    vote = desk.house.site.votes.vote
    vote(TRIAL, "keep", topics=["car-nk"], actor=actor(desk, "curator"))
    vote(TRIAL, "dismiss", reason="duplicate", actor=actor(desk, "second"))
    vote(VERSUS, "keep", topics=["car-nk"], actor=actor(desk, "curator"))
    vote(VERSUS, "keep", topics=["car-nk"], actor=actor(desk, "second"))
    with serving(desk.app) as url:
        context = chromium.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
        name, value = desk.cookie("curator")
        context.add_cookies([{"name": name, "value": value, "url": url}])
        page = context.new_page()
        for path in ("/me", "/votes", f"/queue/bulk?pmid={FISH}&pmid={NO_CRS}&say=dismiss"):
            page.set_viewport_size({"width": 1280, "height": 900})
            page.goto(url + path)
            assert grave(page) == []
            picture(page, f"{path.partition('?')[0]} {scheme}")
            page.set_viewport_size({"width": 320, "height": 800})
            assert not scrolls_sideways(page), path
        context.close()
