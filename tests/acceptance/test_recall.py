"""The recall report and the search appendix: of real polls against the sandbox, on both databases, and by the command line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from monitor.core.people import COMMAND_LINE
from monitor.core.recall import LaneRecall, Span
from monitor.core.screening import Judgement, Verdict
from monitor.errors import MonitorError, NotFound, UsageError
from monitor.formats.appendix import appendix_page
from monitor.formats.pages import markdown, text
from monitor.formats.recall import report_page
from monitor.pubmed.sandbox import Fault, Sandbox
from monitor.storage import screening, strategies
from monitor.storage.engine import Database
from monitor.storage.screening import Given
from tests.acceptance.cli_world import FIRST as CLI_FIRST
from tests.acceptance.cli_world import Cli
from tests.acceptance.polling import FIRST, NOW, record, sandbox
from tests.acceptance.trial_world import CORE, Bench, papers, strategy, topic
from tests.unit.sandbox.records import record as nlm_record

TODAY = NOW.date()
GONE = FIRST + 77


@pytest.fixture
def bench(database: Database) -> Iterator[Bench]:
    with sandbox(*papers()) as server:
        yield Bench(database, server, topic(FIRST, FIRST + 4, FIRST + 5, GONE))


def judge(bench: Bench, pmid: int, verdict: Verdict, *topics: str, reason: str | None = None) -> None:
    with bench.database.write() as session:
        judgement = Judgement(verdict, topics, reason)
        screening.decide(session, [Given(pmid, judgement, b"invented")], COMMAND_LINE, bench.now())


def lane(bench: Bench, **more: object) -> LaneRecall:
    return bench.recall.report("car-nk", **more).lanes[0]  # type: ignore[arg-type]


def test_pubmeds_count_is_held_against_ours_by_year_and_what_is_missing_is_named(bench: Bench) -> None:
    bench.polling.poll()
    core = lane(bench)
    assert (core.compared.counted, core.compared.counted_on, core.compared.asked, core.ours) == (3, TODAY, True, 1)
    assert core.compared.missing == (FIRST + 4, FIRST + 1)
    years = {each.label: (each.pubmed, each.ours) for each in core.years}
    assert (years["before 2015"], years["2026"], years["2020"]) == ((1, 0), (2, 1), (0, 0))
    bench.backfilling.run("car-nk")
    bench.server.log.clear()
    core = lane(bench)
    assert len(bench.server.requests("esearch")) == 2, "what is held whole is not counted year by year"
    assert (core.ours, core.compared.missing, core.compared.unfiled, core.compared.extra) == (3, (), (), ())
    assert all(each.pubmed == each.ours for each in core.years)
    assert "Nothing that PubMed counts is missing" in text(report_page(bench.recall.report("car-nk")))


def test_hits_that_pubmed_names_no_longer_and_papers_not_filed_are_named(bench: Bench) -> None:
    bench.backfilling.run("car-nk")
    bench.server.corpus.add(record(FIRST + 5, title="CAR-NK in zebrafish of nowhere").encode())
    bench.server.corpus.add(record(FIRST + 1, title="Nothing of it is left").encode())
    core = lane(bench)
    assert (core.compared.missing, core.compared.extra) == ((FIRST + 5,), (FIRST + 1,))


def test_without_pubmed_the_last_comparison_stands_and_is_named_as_such(bench: Bench) -> None:
    bench.polling.poll()
    core = bench.recall_alone.report("car-nk").lanes[0]
    assert (core.compared.counted, core.compared.asked) == (None, False)
    bench.backfilling.run("car-nk")
    bench.later(days=3)
    bench.server.fault(Fault.HTTP_503)
    report = bench.recall.report("car-nk")
    core = report.lanes[0]
    assert (core.compared.counted, core.compared.counted_on, core.compared.asked, core.ours) == (3, TODAY, False, 3)
    assert report.why_not is not None
    assert {each.pubmed for each in core.years} == {None}
    assert sum(each.ours for each in core.years) == 3
    assert "PubMed counted 3 at the last comparison, on 2026-11-22" in text(report_page(report))


def test_sentinels_are_found_lost_not_found_or_not_held_with_the_day_they_were_seen(bench: Bench) -> None:
    bench.backfilling.run("car-nk")
    bench.later(days=2)
    # Sentinel FIRST + 4 loses its words; FIRST + 5 comes into the library by another way and is never a hit.
    bench.server.corpus.add(record(FIRST + 4, title="Renamed beyond recognition").encode())
    bench.backfilling.run("car-nk")
    states = {each.pmid: (each.state, each.last_seen) for each in bench.recall.report("car-nk").sentinels}
    assert states == {
        FIRST: ("found", TODAY + timedelta(days=2)),
        FIRST + 4: ("lost", TODAY),
        FIRST + 5: ("not held", None),
        GONE: ("not held", None),
    }
    alone = {each.pmid: each.state for each in bench.recall_alone.report("car-nk").sentinels}
    assert alone == {pmid: state for pmid, (state, _) in states.items()}


def test_what_a_first_poll_looks_back_for_was_not_watched_for(bench: Bench) -> None:
    bench.server.corpus.add(record(FIRST + 5, title="CAR-NK of the month", created=date(2026, 11, 1)).encode())
    bench.polling.poll()
    (created,) = (each for each in bench.recall.report("car-nk").lanes[0].routes if each.route == "created")
    assert (created.papers, created.late, created.late_news) == (2, 1, 0)


def test_polls_are_counted_by_the_version_they_searched(bench: Bench) -> None:
    bench.polling.poll()
    bench.change(strategy(core=(*CORE, "zebrafish[ti]")))
    report = bench.recall.report("car-nk")
    assert (report.version, report.polls, report.polls_of) == (2, 2, ((1, 2),))
    said = "Version 2 of the strategy stands; 2 polls: 2 with version 1, none with version 2 (all times)."
    assert said in text(report_page(report))
    bench.later(days=1)
    bench.polling.poll()
    assert bench.recall.report("car-nk").polls_of == ((2, 2), (1, 2))
    tomorrow = Span(TODAY + timedelta(days=1))
    assert "; 2 polls, all with it (since 2026-11-23)" in text(report_page(bench.recall.report("car-nk", tomorrow)))


def test_late_papers_are_told_with_their_route(bench: Bench) -> None:
    for _ in range(2):
        bench.polling.poll()
        bench.later(days=30)
    # Created while the topic was watched, but it matches only now that its record was revised.
    late = record(FIRST + 5, title="CAR-NK at last", created=date(2026, 11, 25), revised=bench.now().date())
    bench.server.corpus.add(late.encode())
    bench.polling.poll()
    bench.backfilling.run("car-nk")
    report = bench.recall.report("car-nk")
    routes = {each.route: each for each in report.lanes[0].routes}
    assert (routes["created"].papers, routes["created"].late) == (1, 0)
    assert (routes["revised"].papers, routes["revised"].late, routes["revised"].late_news) == (1, 1, 1)
    assert (routes["backfilled"].papers, routes["backfilled"].late, routes["backfilled"].late_news) == (2, 0, 0)
    assert [(each.pmid, each.route) for each, _ in report.lanes[0].late if each.watched_for] == [(FIRST + 5, "revised")]
    said = text(report_page(report))
    assert "2 papers were brought by a backfill, which is not late" in said
    assert f"PMID {FIRST + 5} (revised, 57 days after its creation on 2026-11-25): CAR-NK at last." in said
    assert bench.recall.report("car-nk", late_days=100).lanes[0].routes[1].late == 0


def test_lines_are_told_with_verdicts_of_their_hits(bench: Bench) -> None:
    bench.backfilling.run("car-nk")
    judge(bench, FIRST, Verdict.KEEP, "car-nk")
    judge(bench, FIRST + 4, Verdict.DISMISS, reason="not-primary")
    first, second = lane(bench).lines
    assert (first.hits, first.unique, second.hits, second.unique) == (2, 2, 1, 1)
    assert (first.verdicts.keep, first.verdicts.dismiss, first.verdicts.share) == (1, 1, 0.5)
    assert first.verdicts.reasons == (("not-primary", 1),)
    assert second.verdicts.share is None


def test_a_range_takes_what_was_polled_and_found_in_it(bench: Bench) -> None:
    bench.polling.poll()
    bench.later(days=10)
    bench.server.corpus.add(record(FIRST + 9, title="CAR-NK of later days", created=bench.now().date()).encode())
    bench.polling.poll()
    early, late = Span(None, TODAY), Span(TODAY + timedelta(days=1))
    assert [lane(bench, span=each).lines[0].hits for each in (early, late)] == [1, 1]
    assert [bench.recall.report("car-nk", each).polls for each in (early, late)] == [2, 2]
    appendix = bench.recall.appendix("car-nk", late)
    assert (appendix.distinct, appendix.distinct_by_end) == (1, 2)


def test_polls_that_failed_are_in_the_report(bench: Bench) -> None:
    bench.server.fault(Fault.HTTP_503, calls=list(range(1, 30)))
    bench.polling.poll()
    bench.server.faults.clear()
    bench.later(hours=1)
    bench.server.unknown_phrases = ["chimeric nk cells"]
    bench.polling.poll()
    report = bench.recall.report("car-nk")
    assert [(each.lane, each.state) for each in report.troubles] == [
        ("core", "failed"),
        ("wide", "failed"),
        ("core", "warned"),
    ]
    assert "chimeric nk cells" in " ".join(report.troubles[2].what).lower()
    assert "PubMed did not know the phrase “chimeric NK cells”" in text(report_page(report))


def test_kept_wide_papers_come_with_the_phrase_that_would_have_brought_them(bench: Bench) -> None:
    bench.backfilling.run("car-nk")
    judge(bench, FIRST + 2, Verdict.KEEP, "car-nk")
    judge(bench, FIRST + 3, Verdict.DISMISS, reason="not-primary")
    (kept,) = bench.recall.report("car-nk").wide_kept
    assert kept.pmid == FIRST + 2
    assert kept.phrases
    page = text(report_page(bench.recall.report("car-nk")))
    assert kept.phrases[0].query in page
    assert bench.trials.kept_wide("car-nk") == ((kept,), 0)
    assert bench.trials.kept_wide("car-nk", newest=0) == ((), 1)
    # The line is taken over: core finds the paper, and the next comparison files it.
    bench.change(strategy(core=(*CORE, kept.phrases[0].query)))
    ((since,), _) = bench.trials.kept_wide("car-nk")
    assert (since.core_lines, since.phrases) == ((3,), ())
    assert "Core finds it since, by line 3" in text(report_page(bench.recall.report("car-nk")))
    bench.backfilling.run("car-nk")
    assert bench.trials.kept_wide("car-nk") == ((), 0)


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (Span(date(2026, 11, 22), date(2026, 11, 1)), "before the first"),
        (Span(date(2027, 1, 1)), "yet to come"),
        (Span(None, date(2020, 1, 1)), "first polled on 2026-11-22"),
        (Span(date(2026, 11, 1), date(2026, 11, 21)), "first polled on 2026-11-22"),
    ],
)
def test_ranges_without_sense_are_told(bench: Bench, span: Span, said: str) -> None:
    bench.polling.poll()
    for make in (bench.recall.report, bench.recall.appendix):
        with pytest.raises(UsageError, match=said):
            make("car-nk", span)


def test_unknown_and_never_polled_topics_are_told(bench: Bench) -> None:
    for make in (bench.recall.report, bench.recall.appendix):
        with pytest.raises(NotFound, match="car-nkk"):
            make("car-nkk")
        with pytest.raises(UsageError, match="never polled"):
            make("car-nk")


def test_a_topic_of_one_lane_has_one_in_its_appendix(database: Database) -> None:
    with sandbox(*papers()) as server:
        bench = Bench(database, server, topic(wide=()))
        bench.polling.poll()
        appendix = bench.recall.appendix("car-nk")
    assert [each.lane for each in appendix.totals] == ["core"]
    assert "wide, as sent" not in markdown(appendix_page(appendix))


def test_a_retired_topic_still_has_its_appendix(bench: Bench) -> None:
    bench.polling.poll()
    before = markdown(appendix_page(bench.recall.appendix("car-nk")))
    with bench.database.write() as session:
        strategies.set_retired(session, "car-nk", bench.now())
    assert markdown(appendix_page(bench.recall.appendix("car-nk"))) == before
    with pytest.raises(MonitorError, match="retired"):
        bench.recall.report("car-nk")


def test_a_range_between_polls_is_told(bench: Bench) -> None:
    bench.polling.poll()
    bench.later(days=20)
    bench.polling.poll()
    with pytest.raises(UsageError, match="was not polled in 2026-11-25 to 2026-11-26"):
        bench.recall.appendix("car-nk", Span(date(2026, 11, 25), date(2026, 11, 26)))


def test_an_appendix_has_the_exact_strings_of_every_version_and_the_same_bytes_again(bench: Bench) -> None:
    bench.polling.poll()
    bench.later(days=1)
    bench.change(strategy(core=(*CORE, "zebrafish[ti]")), "fish are wanted after all")
    bench.backfilling.run("car-nk")
    appendix = bench.recall.appendix("car-nk")
    assert [each.version for each in appendix.versions] == [1, 2]
    sent = [each.get("term") for each in bench.server.requests("esearch")]
    assert [each.query for each in appendix.searches] == sent, "letter by letter as PubMed was asked"
    written = markdown(appendix_page(appendix))
    for version in appendix.versions:
        assert f"```text\n{version.core}\n```" in written
        assert f"```text\n{version.wide}\n```" in written
    assert "fish are wanted after all" in written
    assert "2026-10-23 to open" in written
    (core, _) = appendix.totals
    assert (core.searches, core.named, core.first_found, core.found_by_end) == (2, 5, 4, 4)
    assert appendix.distinct == 6
    bench.later(days=300)
    assert markdown(appendix_page(bench.recall_alone.appendix("car-nk"))) == written, "the store alone says it"
    only_second = bench.recall.appendix("car-nk", Span(TODAY + timedelta(days=1)))
    assert [each.version for each in only_second.versions] == [2]


# ---- by the command line


def test_report_at_the_terminal_in_every_format(cli: Cli, tmp_path: Path) -> None:
    assert cli("poll", "car-nk").code == 0
    said = cli("topic", "report", "car-nk")
    assert said.code == 0
    assert "Recall of CAR-NK cells (car-nk)" in said.out
    assert "38238616  not held" in said.out
    assert "PubMed counts 2 on" in said.out
    found = cli("topic", "report", "car-nk", "--format", "json").json
    assert [each["lane"] for each in found["lanes"]] == ["core", "wide"]
    assert found["lanes"][0]["lines"][0]["hits"] == 2
    output = tmp_path / "report.md"
    assert cli("topic", "report", "car-nk", "--format", "md", "-o", output).out == ""
    assert output.read_text(encoding="utf-8").startswith("# Recall of CAR-NK cells")
    # Without PubMed the report is whole and says of when its counts are.
    cli.settings["MONITOR_EUTILS_URL"] = "https://eutils.example/entrez/eutils"
    rows = cli("topic", "report", "car-nk", "--format", "csv")
    assert (rows.code, "MONITOR_NCBI_EMAIL" in rows.err) == (0, True)
    table = list(csv.DictReader(io.StringIO(rows.out.removeprefix("\ufeff"))))
    assert {"section": "Sentinels", "item": "38238616", "measure": "state", "value": "not held"} in table


def test_show_names_kept_papers_of_the_wide_lane(cli: Cli, server: Sandbox) -> None:
    server.corpus.add(nlm_record(CLI_FIRST + 50, "CAR-engineered killing and NK cells", crdt="2026/11/20 06:00"))
    assert cli("topic", "backfill", "car-nk", "--yes").code == 0
    assert cli("screen", CLI_FIRST + 50, "keep", "--topic", "car-nk").code == 0
    said = cli("topic", "show", "car-nk")
    assert said.code == 0
    assert f"kept, and found by the wide lane alone: {CLI_FIRST + 50}" in said.out
    assert '"CAR-engineered"[tiab] would put it into core' in said.out
    (kept,) = cli("topic", "show", "car-nk", "--json").json["kept_by_wide_alone"]
    assert kept["pmid"] == CLI_FIRST + 50
    server.corpus.remove(CLI_FIRST + 50)


def test_appendix_at_the_terminal_in_every_format(cli: Cli, server: Sandbox) -> None:
    assert cli("poll", "car-nk").code == 0
    server.log.clear()
    said = cli("topic", "report", "car-nk", "--appendix")
    assert said.code == 0
    assert said.out.startswith("# Search appendix: CAR-NK cells")
    assert "| 16 | Deduplication |" in said.out
    assert cli("topic", "report", "car-nk", "--appendix").out == said.out
    rows = list(csv.DictReader(io.StringIO(cli("topic", "report", "car-nk", "--appendix", "--format", "csv").out[1:])))
    assert [each["lane"] for each in rows] == ["core", "wide"]
    assert rows[0]["query"].endswith(":3000[lr])")
    found = cli("topic", "report", "car-nk", "--appendix", "--format", "json").json
    assert (len(found["prisma_s"]), found["appendix"]["distinct"]) == (16, 2)
    assert "Search appendix" in cli("topic", "report", "car-nk", "--appendix", "--format", "text").out
    assert server.log == [], "an appendix is of the store alone"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("car-nk",), "never polled"),
        (("car-nkk",), "no topic is called car-nkk"),
        (("car-nk", "--from", "yesterday"), "--from: 'yesterday' is not a date"),
        (("car-nk", "--json", "--format", "csv"), "say one of them"),
        (("car-nk", "--format", "docx"), "choose from text, md, json, csv"),
        (("car-nk", "--appendix", "--to", "1999-01-01"), "never polled"),
    ],
)
def test_wrong_words_are_told_in_a_sentence(cli: Cli, words: tuple[str, ...], said: str) -> None:
    answer = cli("topic", "report", *words)
    assert answer.code == 2
    assert said in answer.err
    assert answer.out == ""


def test_json_of_a_report_is_json(cli: Cli) -> None:
    assert cli("poll", "car-nk").code == 0
    found = json.loads(cli("topic", "report", "car-nk", "--from", "2020-01-01", "--json").out)
    assert found["span"] == {"since": "2020-01-01", "until": None}
    assert found["sentinels"][0]["pmid"] == 38238616
    assert CLI_FIRST not in found["lanes"][0]["compared"]["missing"]
