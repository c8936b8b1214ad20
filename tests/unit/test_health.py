"""Silence is checked: quiet, failed, overdue and dead look different."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.core.health import (
    Facts,
    Finding,
    Heartbeat,
    Installation,
    LaneFacts,
    State,
    TopicFacts,
    ago,
    examine,
    headline,
    report,
)

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
FINE = Installation(contact_known=True, mail_leaves=True, public_url="https://monitor.example")
SEARCHED = TopicFacts("cik", "CIK cells", LaneFacts(NOW - timedelta(hours=2)), LaneFacts(NOW - timedelta(hours=2)))
ALIVE = Heartbeat("worker-1", NOW - timedelta(seconds=30))


def findings(installation: Installation = FINE, **facts: object) -> list[Finding]:
    base = {"topics": (SEARCHED,), "heartbeats": (ALIVE,), "subscriptions": 2}
    return examine(Facts(**(base | facts)), installation, NOW)  # type: ignore[arg-type]


def worst(found: list[Finding]) -> Finding:
    return found[0]


def test_a_healthy_house_has_nothing_to_say() -> None:
    assert {finding.state for finding in findings()} == {State.FINE}
    assert headline(findings()) == "Everything is running"


@pytest.mark.parametrize(
    ("facts", "state", "words"),
    [
        ({"topics": ()}, State.PROBLEM, "no topics"),
        ({"topics": (TopicFacts("a", "A"),)}, State.PROBLEM, "Never polled"),
        (
            {"topics": (TopicFacts("a", "A", LaneFacts(NOW - timedelta(days=1), "PubMed did not answer.")),)},
            State.PROBLEM,
            "last good one was 1 day ago",
        ),
        ({"topics": (TopicFacts("a", "A", LaneFacts(NOW - timedelta(hours=31))),)}, State.PROBLEM, "Overdue"),
        ({"topics": (TopicFacts("a", "A", LaneFacts(NOW, None, ("CAR-iNK",))),)}, State.WARNED, "“CAR-iNK”"),
        ({"topics": (TopicFacts("a", "A", LaneFacts(NOW, missing=3)),)}, State.WARNED, "3 papers that it did not give"),
        ({"topics": (TopicFacts("a", "A", LaneFacts(NOW, refused=1)),)}, State.WARNED, "1 paper could not be read"),
        (
            {"topics": (TopicFacts("a", "A", LaneFacts(NOW), LaneFacts(None, "Too many terms")),)},
            State.WARNED,
            "Too many terms. None was good before.",
        ),
        (
            {"topics": (TopicFacts("a", "A", LaneFacts(NOW), LaneFacts(NOW - timedelta(hours=31))),)},
            State.WARNED,
            "Overdue",
        ),
        ({"latest_moment": NOW + timedelta(minutes=6)}, State.PROBLEM, "one of them is wrong"),
        ({"heartbeats": (Heartbeat("w", NOW + timedelta(days=9)),)}, State.PROBLEM, "never seen"),
        ({"heartbeats": ()}, State.PROBLEM, "never seen"),
        ({"heartbeats": (Heartbeat("w", NOW - timedelta(minutes=6)),)}, State.PROBLEM, "6 minutes ago"),
        ({"jobs_failed": ("poll failed",)}, State.WARNED, "poll failed"),
        ({"subscriptions": 0}, State.NOTE, "Nobody is subscribed"),
        ({"digests_overdue": 1}, State.PROBLEM, "1 overdue"),
        (
            {
                "deliveries": {"queued": 3},
                "oldest_waiting_since": NOW - timedelta(hours=3),
                "last_mail_error": "451 later",
            },
            State.PROBLEM,
            "451 later",
        ),
        ({"deliveries": {"in_doubt": 1}}, State.WARNED, "in doubt"),
        ({"deliveries": {"failed": 1}}, State.WARNED, "given up"),
        ({"suppressed": 4}, State.NOTE, "4 get no mail"),
        ({"provisional": 7}, State.NOTE, "7 imported"),
        ({"damage": ("the file is damaged (row 3); restore a backup",)}, State.PROBLEM, "The file is damaged"),
    ],
)
def test_each_fault_is_told_with_its_weight(facts: dict[str, object], state: State, words: str) -> None:
    found = worst(findings(**facts))
    assert (found.state, words in found.text) == (state, True), found


def test_waiting_mail_that_is_young_is_no_problem() -> None:
    assert worst(findings(deliveries={"queued": 3}, oldest_waiting_since=NOW)).state is State.FINE


def test_without_contact_address_pubmed_is_not_asked_and_that_is_a_problem() -> None:
    found = worst(findings(Installation(contact_known=False, mail_leaves=True, public_url="https://x.example")))
    assert found.state is State.PROBLEM
    assert "MONITOR_NCBI_EMAIL" in found.advice


def test_mail_that_leaves_needs_https_for_one_click() -> None:
    found = worst(findings(Installation(contact_known=True, mail_leaves=True, public_url="http://127.0.0.1:8000")))
    assert (found.state, "https" in found.advice) == (State.WARNED, True)


def test_a_worker_is_only_missed_where_one_is_expected() -> None:
    found = examine(Facts(topics=(SEARCHED,), subscriptions=1), FINE, NOW, expect_worker=False)
    assert {finding.state for finding in found} == {State.FINE}


@pytest.mark.parametrize(
    ("delta", "words"),
    [
        (timedelta(seconds=-5), "in the future (is this machine's clock right?)"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=23, minutes=59), "23 hours ago"),
        (timedelta(days=9), "9 days ago"),
    ],
)
def test_how_long_ago(delta: timedelta, words: str) -> None:
    assert ago(NOW - delta, NOW) == words


def test_the_headline_counts_problems_before_warnings() -> None:
    problem, warned = Finding("a", State.PROBLEM, "x"), Finding("b", State.WARNED, "y")
    assert headline([problem, problem, warned]) == "2 problems"
    assert headline([warned]) == "Running, with 1 thing to look at"


def test_the_report_for_programs_says_problem_only_for_problems() -> None:
    problem, warned = Finding("a", State.PROBLEM, "x", "do y"), Finding("b", State.WARNED, "y")
    assert report([warned])["status"] == "ok"
    assert report([problem, warned]) == {
        "status": "problem",
        "findings": [
            {"what": "a", "state": "problem", "text": "x", "advice": "do y"},
            {"what": "b", "state": "warned", "text": "y", "advice": ""},
        ],
    }
