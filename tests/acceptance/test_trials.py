"""Trying a search before it is saved: by service over real HTTP on both databases, and by the command line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import update

from monitor.errors import NotFound, PubmedUnavailable, UsageError
from monitor.pubmed.sandbox import Fault, Sandbox
from monitor.resources import load_mesh_tree
from monitor.services.asking import Asking
from monitor.services.evaluating import evaluate
from monitor.services.previewing import PREVIEW_REQUESTS, Apart
from monitor.storage import phrases
from monitor.storage.engine import Database
from monitor.storage.tables import CheckRow
from tests.acceptance.cli_world import FIRST as CLI_FIRST
from tests.acceptance.cli_world import Cli, corpus
from tests.acceptance.polling import FIRST, NOW, client, record, records, sandbox
from tests.acceptance.trial_world import CORE, Bench, draft, papers, strategy, topic
from tests.unit.sandbox.records import record as nlm_record


@pytest.fixture
def bench(database: Database) -> Iterator[Bench]:
    with sandbox(*papers()) as server:
        yield Bench(database, server, topic(FIRST, FIRST + 4))


def everything(bench: Bench) -> object:
    with bench.database.read() as session:
        from monitor.storage.tables import CheckRow, HitRow, PollRow

        return [session.query(row).count() for row in (CheckRow, HitRow, PollRow)]


def test_a_preview_counts_by_year_lately_and_what_is_held(bench: Bench) -> None:
    bench.polling.poll()  # the last 30 days: one paper of core
    held = bench.pmids()
    assert held == [FIRST]
    bench.server.log.clear()
    heard: list[int] = []
    found = bench.trials.preview(draft(), "core", tell=heard.append)
    assert (found.count, found.recent, found.library) == (3, 1, 1)
    bars = dict(found.bars)
    assert list(bars) == ["before 2015", *map(str, range(2015, 2027))]
    assert {label: number for label, number in bars.items() if number} == {"before 2015": 1, "2026": 2}
    assert found.share is not None
    assert (found.share.held, found.share.of, found.share.whole) == (1, 3, True)
    assert [(each.pmid, each.held) for each in found.newest] == [(FIRST, True), (FIRST + 1, False), (FIRST + 4, False)]
    assert all(each.citation for each in found.newest)
    assert [(each.position, each.library, each.unique) for each in found.lines] == [(1, 1, 1), (2, 0, 0)]
    assert "car-nk" in (found.translation or "")
    assert found.requests == len(bench.server.log) == PREVIEW_REQUESTS + 1
    assert heard == list(range(1, found.requests + 1))
    assert bench.pmids() == held, "what is shown is not stored"


def test_a_preview_of_a_large_set_tells_the_share_of_what_pubmed_names(database: Database) -> None:
    with sandbox(*records(60), limit=50) as server:
        bench = Bench(database, server)
        bench.polling.poll()
        found = bench.trials.preview(draft(), "core")
    assert found.count == 60
    assert found.share is not None
    assert (found.share.held, found.share.of, found.share.whole) == (50, 50, False)
    assert len(found.newest) == 20


def test_a_preview_without_pubmed_shows_the_library_and_says_why(bench: Bench) -> None:
    bench.polling.poll()
    bench.server.fault(Fault.HTTP_503)
    bench.server.log.clear()
    found = bench.trials.preview(draft(), "core")
    assert found.count is None
    assert found.why_not is not None
    assert "PubMed did not answer" in found.why_not
    assert (found.library, [each.pmid for each in found.newest], found.bars) == (1, [FIRST], ())
    assert len(bench.server.log) == 1, "PubMed is asked no more once it was out of reach"
    alone = bench.alone.preview(draft(), "wide")
    assert alone.requests == 0
    assert alone.why_not is not None
    assert "MONITOR_NCBI_EMAIL" in alone.why_not


def test_a_preview_that_breaks_off_keeps_what_was_counted(bench: Bench) -> None:
    bench.server.fault(Fault.HTTP_503, utility="esearch", calls=list(range(6, 99)))
    found = bench.trials.preview(draft(), "core")
    numbers = [number for _, number in found.bars]
    assert (found.count, numbers[:4], set(numbers[4:])) == (3, [1, 0, 0, 0], {None})
    assert found.why_not is not None
    assert found.recent is None


def test_a_preview_tells_phrases_that_pubmed_does_not_know(bench: Bench) -> None:
    bench.server.unknown_phrases = ["chimeric nk cells"]
    found = bench.trials.preview(draft(), "core")
    assert [each.lower() for each in found.unknown_phrases] == ["chimeric nk cells"]


def test_a_search_that_pubmed_cannot_run_is_told_and_the_library_still_shown(bench: Bench) -> None:
    bench.polling.poll()
    bench.server.fault(Fault.RETSTART_REFUSED, utility="esearch")
    found = bench.trials.preview(draft(), "core")
    assert (found.count, found.why_not, found.library) == (None, None, 1)
    assert "PubMed cannot run this search" in found.refusals[0]


@pytest.mark.parametrize(
    ("core", "wide", "lane", "said"),
    [
        (('"CAR-NK"[tiab] AND (',), (), "core", "core line 1"),
        (CORE, (), "wide", "no line that is on"),
    ],
)
def test_what_cannot_be_searched_is_said_and_pubmed_not_asked(
    bench: Bench, core: tuple[str, ...], wide: tuple[str, ...], lane: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        bench.trials.preview(draft(core=core, wide=wide), lane)  # type: ignore[arg-type]
    assert bench.server.log == []


def test_a_diff_names_what_is_gained_and_lost_and_by_which_line(bench: Bench) -> None:
    bench.polling.poll(full=True)
    before = everything(bench)
    newer = draft(core=(CORE[0], "zebrafish[ti]"))
    found = bench.trials.diff(strategy(), newer)
    core, wide = found.lanes
    assert core.changed
    assert not wide.changed
    gained, lost = core.gained, core.lost
    assert (gained.pubmed, gained.library) == (1, ()), "the library does not hold the zebrafish"
    assert [(each.paper.pmid, each.paper.held, each.lines) for each in gained.papers] == [(FIRST + 5, False, (2,))]
    assert "Zebrafish" in (gained.papers[0].paper.title or "")
    assert (lost.pubmed, lost.library) == (1, (FIRST + 1,))
    assert [(each.position, each.library, each.pubmed) for each in lost.lines] == [(2, 1, 1)]
    assert [(each.paper.pmid, each.lines) for each in lost.papers] == [(FIRST + 1, (2,))]
    assert (gained.agree, lost.agree) == (True, True)
    assert everything(bench) == before


def test_a_diff_shows_where_pubmed_and_our_reading_disagree(bench: Bench) -> None:
    bench.polling.poll(full=True)
    # PubMed does not know the phrase and looks for its words: it gains a paper that we would not.
    bench.server.unknown_phrases = ["before donors"]
    bench.server.corpus.add(
        record(FIRST + 3, title="Donors stood before the chimeric antigen receptor of natural killer cells").encode()
    )
    bench.polling.poll(since=date(2026, 1, 1))
    found = bench.trials.diff(strategy(), draft(core=(*CORE, '"before donors"[tiab]')))
    gained = found.lanes[0].gained
    assert (gained.pubmed, gained.library) == (1, ())
    assert gained.only_pubmed == (FIRST + 3,)
    assert gained.agree is False


def test_a_diff_names_papers_that_move_by_our_reading_alone(bench: Bench) -> None:
    bench.polling.poll(full=True)
    # PubMed has revised the record since: the library still holds the words that it lost.
    bench.server.corpus.add(record(FIRST + 2, title="Nothing that anybody searches for").encode())
    gained = bench.trials.diff(strategy(), draft(core=(*CORE, "effectors[ti]"))).lanes[0].gained
    assert (gained.pubmed, gained.library, gained.only_library) == (0, (FIRST + 2,), (FIRST + 2,))
    assert (gained.agree, gained.lines[0].pubmed, gained.lines[0].library) == (False, 0, 1)


def test_a_diff_of_more_than_pubmed_names_does_not_tell_what_it_left_out(database: Database) -> None:
    with sandbox(*records(60, title="Zebrafish"), limit=50) as server:
        bench = Bench(database, server, topic(core=(*CORE, "zebrafish[ti]"), wide=()))
        bench.polling.poll()
        gained = bench.trials.diff(strategy(wide=()), draft(core=(*CORE, "zebrafish[ti]"), wide=())).lanes[0].gained
    assert (gained.pubmed, len(gained.library), gained.whole, gained.agree) == (60, 60, False, None)
    assert (gained.only_library, gained.only_pubmed) == ((), ())
    assert len(gained.papers) == 30


def test_a_diff_without_pubmed_is_that_of_the_library(bench: Bench) -> None:
    bench.polling.poll(full=True)
    found = bench.alone.diff(strategy(), draft(core=(CORE[0],), wide=()))
    core, wide = found.lanes
    assert (core.lost.library, core.lost.pubmed, core.lost.agree) == ((FIRST + 1,), None, None)
    assert wide.new_query is None
    assert wide.lost.library == (FIRST + 3, FIRST + 2)
    assert wide.gained.pubmed == 0
    assert found.why_not is not None


def test_a_block_that_changes_is_found_at_the_lines_that_insert_it(bench: Bench) -> None:
    bench.polling.poll(full=True)
    narrower = strategy()
    blocks = tuple(each._replace(lines=each.lines[:1]) if each.name == "NK" else each for each in narrower.blocks)
    found = bench.trials.diff(narrower, replace(draft(), strategy=replace(narrower, blocks=blocks)))
    wide = found.lanes[1]
    assert wide.lost.library == (FIRST + 3,)
    assert [each.line.query for each in wide.lost.lines] == ["{CAR} AND {NK}"]


def test_a_test_tells_line_by_line_what_matched_and_what_is_missing(bench: Bench) -> None:
    bench.polling.poll(full=True)
    tried = draft(FIRST, FIRST + 77, core=(*CORE, "off zebrafish[ti]", "{CAR} AND {NK} AND zebrafish[ti]"))
    found = bench.trials.test(tried, FIRST + 2)
    core, wide = found.lanes
    assert (core.found, core.pubmed, wide.found, wide.pubmed) == (False, False, True, True)
    assert [each.state for each in core.lines] == ["not found", "not found", "off", "not found"]
    assert core.lines[0].failed == (), "a line of one part says it all"
    assert core.lines[3].failed == ("zebrafish[ti]",), "blocks that are met are not named"
    (by_car, by_nk) = wide.lines[0].matches
    assert (by_car.words, by_car.place) == ("CAR-engineered", "title")
    assert (by_nk.before, by_nk.words, by_nk.after) == ("CAR-engineered effectors and ", "NK cells", "")
    assert [(each.pmid, each.lines, each.pubmed) for each in found.sentinels] == [
        (FIRST, (1,), True),
        (FIRST + 77, None, False),
    ]
    assert not core.disagree
    assert found.wide_alone
    assert bench.alone.test(tried, FIRST + 2).wide_alone, "PubMed need not be asked to see it"
    assert not bench.alone.test(tried, FIRST).wide_alone


def test_a_test_names_the_block_that_a_paper_does_not_meet(bench: Bench) -> None:
    bench.polling.poll(full=True)
    found = bench.trials.test(draft(), FIRST)
    assert found.lanes[1].lines[0].failed == ("{CAR}",)
    assert [each.lane for each in bench.trials.test(draft(wide=()), FIRST).lanes] == ["core"]
    assert bench.trials.test(draft(), FIRST + 5).lanes[1].lines[0].failed == ("{CAR}", "{NK}")


def test_a_paper_that_is_not_held_is_fetched_for_the_test_and_not_kept(bench: Bench) -> None:
    found = bench.trials.test(draft(), FIRST + 5)
    assert (found.paper.held, bench.pmids()) == (False, [])
    assert not any(each.found for each in found.lanes)


def test_a_pmid_that_nobody_has_is_said_and_one_that_cannot_be_asked_for_too(bench: Bench) -> None:
    with pytest.raises(NotFound, match=f"PubMed has no record with PMID {FIRST + 900}"):
        bench.trials.test(draft(), FIRST + 900)
    with pytest.raises(PubmedUnavailable, match="none could be fetched"):
        bench.alone.test(draft(), FIRST)


def test_pubmed_and_our_reading_may_disagree_on_a_paper(bench: Bench) -> None:
    bench.polling.poll(full=True)
    bench.server.unknown_phrases = ["cells invented"]
    found = bench.trials.test(draft(core=('"cells invented"[tiab]',)), FIRST)
    assert (found.lanes[0].found, found.lanes[0].pubmed, found.lanes[0].disagree) == (False, True, True)


def test_a_line_that_only_pubmed_could_read_is_marked_and_the_others_tested(bench: Bench) -> None:
    """Such a line is never saved; a draft may hold one."""
    found = bench.alone.test(draft(core=(*CORE, "(cells[tiab]")), held(bench))
    assert [each.state for each in found.lanes[0].lines] == ["found", "not found", "unreadable"]
    assert "column" in found.lanes[0].lines[2].failed[0]


def test_what_no_record_can_tell_is_named(bench: Bench) -> None:
    found = bench.alone.test(draft(core=('"antineoplastic agents"[pa]',)), held(bench))
    (line,) = found.lanes[0].lines
    assert (line.state, line.undecidable) == (
        "not found",
        ('"antineoplastic agents"[pa]: records do not hold pharmacological actions',),
    )


def held(bench: Bench) -> int:
    bench.polling.poll()
    return FIRST


def test_a_record_that_cannot_be_read_is_no_record(bench: Bench) -> None:
    bench.server.fault(Fault.ILLEGAL_CHARACTER, utility="efetch", pmid=FIRST + 5)
    with pytest.raises(PubmedUnavailable, match="could not be read"):
        bench.trials.test(draft(), FIRST + 5)
    bench.server.faults.clear()
    bench.server.fault(Fault.PARTIAL_SET, utility="efetch")
    found = bench.trials.preview(draft(), "core")
    assert [each.citation is None for each in found.newest].count(True) == 1, "the others are shown all the same"
    bench.server.faults.clear()
    bench.server.fault(Fault.ENTITY_BOMB, utility="efetch")
    refused = bench.trials.preview(draft(), "core")
    assert (refused.count, [each.citation for each in refused.newest]) == (3, [None] * 3)
    assert refused.refusals or refused.why_not
    bench.server.faults.clear()
    bench.server.fault(Fault.DUPLICATED_RECORDS, utility="efetch")
    assert all(each.citation for each in bench.trials.preview(draft(), "core").newest)


def test_more_than_one_answer_is_fetched_for_a_long_list() -> None:
    with sandbox(*records(450)) as server:
        asking = Asking(client(server, tries=1))
        assert len(asking.fetch(range(FIRST, FIRST + 450))) == 450
        assert (asking.requests, asking.answered) == (3, 3)
        server.fault(Fault.HTTP_503, utility="efetch", calls=[2, 3])
        assert len(asking.fetch(range(FIRST, FIRST + 450))) == 200
        assert asking.why_not is not None
        assert asking.whole("cells[ti]", NOW.date()) is None


def test_what_the_index_refuses_is_read_off_the_records(bench: Bench) -> None:
    """An earlier search (#1) means nothing here: alone it finds nothing, beside others it hides none."""
    bench.polling.poll(full=True)
    queries = {"a": "#1 OR zebrafish[ti]", "b": '"CAR-NK"[tiab] OR #2', "c": "((", "d": '"CAR-NK"[tiab] OR #2'}
    with bench.database.read() as session:
        found = evaluate(session, queries, load_mesh_tree(), NOW.date())
    assert {key: sorted(each) for key, each in found.found.items()} == {
        "a": [],
        "b": [FIRST, FIRST + 4],
        "c": [],
        "d": [FIRST, FIRST + 4],
    }
    assert list(found.unreadable) == ["c"]


def test_a_preview_marks_lines_that_are_off(bench: Bench) -> None:
    found = bench.alone.preview(draft(core=(*CORE, "off zebrafish[ti]")), "core")
    assert [each.library for each in found.lines] == [0, 0, None]


def crowd() -> list[str]:
    """Core papers that share a phrase with a wide one, and wide papers that do not."""
    return [
        *(record(FIRST + 10 + at, title=f"CAR-NK of part {at}: CAR-engineered killing of NK cells") for at in range(6)),
        *(record(FIRST + 20 + at, title=f"NK cells and a chimeric antigen receptor, part {at}") for at in range(6)),
        record(FIRST + 30, title="CAR-engineered killing described, and NK cells named"),
    ]


def test_phrases_for_core_are_ranked_by_what_else_they_would_bring(database: Database) -> None:
    with sandbox(*crowd()) as server:
        bench = Bench(database, server)
        bench.polling.poll(full=True)
        found = bench.trials.phrases_for_core("car-nk", FIRST + 30)
        assert not found.in_core
        best = found.phrases[0]
        assert best.query == '"CAR-engineered"[tiab]'
        assert (best.good, best.total, best.gain) == (6, 6, 1)
        assert best.titles == ((FIRST + 30, "CAR-engineered killing described, and NK cells named."),)
        worst = next(each for each in found.phrases if each.query == '"NK cells"[tiab]')
        assert (worst.good, worst.total, worst.gain) == (6, 12, 7)
        # A line that is offered puts the paper into core, as our own reading and PubMed's go.
        tested = bench.trials.test(draft(core=(*CORE, best.query)), FIRST + 30)
        assert (tested.lanes[0].found, tested.lanes[0].pubmed) == (True, True)
        with database.write() as session:
            phrases.note(session, {("car-engineered", "tiab"): False}, NOW)
        again = bench.trials.phrases_for_core("car-nk", FIRST + 30)
        assert again.phrases[0].query == '"CAR-engineered"[tiab:~0]'
        assert bench.trials.phrases_for_core("car-nk", FIRST + 10).in_core
        with pytest.raises(NotFound, match="not in the library"):
            bench.trials.phrases_for_core("car-nk", FIRST + 900)


# ---- by the command line


def topic_file(folder: Path, query: str, name: str = "car-nk") -> Path:
    path = folder / "drafts.yaml"
    path.write_text(
        f"version: 1\ntopics:\n  {name}:\n    title: Invented\n    core:\n      - {{q: '{query}', why: invented}}\n",
        encoding="utf-8",
    )
    return path


def test_preview_at_the_terminal(cli: Cli) -> None:
    said = cli("topic", "preview", "car-nk")
    assert said.code == 0
    assert "PubMed counts 2 papers." in said.out
    assert "Created in the last 30 days: 2." in said.out
    assert "In the library: 0 of 2 (0%)." in said.out
    assert "####" in said.out
    assert f"{CLI_FIRST}  " in said.out
    assert "(not in the library)" in said.out
    assert "nothing was stored" in said.out


def test_preview_of_a_file_that_is_not_saved(cli: Cli, server: Sandbox, tmp_path: Path) -> None:
    server.unknown_phrases = ["killer cells"]
    said = cli("topic", "preview", "car-nk", "--from", topic_file(tmp_path, '"killer cells"[ti]'), "--json")
    assert said.code == 1
    assert "PubMed does not know the phrase “killer cells”" in said.err
    assert (said.json["count"], said.json["share"]["of"], len(said.json["bars"])) == (2, 2, 13)
    assert cli("topic", "show", "car-nk", "--json").json["version"] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("preview", "car-nkk"), "no topic is called car-nkk"),
        (("preview", "car-nk", "--lane", "middle"), "is no lane"),
        (("preview", "car-nk", "--version", "7"), "7"),
        (("preview", "car-nk", "--from", "none.yaml"), "none.yaml"),
        (("preview", "car-nk", "--from", "none.yaml", "--version", "1"), "not both"),
        (("diff", "car-nk"), "version 1 has none before it"),
        (("diff", "car-nk", "--from", "one"), "is not the number of a version"),
        (("diff", "car-nk", "--from", "9"), "9"),
        (("diff", "car-nk", "--from", "nofile.yaml"), "nofile.yaml: No such file"),
        (("test", "car-nk", "0"), "'0' is not a PMID"),
        (("test", "car-nk", "abc"), "'abc' is not a PMID, which is a number such as"),
        (("test", "car-nk", "99999999999"), "is not a PMID"),
    ],
)
def test_wrong_words_are_told_in_a_sentence(cli: Cli, words: tuple[str, ...], said: str) -> None:
    answer = cli("topic", *words)
    assert answer.code == 2
    assert said in answer.err
    assert "Traceback" not in answer.everything


