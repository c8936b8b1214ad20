"""The desk without a browser: what its forms do, what they refuse, and what they leave alone."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from monitor.core.citation import Abstract, AbstractSection, Correction, InlineXml
from monitor.core.people import Actor
from monitor.storage.citations import keep
from tests.factories import citation
from tests.web.desk import NOW, Desk
from tests.web.waiting import FISH, HOSTILE, KINDS, NO_CRS, PLACEHOLDER, TRIAL, VERSUS, found, plain_papers

HX = {"HX-Request": "true"}


@pytest.fixture
def desk(place: Desk) -> Desk:
    found(place.house.database, KINDS, NOW - timedelta(days=2))
    return place


def curator(desk: Desk) -> Actor:
    return desk.house.screening.curator("curator@lab.example")


def said(desk: Desk, pmid: int) -> Any:
    return desk.house.screening.of([pmid])[0]


def fields(page: str, pmid: int) -> dict[str, Any]:
    """Return what the decide form of a paper would send as it stands, without a button."""
    form = re.search(rf'<form class="deciding" method="post" action="/queue/{pmid}".*?</form>', page, re.DOTALL)
    assert form is not None
    sent: dict[str, Any] = {}
    for tag in re.findall(r"<input [^>]*>", form[0]):
        known = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if "name" in known and (known.get("type") != "checkbox" or " checked" in tag):
            sent.setdefault(known["name"], []).append(html.unescape(known.get("value", "")))
    chosen = re.search(r'<option value="([^"]*)" selected', form[0])
    return {**sent, "level": chosen[1] if chosen else ""}


def test_a_topic_is_ticked_though_its_wide_search_finds_the_paper_too(desk: Desk) -> None:
    (paper,) = (each for each in KINDS if each.pmid == TRIAL)
    found(desk.house.database, [paper], NOW - timedelta(days=1), topic="nk-adoptive")
    found(desk.house.database, [paper], NOW - timedelta(days=1), topic="nk-adoptive", lane="wide")
    found(desk.house.database, [paper], NOW - timedelta(days=1), topic="car-nk", lane="wide")
    found(desk.house.database, [paper], NOW - timedelta(days=1), topic="car-t-comparator", lane="wide")
    page = desk.client("curator").get(f"/queue/{TRIAL}").text
    assert set(fields(page, TRIAL)["topic"]) == {"car-nk", "nk-adoptive"}, "both core searches found it, car-t did not"
    (row,) = re.findall(rf'<li class="row" data-pmid="{TRIAL}">.*?</li>', page, re.DOTALL)
    why = " ".join(re.sub("<[^>]+>", "", row[row.index("row-why") + 9 :]).split())
    assert why.startswith("Found by CAR-NK cells (line 1), NK-cell adoptive therapy"), "as the paper's own page says it"
    assert "wide" not in why


def test_a_sample_size_leads_to_the_sentence_that_says_it(desk: Desk) -> None:
    held = citation(
        TRIAL + 60,
        abstract="We treated 24 adults with CAR-NK cells. Fever occurred in 9 of 24. After 24 months 8 were well.",
    )
    groups = citation(
        TRIAL + 61, abstract="Some had CAR-NK cells (n=98). The others were observed (n=96). Of all, 96 were men."
    )
    found(desk.house.database, [held, groups], NOW - timedelta(days=1))
    client = desk.client("curator")

    def told(pmid: int) -> list[str]:
        panel = client.get(f"/queue/{pmid}").text.partition("<dt>Participants</dt>")[2].partition("</dd>")[0]
        return re.findall(r'href="#s(\d+)"', panel)

    assert told(held.pmid) == ["1"], "not where 24 counts something else"
    assert told(groups.pmid) == ["1", "2"], "the groups add up to it"


def test_keep_confirms_what_was_ticked_and_nothing_else(desk: Desk) -> None:
    client = desk.client("curator")
    sent = fields(client.get(f"/queue/{NO_CRS}").text, NO_CRS)
    assert "cik" in sent["offered"]
    assert "crs/absent" not in sent["tag"], "offered, and not ticked"
    answer = client.post(f"/queue/{NO_CRS}", data={**sent, "say": "keep", "more": "Lab Favourite, hcc"})
    assert answer.status_code == 303, answer.text
    now = said(desk, NO_CRS)
    assert now.judgement.topics == ("car-nk",)
    assert {*sent["tag"], "lab favourite"} == set(now.tags)
    step = desk.house.steps.history(curator(desk))[0]
    assert answer.headers["location"].endswith(f"step={step.id}&did=done")
    assert "Kept: CAR-NK cells." in client.get(answer.headers["location"]).text


def test_dismiss_and_maybe_confirm_no_suggestion(desk: Desk) -> None:
    client = desk.client("curator")
    sent = fields(client.get(f"/queue/{TRIAL}").text, TRIAL)
    client.post(f"/queue/{TRIAL}", data={**sent, "say": "maybe 7", "tag": [*sent["tag"], "by-hand"]})
    now = said(desk, TRIAL)
    assert (now.judgement.verdict, now.judgement.until, now.tags) == (
        "maybe",
        NOW.date() + timedelta(days=7),
        ("by-hand",),
    )
    assert now.level is None


def test_a_tag_that_stands_is_taken_off_and_a_level_is_changed_with_a_reason(desk: Desk) -> None:
    desk.house.screening.label([TRIAL], tags=["car-nk", "old-tag"], level="B3", actor=curator(desk))
    client = desk.client("curator")
    sent = fields(client.get(f"/queue/{TRIAL}").text, TRIAL)
    assert sorted(sent["standing"]) == ["car-nk", "old-tag"]
    assert sent["level"] == "B3"
    changed = {**sent, "say": "tags", "tag": [each for each in sent["tag"] if each != "old-tag"], "level": "C"}
    refused = client.post(f"/queue/{TRIAL}", data={**changed, "more": "kept-in-the-form"})
    assert refused.status_code == 422
    assert "needs a reason" in refused.text
    assert "kept-in-the-form" in refused.text
    assert '<option value="C" selected' in refused.text
    assert said(desk, TRIAL).level == "B3"
    assert client.post(f"/queue/{TRIAL}", data={**changed, "level_why": "four patients"}).status_code == 303
    now = said(desk, TRIAL)
    assert (now.level, "old-tag" in now.tags, now.judgement.verdict) == ("C", False, None)


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"say": "keep"}, "keep needs at least one topic"),
        ({"say": "dismiss"}, "dismiss needs a reason"),
        ({"say": "dismiss other"}, "needs a note"),
        ({"say": "maybe day", "until": "soon"}, "choose the day"),
        ({"say": "maybe day", "until": "2020-01-01"}, "not a day to come"),
        ({"say": "maybe ask", "asked": "²"}, "choose whom to ask"),
        ({"say": "maybe 99999"}, "choose when"),
        ({"say": "shrug"}, "is no verdict"),
        ({"say": "tags", "tag": "<b>"}, "cannot stand in a tag"),
    ],
)
def test_what_cannot_be_taken_is_told_and_the_form_kept(desk: Desk, form: dict[str, str], told: str) -> None:
    answer = desk.client("curator").post(
        f"/queue/{TRIAL}", data={**form, "note": "x" if "other" not in form["say"] else ""}
    )
    assert answer.status_code == 422
    assert told in html.unescape(answer.text)
    assert said(desk, TRIAL).judgement.verdict is None


def test_another_verdict_meanwhile_shows_both_choices(desk: Desk) -> None:
    client = desk.client("curator")
    sent = fields(client.get(f"/queue/{VERSUS}").text, VERSUS)
    desk.house.screening.decide(
        [VERSUS],
        "dismiss",
        reason="duplicate",
        note="Seen before",
        actor=desk.house.screening.curator("admin@lab.example"),
    )
    answer = client.post(f"/queue/{VERSUS}", data={**sent, "say": "keep"})
    assert answer.status_code == 409
    assert "Admin decided on this while you read" in answer.text
    assert "Seen before" in answer.text
    kept = re.findall(
        r'<input type="hidden" name="([\w-]+)" value="([^"]*)">', answer.text.partition('class="mine"')[2]
    )
    again: dict[str, Any] = {}
    for name, value in kept:
        again.setdefault(name, []).append(html.unescape(value))
    assert client.post(f"/queue/{VERSUS}", data=again).status_code == 303
    assert said(desk, VERSUS).judgement.verdict == "keep"


def test_looking_ahead_takes_nobodys_place(desk: Desk) -> None:
    desk.client("curator").get(f"/queue/{TRIAL}?part=record")
    assert "is reading this" not in desk.client("admin").get(f"/queue/{TRIAL}?part=record").text
    desk.client("curator").get(f"/queue/{TRIAL}")
    shown = desk.client("admin").get(f"/queue/{TRIAL}").text
    assert "Curator is reading this." in shown
    assert desk.client("admin").post(f"/queue/{TRIAL}/reading", data={"take": "1"}).status_code == 303
    assert desk.client("curator").post(f"/queue/{TRIAL}/reading", headers=HX).json() == {"held_by": "Admin"}


def test_what_befell_a_kept_paper_waits_until_somebody_has_read_it(desk: Desk) -> None:
    desk.house.screening.decide([TRIAL], "keep", topics=["car-nk"], actor=curator(desk))
    desk.clock.set(NOW + timedelta(hours=2))
    with desk.house.database.write() as session:
        keep(
            session,
            [replace(KINDS[0], corrections=(Correction("RetractionIn", "Invented J. 2026;1:2", 90000999),))],
            NOW + timedelta(hours=1),
        )
    client = desk.client("curator")
    page = client.get("/queue?lane=integrity").text
    assert "Retracted" in page
    upto = re.search(r'name="upto" value="(\d+)"', page)
    assert upto is not None
    answer = client.post(f"/queue/{TRIAL}/acknowledge", data={"where": "lane=integrity", "upto": upto[1]})
    assert answer.status_code == 303
    assert "Queue clear." in client.get("/queue?lane=integrity").text
    client.post("/queue/undo", data={"where": "lane=integrity"})
    assert "I have read this" in client.get("/queue?lane=integrity").text


def test_a_revised_abstract_shows_its_difference_in_words(desk: Desk) -> None:
    desk.house.screening.decide([VERSUS], "keep", topics=["car-nk"], actor=curator(desk))
    now = Abstract((AbstractSection(InlineXml("CAR-NK cells against BCMA were made from cord blood. Nothing else.")),))
    with desk.house.database.write() as session:
        keep(session, [replace(KINDS[1], abstract=now)], NOW + timedelta(hours=1))
    page = re.sub(r"<[^>]+>", "", desk.client("curator").get("/queue?lane=revised").text)
    assert "[removed: peripheral ]" in page
    assert "[added: cord ]" in page


def test_a_note_changed_in_another_window_shows_both(desk: Desk) -> None:
    client = desk.client("curator")
    note = {"text": "first", "version": "0"}
    assert client.post(f"/queue/{TRIAL}/note", data=note, headers=HX).json() == {"version": 1}
    answer = client.post(f"/queue/{TRIAL}/note", data={"text": "second <b>", "version": "0"}, headers=HX)
    assert answer.status_code == 409
    assert "first" in answer.text
    assert "second &lt;b&gt;" in answer.text
    mine = client.post(f"/queue/{TRIAL}/note", data={"text": "second <b>", "version": "1"})
    assert mine.status_code == 303
    assert "second &lt;b&gt;" in client.get(f"/queue/{TRIAL}").text


def test_lists_are_ordered_drawn_and_narrowed(desk: Desk) -> None:
    found(desk.house.database, plain_papers(40), NOW - timedelta(days=1))
    client = desk.client("curator")

    def listed(address: str) -> list[int]:
        return [int(each) for each in re.findall(r'<li class="row" data-pmid="(\d+)">', client.get(address).text)]

    drawn = client.get("/queue?order=sample")
    assert drawn.status_code == 303
    sample = drawn.headers["location"]
    assert listed(sample) == listed(sample) != listed("/queue?order=newest")
    first = listed("/queue?order=newest")
    after = re.search(r'data-rows="/queue/rows\?([^"]+)"', client.get("/queue?order=newest").text)
    assert after is not None
    rest = listed(f"/queue/rows?{html.unescape(after[1])}")
    assert len({*first, *rest}) == 48
    assert listed("/queue?words=myeloma+grass") == []
    assert "0 of 48 match these filters." in client.get("/queue?words=myeloma+grass").text
    assert listed("/queue?words=grass+carp") == [FISH]
    assert client.get("/queue?lane=attic").status_code == 422
    assert client.get("/queue?order=best").status_code == 422
    for address in ("/queue/abc", "/queue/99999999", "/queue/²", "/queue/0?part=record"):
        assert client.get(address).status_code == 404
    assert client.get("/queue?after=nonsense").status_code == 422
    assert client.get("/queue?step=1&did=done").status_code == 200


def test_an_empty_queue_says_what_was_done_and_what_waits_elsewhere(desk: Desk) -> None:
    desk.house.screening.decide([each.pmid for each in KINDS], "dismiss", reason="duplicate", actor=curator(desk))
    found(desk.house.database, plain_papers(2), NOW - timedelta(days=3), lane="wide")
    page = " ".join(re.sub(r"<[^>]+>", "", desk.client("curator").get("/queue").text).split())
    assert "Queue clear. 8 decided today, oldest waiting elsewhere: 3 days (Wide)." in page


def test_a_paper_without_abstract_says_so_and_hostile_words_stay_words(desk: Desk) -> None:
    client = desk.client("curator")
    assert "PubMed has no abstract for this record." in client.get(f"/queue/{PLACEHOLDER}").text
    page = client.get(f"/queue/{HOSTILE}").text
    assert "<script>alert" not in page
    assert "<img src=x" not in page


def test_undo_with_nothing_left_says_so(desk: Desk) -> None:
    answer = desk.client("curator").post("/queue/undo", data={})
    assert answer.status_code == 422
    assert "Nothing left to undo." in answer.text
    assert desk.client("curator").post("/queue/redo", data={}).status_code == 422


def test_highlights_that_were_turned_on_stay_on(desk: Desk) -> None:
    client = desk.client("curator")
    assert client.post("/queue/highlights", data={"layer": ["safety", "nonsense"]}).json() == {"highlights": ["safety"]}
    assert re.findall(r'name="layer" value="(\w+)" autocomplete="off" checked', client.get("/queue").text) == ["safety"]
