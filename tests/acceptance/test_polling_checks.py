"""The rolling check of what is stored, and what an import brings; real HTTP on loopback, both databases."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from monitor.core.revision import Change
from monitor.errors import PubmedUnavailable, UsageError
from monitor.pubmed.sandbox import Fault, Sandbox
from monitor.services.importing import Importing, ImportReport
from monitor.services.rechecking import Rechecking
from monitor.services.retrieving import Stopped
from monitor.storage import checks, citations, polls
from monitor.storage.engine import Database
from tests.acceptance.polling import FIRST, Lab, client, record, records, sandbox


def rechecking(lab: Lab, server: Sandbox, **more: object) -> Rechecking:
    return Rechecking(lab.database, client(server), lab, **more)  # type: ignore[arg-type]


def test_stored_citations_are_fetched_again_when_due_and_silent_changes_found(database: Database) -> None:
    with sandbox(*records(3)) as server:
        lab = Lab(database, server)
        lab.polling.poll()
        checking = rechecking(lab, server)
        assert checking.run().due == 0
        # Changed without a word in DateRevised, so no window would ever bring it.
        server.corpus.add(record(FIRST + 1, abstract="Silently rewritten.").encode())
        lab.later(days=9)
        report = checking.run()
        assert report.due == 3
        poll = report.poll
        assert poll is not None
        assert (poll.kind, poll.state, poll.topic_id, poll.count) == ("check", "done", None, 3)
        assert (poll.new, poll.revised, poll.unchanged, poll.missing) == (0, 1, 2, 0)
        assert checking.run().due == 0
        with database.read() as session:
            assert [each.changes for each in citations.versions(session, FIRST + 1)][-1] == (Change.ABSTRACT_REVISED,)


def test_two_spaced_misses_withdraw_and_nothing_is_deleted(database: Database) -> None:
    with sandbox(*records(3)) as server:
        lab = Lab(database, server)
        lab.polling.poll()
        lab.later(days=9)
        server.corpus.remove(FIRST + 2, at=lab.at - timedelta(hours=1))
        checking = rechecking(lab, server)

        def withdrawn() -> bool:
            with database.read() as session:
                return citations.held(session, [FIRST + 2])[FIRST + 2].withdrawn_at is not None

        first = checking.run().poll
        assert first is not None
        assert (first.unchanged, first.missing) == (2, 1)
        assert not withdrawn()
        assert checking.run().due == 0, "a second look at once proves nothing"
        lab.later(hours=25)
        checking.run()
        assert withdrawn()
        assert FIRST + 2 in lab.pmids()
        with database.read() as session:
            assert citations.versions(session, FIRST + 2)[-1].changes == (Change.WITHDRAWN,)


def test_days_of_empty_answers_fail_the_check_and_withdraw_nothing(database: Database) -> None:
    with sandbox(*records(300)) as server:
        lab = Lab(database, server)
        lab.polling.poll()
        server.fault(Fault.EMPTY_RESULT, utility="efetch")
        lab.later(days=9)
        for _ in range(3):
            lab.later(hours=25)
            with pytest.raises(PubmedUnavailable, match="gave none of the 300"):
                rechecking(lab, server).run()
        with database.read() as session:
            assert citations.totals(session).withdrawn == 0


def test_a_miss_counts_only_beside_records_that_are_there(database: Database) -> None:
    """Only a few are due: whether PubMed is itself, others that it gave before must tell."""
    with sandbox(*records(9)) as server:
        lab = Lab(database, server)
        lab.polling.poll()
        with database.write() as session:
            checks.expect_by(session, [FIRST, FIRST + 1], lab.at)
        server.corpus.remove(FIRST, at=lab.at)
        server.corpus.remove(FIRST + 1, at=lab.at)
        rule = server.fault(Fault.EMPTY_RESULT, utility="efetch")
        with pytest.raises(PubmedUnavailable, match="which it gave before"):
            rechecking(lab, server).run()
        server.faults.rules.remove(rule)
        report = rechecking(lab, server).run().poll
        assert report is not None
        assert (report.state, report.missing) == ("done", 2)
        lab.later(hours=25)
        rechecking(lab, server).run()
        with database.read() as session:
            assert citations.totals(session).withdrawn == 2


def test_a_held_record_that_cannot_be_read_is_asked_for_daily(database: Database) -> None:
    with sandbox(*records(3)) as server:
        lab = Lab(database, server)
        lab.polling.poll()
        lab.later(days=40)
        server.fault(Fault.ILLEGAL_CHARACTER, utility="efetch", pmid=FIRST + 1)
        server.log.clear()
        report = rechecking(lab, server).run().poll
        assert report is not None
        assert (report.state, len(report.refused)) == ("warned", 1)
        for _ in range(47):
            lab.later(hours=1)
            rechecking(lab, server).run()
        assert len([each for each in lab.fetched() if FIRST + 1 in each]) == 4, "twice on each of two days"


def test_a_check_that_fails_keeps_what_it_stored_and_goes_on(database: Database) -> None:
    with sandbox(*records(700)) as server:
        lab = Lab(database, server)
        lab.polling.poll()
        lab.later(days=30)
        server.log.clear()
        server.faults.clear()
        rule = server.fault(Fault.HTTP_503, utility="efetch", calls=list(range(2, 60)))
        checking = rechecking(lab, server)
        with pytest.raises(PubmedUnavailable):
            checking.run()
        with database.read() as session:
            (check,) = [each for each in polls.latest(session) if each.kind == "check"]
            left = len(checks.due(session, lab.now(), 1000))
        assert (check.state, left) == ("failed", 700 - check.unchanged)
        assert 0 < left < 700
        server.faults.rules.remove(rule)
        before = len(lab.fetched())
        checking.run()
        assert sum(len(each) for each in lab.fetched()[before:]) == left


def test_a_check_stops_when_asked(database: Database) -> None:
    with sandbox(*records(2400)) as server:
        lab = Lab(database, server)
        lab.polling.poll()
        lab.later(days=30)
        asked = len(lab.fetched())
        with pytest.raises(Stopped):
            rechecking(lab, server, stopping=lambda: len(lab.fetched()) > asked).run()
        with database.read() as session:
            (check,) = [each for each in polls.latest(session) if each.kind == "check"]
        assert (check.state, 0 < check.unchanged < 2400) == ("interrupted", True)
        after = rechecking(lab, server).run()
        assert after.due == 2400 - check.unchanged
        assert after.poll is not None
        assert (after.poll.id, after.poll.state, after.poll.unchanged) == (check.id, "done", 2400)


Import = Callable[..., ImportReport]


@pytest.fixture
def lab(database: Database) -> Lab:
    server = sandbox(*records(5))
    server.start()
    yield Lab(database, server)  # type: ignore[misc]
    server.stop()


def run(lab: Lab, *files: Path, online: bool = True, **more: object) -> ImportReport:
    source = client(lab.server, **more) if online else None
    return Importing(lab.database, source, lab).run(files)


def written(path: Path, text: str | bytes) -> Path:
    data = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def xml(*parts: str) -> str:
    return f"<PubmedArticleSet>{''.join(parts)}</PubmedArticleSet>"


@pytest.mark.parametrize("name", ["given.xml", "given.xml.gz"])
def test_pubmed_xml_is_taken_in_whole_without_asking_pubmed(lab: Lab, tmp_path: Path, name: str) -> None:
    file = written(tmp_path / name, xml(*records(1200, first=FIRST + 500)))
    report = run(lab, file, online=False)
    assert (report.new, report.exit_code, report.problems) == (1200, 0, [])
    assert run(lab, file).unchanged == 1200
    assert lab.server.log == []
    assert lab.hits() == [], "an import finds nothing for a topic"


def test_topics_find_what_was_imported_without_fetching_it(lab: Lab, tmp_path: Path) -> None:
    run(lab, written(tmp_path / "a.xml", xml(*records(5))))
    lab.polling.poll(full=True)
    assert lab.hits() == list(range(FIRST, FIRST + 5))
    assert lab.fetched() == []


def test_a_file_that_is_older_than_what_is_held_changes_nothing(lab: Lab, tmp_path: Path) -> None:
    """A baseline file of last winter must not undo a retraction of this summer."""
    newer = record(FIRST, abstract="As revised.", revised=date(2026, 11, 15))
    older = record(FIRST, abstract="As first published.", revised=date(2026, 11, 10))
    run(lab, written(tmp_path / "new.xml", xml(newer)))
    report = run(lab, written(tmp_path / "old.xml", xml(older)))
    assert (report.older, report.revised, report.exit_code) == (1, 0, 0)
    again = run(
        lab, written(tmp_path / "newest.xml", xml(record(FIRST, abstract="Again.", revised=date(2026, 11, 16))))
    )
    assert again.revised == 1
    with lab.database.read() as session:
        assert checks.due(session, lab.now(), 10) == [FIRST], "PubMed has the last word"


def test_deletions_count_as_one_confirmation(lab: Lab, tmp_path: Path) -> None:
    run(lab, written(tmp_path / "a.xml", xml(*records(5))))
    gone = f"<DeleteCitation><PMID Version='1'>{FIRST}</PMID><PMID Version='1'>{FIRST + 900}</PMID></DeleteCitation>"
    report = run(lab, written(tmp_path / "b.xml", xml(gone)))
    assert (report.deleted, report.exit_code) == (1, 0)
    assert any("asked for again" in each for each in report.lines())
    lab.server.corpus.remove(FIRST, at=lab.at - timedelta(days=1))
    lab.later(hours=25)
    rechecking(lab, lab.server).run()
    with lab.database.read() as session:
        assert citations.held(session, [FIRST])[FIRST].withdrawn_at is not None


def test_what_is_damaged_is_named_and_the_rest_stands(lab: Lab, tmp_path: Path) -> None:
    bad = record(FIRST + 1).replace("Invented abstract", "Bad &#1; byte")
    report = run(lab, written(tmp_path / "a.xml", xml(record(FIRST), bad, record(FIRST + 2))))
    assert (report.new, report.exit_code) == (2, 1)
    assert str(FIRST + 1) in report.problems[0]
    cut = xml(*records(30, first=FIRST + 100))[:-700]
    report = run(lab, written(tmp_path / "cut.xml", cut), written(tmp_path / "c.xml", xml(record(FIRST + 4))))
    assert report.exit_code == 1
    assert report.new >= 29
    assert FIRST + 4 in lab.pmids(), "the next file is read all the same"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.txt", f"{FIRST}\n{FIRST + 1}\n{FIRST}\n"),
        ("a.nbib", f"PMID- {FIRST}\nTI  - As the file says\n\nPMID- {FIRST + 1}\nTI  - Another\n"),
        (
            "a.ris",
            f"TY  - JOUR\nTI  - As the file says\nAN  - {FIRST}\nDB  - PubMed\nER  - \n\n"
            f"TY  - JOUR\nTI  - Another\nUR  - https://pubmed.ncbi.nlm.nih.gov/{FIRST + 1}/\nER  - \n",
        ),
    ],
)
def test_named_records_are_fetched_or_wait(lab: Lab, tmp_path: Path, name: str, text: str) -> None:
    file = written(tmp_path / name, text)
    report = run(lab, file, online=False)
    assert (report.provisional, report.new, report.exit_code) == (2, 0, 3)
    assert "MONITOR_NCBI_EMAIL" in report.refusals()[0]
    with lab.database.read() as session:
        assert citations.totals(session).provisional == 2
        assert checks.due(session, lab.now(), 10) == [FIRST, FIRST + 1]
    report = run(lab, file)
    assert (report.new + report.revised, report.exit_code) == (2, 0)
    with lab.database.read() as session:
        assert citations.totals(session).provisional == 0
        assert "CAR-NK" in (citations.load(session, [FIRST])[FIRST].title or "")


def test_records_that_wait_are_fetched_by_the_rolling_check(lab: Lab, tmp_path: Path) -> None:
    lab.server.fault(Fault.HTTP_503)
    report = run(lab, written(tmp_path / "list.txt", f"{FIRST}\n"))
    assert (report.provisional, report.exit_code) == (1, 3)
    lab.server.faults.clear()
    rechecking(lab, lab.server).run()
    with lab.database.read() as session:
        assert citations.totals(session).provisional == 0


def test_entries_without_a_pmid_and_pmids_without_a_record_are_listed(lab: Lab, tmp_path: Path) -> None:
    nameless = written(tmp_path / "a.ris", "TY  - JOUR\nTI  - Nameless paper\nER  - \n")
    report = run(lab, nameless, written(tmp_path / "list.txt", f"{FIRST}\n{FIRST + 900}\n"))
    assert (report.new, report.exit_code) == (1, 1)
    assert "no PMID: Nameless paper" in report.problems[0]
    assert f"no record with PMID {FIRST + 900}" in report.problems[1]
    assert report.as_object()["refused"] == report.problems


@pytest.mark.parametrize("bad", ["missing", "empty", "html"])
def test_a_file_that_cannot_be_imported_stops_before_anything_is_stored(lab: Lab, tmp_path: Path, bad: str) -> None:
    good = written(tmp_path / "a.xml", xml(*records(5)))
    other = tmp_path / "other.txt"
    if bad != "missing":
        written(other, "" if bad == "empty" else "<html><body>1</body></html>")
    with pytest.raises(UsageError, match=r"other\.txt"):
        run(lab, good, other)
    assert lab.pmids() == []