def test_a_version_against_itself_is_no_question_for_pubmed(cli: Cli, server: Sandbox, tmp_path: Path) -> None:
    server.log.clear()
    said = cli("topic", "diff", "car-nk", "--from", "1", "--to", "1")
    assert (said.code, said.out) == (0, "car-nk: version 1 is compared with itself; there is no difference.\n")
    assert server.log == []
    path = topic_file(tmp_path, '"CAR-NK"[ti] AND donors[ti]')
    assert f"car-nk: version 1 against {path}" in cli("topic", "diff", "car-nk", "--from", path).out


def test_a_preview_names_what_was_withdrawn_and_what_only_pubmed_finds(bench: Bench) -> None:
    bench.polling.poll(full=True)
    with bench.database.write() as session:
        session.execute(update(CheckRow).where(CheckRow.pmid == FIRST).values(withdrawn_at=bench.now()))
    bench.server.corpus.add(record(FIRST, title="Nothing of it is left").encode())
    bench.server.corpus.add(record(FIRST + 1, title="Nothing of this either").encode())
    bench.server.corpus.add(record(FIRST + 2, title="CAR-NK by another name").encode())
    apart = bench.trials.preview(draft(), "core").apart
    assert apart == Apart((FIRST,), (), (FIRST + 1,), (FIRST + 2,))
    assert bench.alone.preview(draft(), "core").apart is None


