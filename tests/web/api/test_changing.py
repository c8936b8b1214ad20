"""What programs change: decisions, tags and steps, by the same services and rules as the pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.core.people import Actor
from monitor.services.screening import Overtaken
from monitor.storage import events
from tests.postgres import PostgresServer
from tests.web.api.conforming import Description, Program
from tests.web.members import Collection, collection

Changing = tuple[Collection, Callable[..., Program]]
KEEP: dict[str, Any] = {"verdict": "keep", "topics": ["car-nk"]}


def test_a_decision_is_one_step_with_its_event_and_is_taken_back(changing: Changing) -> None:
    held, program = changing
    mine = program("curator", "screen")
    pmids = list(held.plain[5:8])
    done = mine.post("/decisions", {"pmids": pmids, **KEEP, "tags": ["car-nk"], "level": "B3", "note": "Look."}).json()
    assert [
        (each["pmid"], each["verdict"], each["tags"], each["level"], each["changed"]) for each in done["papers"]
    ] == [(pmid, "keep", ["car-nk"], "B3", True) for pmid in pmids]
    step = mine.get("/steps").json()["items"][0]
    assert (step["id"], step["kind"], step["pmids"], step["verdict"]) == (done["step"], "decide", pmids, "keep")
    with held.place.house.database.read() as session:
        event = events.about(session, f"citation:{pmids[0]}")[0]
    assert (event.actor, event.action) == ("curator@lab.example", "screen.keep")
    again = mine.post("/decisions", {"pmids": pmids, **KEEP, "tags": ["car-nk"], "level": "B3", "note": "Look."}).json()
    assert again["step"] is None
    assert not any(each["changed"] for each in again["papers"])
    back = mine.delete(f"/steps/{done['step']}").json()
    assert (back["pmids"], back["left"]) == (pmids, [])
    for pmid in pmids:
        standing = mine.get(f"/citations/{pmid}").json()["standing"]
        assert (standing["verdict"], standing["tags"], standing["level"]) == (None, [], None)
    assert mine.delete(f"/steps/{done['step']}").status_code == 409


def test_who_comes_second_gets_both_choices_and_may_still_have_theirs(changing: Changing) -> None:
    held, program = changing
    first, second = program("curator", "screen"), program("admin", "screen")
    pmid = held.plain[5]
    seen = {str(pmid): None}
    assert first.post("/decisions", {"pmids": [pmid], **KEEP, "expected": seen}).status_code == 200
    late = {"pmids": [pmid, held.plain[6]], "verdict": "maybe", "expected": seen}
    refused = second.post("/decisions", late)
    assert refused.status_code == 409
    (both,) = refused.json()["papers"]
    assert (both["pmid"], both["theirs"]["verdict"], both["theirs"]["by"]) == (pmid, "keep", "Curator")
    assert both["yours"]["verdict"] == "maybe"
    assert second.get(f"/citations/{held.plain[6]}/decision").status_code == 404, "all of it or nothing"
    done = second.post("/decisions", {**late, "expected": {str(pmid): both["expected"]}})
    assert [each["verdict"] for each in done.json()["papers"]] == ["maybe", "maybe"]
    assert first.get(f"/citations/{pmid}/decision").json()["by"] == "Admin"


def test_a_decision_is_taken_back_only_while_it_is_the_one_that_was_read(changing: Changing) -> None:
    held, program = changing
    mine, other = program("curator", "screen"), program("admin", "screen")
    pmid = held.plain[0]
    read = mine.get(f"/citations/{pmid}/decision")
    other.post("/decisions", {"pmids": [pmid], "verdict": "maybe"})
    stale = mine.delete(f"/citations/{pmid}/decision", headers={"If-Match": read.headers["etag"]})
    assert stale.status_code == 412
    assert stale.json()["stands"]["verdict"] == "maybe"
    now = mine.get(f"/citations/{pmid}/decision")
    back = mine.delete(f"/citations/{pmid}/decision", headers={"If-Match": f'"other", {now.headers["etag"]}'})
    assert back.json()["verdict"] == "keep", "the one before it stands again"
    assert mine.delete(f"/citations/{pmid}/decision").json()["verdict"] is None
    assert mine.delete(f"/citations/{pmid}/decision").status_code == 404
    assert mine.delete(f"/citations/{pmid}/decision", headers={"If-Match": "unquoted"}).status_code == 422


def test_taking_back_in_the_very_moment_of_another_decision_changes_nothing(changing: Changing) -> None:
    """Between reading and taking back somebody decides: the service sees it under its lock."""
    held, program = changing
    screening, pmid = held.place.house.screening, held.plain[0]
    (read,) = screening.of([pmid])
    program("admin", "screen").post("/decisions", {"pmids": [pmid], "verdict": "maybe"})
    with pytest.raises(Overtaken) as late:
        screening.undo([pmid], expected={pmid: read.expected}, actor=held.curator)
    (both,) = late.value.papers
    assert both.theirs is not None
    assert both.theirs.judgement.verdict == "maybe"
    (after,) = screening.of([pmid])
    assert after.judgement.verdict == "maybe"


def test_tags_are_put_on_and_taken_off_as_steps(changing: Changing) -> None:
    held, program = changing
    mine = program("curator", "screen")
    pmid = held.plain[0]
    done = mine.post(
        "/tags", {"pmids": [pmid], "add": ["Cord-Blood"], "remove": ["car-nk"], "level": "B2", "note": "Two arms."}
    )
    (paper,) = done.json()["papers"]
    assert (paper["tags"], paper["level"]) == (["cord-blood", "crs/absent"], "B2")
    assert mine.delete(f"/citations/{pmid}/tags/crs/absent").json()["tags"] == ["cord-blood"]
    assert mine.delete(f"/citations/{pmid}/tags/crs%2Fabsent").status_code == 404
    newest = mine.get("/steps?limit=1").json()
    assert newest["items"][0]["off"] == {"tag": ["crs/absent"]}
    assert newest["next"] is not None
    mine.delete(f"/steps/{newest['items'][0]['id']}")
    assert mine.get(f"/citations/{pmid}").json()["standing"]["tags"] == ["cord-blood", "crs/absent"]


def test_steps_are_each_persons_own_and_grow_old(changing: Changing) -> None:
    held, program = changing
    mine, other = program("curator", "screen"), program("admin", "screen")
    step = mine.post("/decisions", {"pmids": [held.plain[5]], "verdict": "maybe"}).json()["step"]
    assert other.get("/steps").json()["items"] == []
    assert other.delete(f"/steps/{step}").status_code == 404
    held.place.clock.set(held.place.clock.now() + timedelta(hours=25))
    late = mine.delete(f"/steps/{step}")
    assert late.status_code == 409
    assert "24 hours" in late.json()["detail"]


def test_what_is_missing_is_said_in_a_sentence_and_nothing_changes(changing: Changing) -> None:
    held, program = changing
    mine = program("curator", "screen")
    pmid, before = held.plain[5], mine.get("/steps").json()
    for body, told in (
        ({"verdict": "keep"}, "at least one topic"),
        ({"verdict": "dismiss"}, "needs a reason"),
        ({"verdict": "dismiss", "reason": "other"}, "needs a note"),
        ({"verdict": "maybe", "until": "2020-01-01"}, "not a day to come"),
        ({**KEEP, "topics": ["nowhere"]}, "no topic is called"),
        ({**KEEP, "pmids": [pmid, 89999999]}, "not in the library"),
        ({**KEEP, "tags": ["a"], "untag": ["a"]}, "at once"),
    ):
        answer = mine.post("/decisions", {"pmids": [pmid], **body})
        assert answer.status_code == 422, body
        assert told in answer.json()["detail"], body
    assert mine.get("/steps").json() == before


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"pmids": [], "verdict": "maybe"}, "pmids"),
        ({"pmids": ["90000001"], "verdict": "maybe"}, "pmids.0"),
        ({"pmids": [90000001.5], "verdict": "maybe"}, "pmids.0"),
        ({"pmids": [90000001], "verdict": "include"}, "verdict"),
        ({"pmids": [90000001], "verdict": "maybe", "topic": "car-nk"}, "topic"),
        ({"pmids": [90000001], "verdict": "maybe", "until": "tomorrow"}, "until"),
        ({"pmids": [90000001], "verdict": "maybe", "until": 5}, "until"),
        ({"pmids": [90000001], "verdict": "maybe", "note": "a\u0000b"}, "note"),
        ({"pmids": [90000001], "verdict": "maybe", "expected": {"x": 1}}, "expected.x.[key]"),
        ({"verdict": "maybe"}, "pmids"),
        ([], ""),
    ],
)
def test_a_body_that_is_wrong_names_the_place(held: Collection, body: object, name: str) -> None:
    answer = held.place.program("curator", "screen").post("/api/v1/decisions", json=body)
    assert answer.status_code == 422
    wrong = answer.json()["errors"]
    assert ("body", name) in {(each["in"], each["name"]) for each in wrong}, wrong


def test_a_blind_vote_is_neither_passed_over_nor_read(changing: Changing) -> None:
    """Where two people screen a topic without seeing each other, the API is no way around it."""
    held, program = changing
    house, pmid = held.place.house, held.plain[5]
    admin = Actor("admin@lab.example", "admin", held.place.ids["admin"])
    house.site.votes.switch("car-nk", on=True, actor=admin)
    house.site.votes.vote(pmid, "dismiss", reason="language", actor=held.curator)
    other = program("admin", "admin")
    told = other.get(f"/citations/{pmid}").text
    assert '"reason":"language"' not in told
    assert other.get("/steps").json()["items"] == []
    refused = other.post("/decisions", {"pmids": [pmid], **KEEP})
    assert refused.status_code == 422
    assert "do not see each other" in refused.json()["detail"]


def test_the_same_holds_on_postgresql(postgres_server: PostgresServer, tmp_path: Path) -> None:
    """Every resource once, and two who decide at once."""
    with collection(tmp_path, postgres_server.url(postgres_server.fresh())) as held:
        described = Description(held.place)
        first = Program(held.place, described, "curator", "screen")
        second = Program(held.place, described, "admin", "admin")
        pmid = held.plain[5]
        for address in (
            "/me",
            f"/citations/{pmid}",
            "/facets",
            "/topics",
            "/topics/car-nk",
            "/polls",
            "/issues",
            "/steps",
        ):
            assert second.get(address).status_code == 200, address
        page = first.get("/citations?q=cells&limit=20&count=true").json()
        rest = first.get("/citations", params={"q": "cells", "limit": 200, "cursor": page["next"]}).json()["items"]
        assert len({each["pmid"] for each in [*page["items"], *rest]}) == page["total"] == 20 + len(rest)
        seen = {str(pmid): None}
        step = first.post("/decisions", {"pmids": [pmid], **KEEP, "tags": ["car-nk"], "expected": seen}).json()["step"]
        late = second.post("/decisions", {"pmids": [pmid], "verdict": "maybe", "expected": seen})
        assert late.status_code == 409
        read = second.get(f"/citations/{pmid}/decision")
        assert first.delete(f"/steps/{step}").json()["pmids"] == [pmid]
        assert (
            second.delete(f"/citations/{pmid}/decision", headers={"If-Match": read.headers["etag"]}).status_code == 404
        )
        assert first.get("/citations?q=keep[decision]").json()["items"][0]["pmid"] == held.plain[0]
