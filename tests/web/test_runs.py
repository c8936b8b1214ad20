"""Runs as admins see them: what was asked, what failed and when it is tried again, and runs on demand (ux.md B13, S-04)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.pubmed.sandbox import Fault
from monitor.services.working import Ran
from monitor.storage import events, polls
from tests.web.desk import Desk
from tests.web.searches_world import FIRST, NOW, TOPIC, Searching, searching, text

ROW = '<th scope="row"><a href="/admin/runs/'


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Searching]:
    with searching(tmp_path / "lab") as found:
        yield found


def worked(lab: Searching) -> list[Ran]:
    """Let the worker tick once at what people asked for; what is due by itself was done."""
    lab.house.working.beat()
    return [each for each in lab.house.working.tick("pubmed") if each.job == "runs asked for"]


def test_s_04_a_run_that_fails_tells_its_tries_and_the_next_one(lab: Searching) -> None:
    lab.server.fault(Fault.RATE_LIMITED, utility="esearch", times=2, seconds=1)
    lab.server.fault(Fault.HTTP_502, utility="esearch")
    lab.house.polling.poll([TOPIC], lanes=("core",))
    said = text(lab.admin.get("/admin/runs?state=failed"))
    assert "Failed" in said
    assert "PubMed did not answer (tried 4 times). Nothing was changed. Next try 06:15." in said
    assert len(lab.server.requests("esearch")) == 4
    detail = lab.admin.get(
        lab.admin.get("/admin/runs?state=failed").text.split('<th scope="row"><a href="')[1].split('"')[0]
    )
    assert "502" in text(detail)
    assert "Next try 06:15." in text(detail)
    assert '"CAR-NK"[tiab]' in text(detail), "the query that was sent"


def test_a_throttled_run_that_gets_through_in_the_end_is_done(lab: Searching) -> None:
    lab.server.fault(Fault.RATE_LIMITED, utility="esearch", times=2, seconds=1)
    lab.house.polling.poll([TOPIC], lanes=("core",))
    assert "With trouble" in text(lab.admin.get("/admin/runs"))
    assert "No run matches this." in text(lab.admin.get("/admin/runs?state=trouble"))


def test_a_failure_that_was_made_up_for_has_no_next_try(lab: Searching) -> None:
    lab.server.fault(Fault.HTTP_502, utility="esearch", times=4)
    lab.house.polling.poll([TOPIC], lanes=("core",))
    lab.clock.set(NOW + timedelta(minutes=20))
    lab.house.polling.poll([TOPIC], lanes=("core",))
    said = text(lab.admin.get("/admin/runs?state=failed"))
    assert "PubMed did not answer" in said
    assert "Next try" not in said
    assert "Try again" not in said


def test_a_warned_run_names_the_phrase_and_leads_to_the_search(lab: Searching) -> None:
    lab.server.unknown_phrases = ["chimeric NK cells"]
    lab.house.polling.poll([TOPIC], lanes=("core",))
    page = lab.admin.get("/admin/runs?state=warned")
    assert "PubMed does not know the phrase “chimeric NK cells” and searched its words separately." in text(page)
    assert f'href="/admin/searches/{TOPIC}"' in page.text


def test_a_record_that_cannot_be_read_is_named_on_the_page_of_its_run(lab: Searching) -> None:
    lab.server.fault(Fault.ILLEGAL_CHARACTER, pmid=FIRST, utility="efetch")
    lab.house.polling.poll([TOPIC], lanes=("core",))
    assert "1 record could not be read." in text(lab.admin.get("/admin/runs"))
    with lab.house.database.read() as session:
        newest = max(each.id for each in polls.latest(session))
    said = text(lab.admin.get(f"/admin/runs/{newest}"))
    assert "Records that could not be read" in said
    assert f"PMID {FIRST}" in said


def test_runs_are_narrowed_by_topic_and_state_and_odd_addresses_are_told(lab: Searching) -> None:
    assert "2 runs" in text(lab.admin.get(f"/admin/runs?of={TOPIC}"))
    assert "No run matches this." in text(lab.admin.get("/admin/runs?of=cik"))
    assert "No run matches this." in text(lab.admin.get("/admin/runs?of=-"))
    lab.house.rechecking.run()
    assert "Check of stored papers" in text(lab.admin.get("/admin/runs?of=-"))
    assert lab.admin.get("/admin/runs?of=nobody").status_code == 404
    assert lab.admin.get("/admin/runs?state=odd").status_code == 422
    assert lab.admin.get("/admin/runs/99999").status_code == 404
    assert lab.admin.get("/admin/runs/x").status_code == 404


def test_run_now_waits_for_the_worker_and_is_run_once(lab: Searching) -> None:
    asked = lab.admin.post("/admin/runs", data={"topic": TOPIC, "kind": "full"})
    assert asked.headers["location"] == "/admin/runs?asked=new"
    assert lab.asked() == 0, "the page asks nobody"
    again = lab.admin.post("/admin/runs", data={"topic": TOPIC, "kind": "full"})
    assert again.headers["location"] == "/admin/runs?asked=old"
    said = text(lab.admin.get("/admin/runs"))
    assert "Asked for by Admin" in said
    assert "No worker is running" in said
    assert worked(lab) == [Ran("runs asked for", None)]
    assert "Waiting" not in text(lab.admin.get("/admin/runs"))
    assert "6 runs" in text(lab.admin.get(f"/admin/runs?of={TOPIC}")), (
        "two before, two due by themselves, two asked for"
    )
    before = lab.asked()
    worked(lab)
    assert lab.asked() == before
    with lab.house.database.read() as session:
        assert [each.action for each in events.about(session, f"topic:{TOPIC}")][-1] == "poll.ask"


def test_a_wish_outlives_the_worker_that_could_not_answer_it(lab: Searching) -> None:
    lab.admin.post("/admin/runs", data={"topic": TOPIC})
    lab.server.fault(Fault.HTTP_502)
    worked(lab)
    said = text(lab.admin.get("/admin/runs"))
    assert "Waiting" not in said, "a failed run is an answer: it is made up for like every other"
    assert "Next try 06:15." in said
    page = lab.admin.get("/admin/runs?state=failed").text
    assert 'name="kind" value="window"' in page
    retried = lab.admin.post("/admin/runs", data={"topic": TOPIC, "lane": "core", "kind": "window"})
    assert retried.status_code == 303
    lab.server.faults.clear()
    worked(lab)
    assert "Next try" not in text(lab.admin.get("/admin/runs?state=done"))


def test_a_wish_for_a_topic_that_is_retired_meanwhile_says_why_it_is_not_run(lab: Searching) -> None:
    lab.admin.post("/admin/runs", data={"topic": TOPIC})
    lab.house.strategies.retire(TOPIC, "no longer wanted", lab.actor)
    worked(lab)
    assert "could not be run:" in text(lab.admin.get("/admin/runs"))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"topic": "nobody"}, "no topic is called nobody"),
        ({"topic": "cik"}, "cik is retired"),
        ({"topic": TOPIC, "kind": "odd"}, "is no kind of run"),
        ({"topic": TOPIC, "lane": "deep"}, "has no deep lane"),
    ],
)
def test_what_cannot_be_run_is_refused_in_a_sentence(lab: Searching, data: dict[str, str], said: str) -> None:
    answer = lab.admin.post("/admin/runs", data=data)
    assert answer.status_code == 422
    assert said in text(answer)


def test_no_run_is_promised_where_pubmed_may_not_be_asked(place: Desk) -> None:
    answer = place.client("admin").post("/admin/runs", data={"topic": "car-nk"})
    assert answer.status_code == 422
    assert "set MONITOR_NCBI_EMAIL. Nothing was noted" in text(answer)


def test_many_runs_come_in_pages(lab: Searching) -> None:
    for _ in range(52):
        lab.house.polling.poll([TOPIC], lanes=("core",))
    page = lab.admin.get(f"/admin/runs?of={TOPIC}")
    assert page.text.count(ROW) == 50
    older = page.text.split(f'href="/admin/runs?of={TOPIC}')[1].split('"')[0].replace("&amp;", "&")
    rest = lab.admin.get(f"/admin/runs?of={TOPIC}{older}")
    assert rest.text.count(ROW) == 4