def test_years_before_the_first_paper_are_one_line_and_long_searches_are_cut(cli: Cli, tmp_path: Path) -> None:
    path = topic_file(tmp_path, " OR ".join(["donors[ti]", *(f"word{at}[tiab]" for at in range(60))]))
    said = cli("topic", "preview", "car-nk", "--from", path)
    year = date.today().year
    assert f"  none before {year}\n  {year} " in said.out or f"  none before {year - 1}\n" in said.out
    assert "characters; whole with --json)" in said.out
    assert max(map(len, said.out.splitlines())) < 800
    whole = cli("topic", "preview", "car-nk", "--from", path, "--json").json
    assert whole["query"].endswith("word59[tiab]")
    assert len(whole["bars"]) == 13


def test_a_preview_says_why_pubmed_counts_otherwise(cli: Cli) -> None:
    renamed = nlm_record(CLI_FIRST, "Renamed beyond recognition", crdt="2020/01/01 10:00", revised="2020/01/01")
    with Sandbox(corpus(), rate_limit=None) as server:
        cli.settings["MONITOR_EUTILS_URL"] = server.url
        assert cli("poll", "car-nk").code == 0
        assert "PubMed does not name" not in cli("topic", "preview", "car-nk").out
        server.corpus.add(renamed)
        said = cli("topic", "preview", "car-nk")
        apart = cli("topic", "preview", "car-nk", "--json").json["apart"]
    assert "PubMed counts 1 paper." in said.out
    assert "By our own reading, 2 papers of the library match." in said.out
    assert f"PubMed does not name 1 of them: 1 so young that PubMed may not search it yet ({CLI_FIRST})." in said.out
    assert apart == {"withdrawn": [], "young": [CLI_FIRST], "others": [], "unmatched": []}


def test_a_file_that_cannot_be_searched_is_told_with_its_place(cli: Cli, tmp_path: Path) -> None:
    said = cli("topic", "preview", "car-nk", "--from", topic_file(tmp_path, "(cells[tiab]"))
    assert said.code == 2
    assert "core line 1" in said.err
    other = cli("topic", "preview", "cik", "--from", topic_file(tmp_path, "cells[tiab]"))
    assert (other.code, "holds car-nk, not cik" in other.err) == (2, True)


def test_without_pubmed_the_local_half_and_the_exit_codes(cli: Cli, tmp_path: Path) -> None:
    assert cli("poll", "car-nk").code == 0
    path = topic_file(tmp_path, "zebrafish[ti]")
    cli.settings["MONITOR_EUTILS_URL"] = "https://eutils.example/entrez/eutils"
    preview = cli("topic", "preview", "car-nk")
    assert (preview.code, "2 papers of the library match" in preview.out) == (3, True)
    assert "MONITOR_NCBI_EMAIL" in preview.err
    diff = cli("topic", "diff", "car-nk", "--to", path)
    assert (diff.code, "lost: 2 of the library" in diff.out) == (1, True)
    test = cli("topic", "test", "car-nk", CLI_FIRST)
    assert (test.code, "core: found by our own reading" in test.out) == (1, True)
    assert cli("topic", "test", "car-nk", CLI_FIRST + 3).code == 3


def test_diff_and_test_at_the_terminal(cli: Cli, tmp_path: Path) -> None:
    assert cli("poll", "car-nk").code == 0
    path = topic_file(tmp_path, '"CAR-NK"[ti] AND donors[ti]')
    diff = cli("topic", "diff", "car-nk", "--to", path)
    assert diff.code == 0
    assert f"{path} against version 1" in diff.out
    assert "lost: 1 by PubMed, 1 of the library" in diff.out
    assert "agree" in diff.out
    assert "wide: the lane is gone." in diff.out
    assert cli("topic", "diff", "car-nk", "--to", path, "--json").json["lanes"][0]["lost"]["pubmed"] == 1
    test = cli("topic", "test", "car-nk", CLI_FIRST)
    assert test.code == 0
    assert "»CAR-NK«" in test.out
    assert "PubMed says so too" in test.out
    assert "38238616  not in the library; PubMed does not find it" in test.out
    nobody = cli("topic", "test", "car-nk", 90_000_900)
    assert (nobody.code, "PubMed has no record" in nobody.err) == (1, True)
    assert cli("topic", "test", "car-nk", CLI_FIRST, "--json").json["paper"]["pmid"] == CLI_FIRST


def test_a_word_that_many_papers_have_is_not_offered_as_a_line(database: Database) -> None:
    many = [record(FIRST + 20 + at, title=f"Killer cells of part {at}") for at in range(6)]
    odd = record(FIRST, title="CAR-engineered NK cells and KIR2DL4")
    about = topic(core=("killer[ti] OR KIR2DL4[mh]",), wide=("cells[tiab] OR KIR2DL4[tiab]",))
    with sandbox(odd, *many) as server:
        bench = Bench(database, server, about)
        bench.polling.poll(full=True)
        offered = [each.query for each in bench.trials.phrases_for_core("car-nk", FIRST).phrases]
    assert '"cells"[tiab]' not in offered
    assert offered == ['"cells and KIR2DL4"[tiab]'], "of words that find the same papers the longest"
