"""Topics at the terminal: every way to change one, what is printed, what is kept when it is refused, and files."""

from __future__ import annotations

import io
import json
import re
import stat
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.build import build
from monitor.core.draft import Draft, typed_line
from monitor.core.strategy import Strategy
from monitor.formats import topicfile
from monitor.pubmed.sandbox import Sandbox
from monitor.settings import load
from tests.acceptance.cli_world import FIRST, Cli, Said, new_home

FOUND, OTHER = FIRST, FIRST + 2


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one small topic of the lab beside the starter's."""
    home = new_home(tmp_path_factory.mktemp("template") / "home")
    with build(load(environ={}, home=home)) as here:
        here.strategies.save(Draft("own", "Our own", Strategy((typed_line('"CAR-NK"[tiab]', "coined"),))), "")
    return home


def kept(said: Said) -> Path:
    found = re.search(r"^What was typed is kept in (.+)$", said.err, re.MULTILINE)
    assert found is not None, said.everything
    return Path(found[1])


def shown(cli: Cli, name: str = "own", *more: object) -> Any:
    return cli("topic", "show", name, "--json", *more).json


def core(cli: Cli, name: str = "own") -> list[str]:
    return [each["query"] for each in shown(cli, name)["lanes"]["core"]["lines"]]


def file_of(cli: Cli, *names: str, form: str = "yaml") -> tuple[Path, dict[str, Any]]:
    """Export topics as a person would, and return the file with what it says."""
    path = cli.home.parent / f"topics.{form}"
    assert cli("topic", "export", *names, "-o", path).code == 0
    values = topicfile.read(path.read_bytes(), topicfile.form_of(path.name), path.name)
    assert isinstance(values, dict)
    return path, values


def written(path: Path, values: dict[str, Any]) -> Path:
    path.write_bytes(topicfile.write(values, topicfile.form_of(path.name)))
    return path


def test_a_save_says_what_changed_what_was_looked_at_and_what_comes_next(cli: Cli) -> None:
    said = cli("topic", "edit", "own", "--add", "killer[ti]", "--reason", "the others", "--message", "asked for")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        "own: lines: 1 gained",
        "  + core 2: killer[ti]  (the others)",
        *[line for line in said.out.splitlines() if line.startswith(("  lint:", "    warning:"))],
        "    note: core: The core lane searches words only: papers that say it in other words are not found. Where MeSH has "
        "a heading for it, give it a MeSH line.",
        "  phrases: 1 known to PubMed",
        "  PubMed counts: core 4",
        "own: version 2 is saved.",
        "PubMed has 4 papers of it that are not here, about 1 second to fetch (a guess: no poll has been measured here "
        "yet): monitor topic backfill own",
    ]
    text = cli("topic", "show", "own").out
    assert "Our own (own), version 2" in text
    assert re.search(r"^by command line, \d{4}-\d\d-\d\d \d\d:\d\d UTC: asked for$", text, re.MULTILINE)
    assert "      the others (lab)" in text


def test_lines_are_changed_switched_moved_and_taken_out(cli: Cli) -> None:
    cli("topic", "edit", "own", "--add", "killer[ti]", "--reason", "w")
    assert cli("topic", "edit", "own", "--line", 2, "--query", "cells[ti]", "--reason", "better").code == 0
    assert core(cli) == ['"CAR-NK"[tiab]', "cells[ti]"]
    assert cli("topic", "edit", "own", "--line", 2, "--off").code == 0
    assert "  2 (off)  cells[ti]" in cli("topic", "show", "own").out
    assert shown(cli)["lanes"]["core"]["query"] == '"CAR-NK"[tiab]'
    assert cli("topic", "edit", "own", "--line", 2, "--on", "--move", 1, "--owner", "somebody").code == 0
    assert shown(cli)["lanes"]["core"]["lines"][0] == {
        "query": "cells[ti]",
        "reason": "better",
        "owner": "somebody",
        "enabled": True,
    }
    assert cli("topic", "edit", "own", "--line", 1, "--remove").code == 0
    assert core(cli) == ['"CAR-NK"[tiab]']
    assert cli("topic", "edit", "own", "--add", "wide[tw]", "--reason", "net", "--lane", "wide").code == 0
    assert cli("topic", "edit", "own", "--line", 1, "--lane", "wide", "--remove").code == 0
    assert "wide" not in shown(cli)["lanes"]
    assert shown(cli)["version"] == 8


def test_a_block_is_edited_in_its_topic_alone(cli: Cli) -> None:
    assert (
        cli(
            "topic",
            "edit",
            "car-nk",
            "--block",
            "NK",
            "--add",
            "natural[ti]",
            "--reason",
            "w",
            "--because",
            "sentinels of others",
        ).code
        == 0
    )
    assert "natural[ti]" in [each["query"] for each in shown(cli, "car-nk")["blocks"]["NK"]["lines"]]
    assert "natural[ti]" not in [each["query"] for each in shown(cli, "ipsc-nk")["blocks"]["NK"]["lines"]]
    said = cli("topic", "edit", "ipsc-nk", "--block", "NK", "--line", 1, "--reason", "better", "--dry-run")
    assert re.search(
        r"^NK is changed in ipsc-nk alone; .*\bcar-nk, .* keep their own NK as it is\.$", said.out, re.MULTILINE
    )
    said = cli("topic", "edit", "own", "--block", "NEW", "--add", "natural[ti]", "--reason", "w")
    assert said.code == 2
    assert "no line inserts {NEW}" in said.err


def test_titles_and_sentinels(cli: Cli) -> None:
    said = cli("topic", "edit", "own", "--title", "Ours", "--sentinel", f"+{FOUND}")
    assert (said.code, said.err) == (0, "")
    assert "own: saved. The search is still version 1." in said.out
    assert "sentinels: 1 of 1 found by PubMed" in said.out
    assert (shown(cli)["title"], shown(cli)["sentinels"]) == ("Ours", [FOUND])
    assert cli("topic", "edit", "own", "--sentinel", f"-{FOUND}").code == 0
    assert shown(cli)["sentinels"] == []
    assert [each["what"] for each in cli("topic", "history", "own", "--json").json] == [
        f"sentinels -{FOUND}",
        f"sentinels +{FOUND}",
        "title: Our own  becomes  Ours",
        "version 1",
    ]


def test_a_topic_is_added_with_its_first_line(cli: Cli) -> None:
    said = cli(
        "topic", "add", "new", "--title", "A new one", "--query", "killer[ti]", "--reason", "w", "--sentinel", OTHER
    )
    assert (said.code, said.err) == (0, "")
    assert "new: version 1 is saved." in said.out
    assert "sentinels: 1 of 1 found by PubMed" in said.out
    assert (core(cli, "new"), shown(cli, "new")["title"]) == (["killer[ti]"], "A new one")


def test_nothing_different_is_said_and_saved_as_nothing(cli: Cli) -> None:
    said = cli("topic", "edit", "own", "--line", 1, "--reason", "coined")
    assert (said.code, said.out) == (0, "own: nothing is different from version 1; no new version.\n")
    assert cli("topic", "edit", "own", "--line", 1, "--on", "--json").json["saved"] is False


def test_a_refused_save_keeps_what_was_typed_and_goes_on_from_there(cli: Cli, server: Sandbox) -> None:
    server.unknown_phrases = ["young coinage"]
    said = cli("topic", "edit", "own", "--add", '"young coinage"[tiab]', "--reason", "new", "--sentinel", f"+{OTHER}")
    assert said.code == 1
    assert "Not saved; the old version stands." in said.err
    assert f"own: sentinel {OTHER} is lost" in said.err
    assert 'PubMed does not know the phrase "young coinage"' in said.err
    assert "    unknown: “young coinage” [tiab]" in said.out
    path = kept(said)
    assert path.parent == cli.home / "drafts"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert core(cli) == ['"CAR-NK"[tiab]']
    command = re.search(r"reason: monitor (topic edit own --from .+) --because TEXT$", said.err, re.MULTILINE)
    assert command is not None
    assert cli(*command[1].split()).code == 1
    assert path.exists()
    done = cli(*command[1].split(), "--because", "we know")
    assert done.code == 0
    assert "  accepted: sentinel" in done.out
    text = cli("topic", "show", "own").out
    assert "accepted: core line 2: PubMed does not know" in text
    assert "unknown to PubMed: “young coinage” [tiab]" in text
    assert "Saved all the same: we know" in cli("topic", "history", "own").out


def test_what_cannot_be_searched_is_kept_too(cli: Cli) -> None:
    said = cli("topic", "edit", "own", "--line", 1, "--query", '("CAR-NK"[tiab]', "--because", "x")
    assert said.code == 2
    assert "own: core line 1, column 1: this ( is never closed" in said.err
    mended = kept(said)
    mended.write_text(mended.read_text().replace('("CAR-NK"[tiab]', '("CAR-NK"[tiab] OR x[ti])'))
    assert cli("topic", "edit", "own", "--from", mended).code == 0
    assert core(cli) == ['("CAR-NK"[tiab] OR x[ti])']


def test_a_line_without_a_reason_is_refused_and_kept(cli: Cli) -> None:
    said = cli("topic", "edit", "own", "--add", "killer[ti]", "--reason", "")
    assert (said.code, "the reason, is missing" in said.err) == (2, True)
    path = kept(said)
    assert "q: 'killer[ti]'" in path.read_text()
    assert "core, line 2: why, the reason, is missing" in cli("topic", "edit", "own", "--from", path).err
    path.write_text(path.read_text().replace("why: ''", "why: 'better'"))
    assert cli("topic", "edit", "own", "--from", path).code == 0
    said = cli("topic", "edit", "own", "--line", 2, "--query", "other[ti]", "--reason", " ")
    assert "q: 'other[ti]'" in kept(said).read_text()
    assert core(cli) == ['"CAR-NK"[tiab]', "killer[ti]"]


def test_a_conflict_keeps_the_draft_and_says_how_to_go_on(cli: Cli) -> None:
    draft = kept(cli("topic", "edit", "own", "--add", "(", "--reason", "w"))
    draft.write_text(draft.read_text().replace("q: '('", "q: 'mine[ti]'"))
    cli("topic", "edit", "own", "--add", "theirs[ti]", "--reason", "quicker")
    said = cli("topic", "edit", "own", "--from", draft)
    assert said.code == 1
    assert "Not saved: own was changed meanwhile. Version 2 stands, by the command line" in said.err
    assert "+ core 2: theirs[ti]  (quicker)" in said.err
    assert "set based_on: 2" in said.err
    assert kept(said) == draft
    draft.write_text(draft.read_text().replace("based_on: 1", "based_on: 2"))
    assert cli("topic", "edit", "own", "--from", draft).code == 0
    assert core(cli) == ['"CAR-NK"[tiab]', "mine[ti]"]


def test_a_dry_run_shows_and_stores_nothing(cli: Cli) -> None:
    said = cli("topic", "edit", "own", "--add", "killer[ti]", "--reason", "w", "--dry-run")
    assert said.code == 0
    assert "  + core 2: killer[ti]  (w)" in said.out
    assert "Nothing was saved" in said.err
    blocked = cli("topic", "edit", "own", "--add", "CA*[ti]", "--reason", "w", "--dry-run", "--json")
    assert blocked.code == 1
    assert "It would not be saved without --because TEXT:" in blocked.err
    assert [each["weight"] for each in blocked.json[0]["check"]["findings"]].count("error") == 1
    assert shown(cli)["version"] == 1


def test_json_says_the_same(cli: Cli) -> None:
    done = cli("topic", "edit", "own", "--add", "killer[ti]", "--reason", "w", "--json").json
    assert (done["saved"], done["version"], done["new_version"], done["topic"]) == (True, 2, True, "own")
    assert done["changes"][0]["after"]["query"] == "killer[ti]"
    assert done["check"]["counts"] == {"core": 4}
    refused = cli("topic", "edit", "own", "--add", "CA*[ti]", "--reason", "w", "--json")
    assert (refused.code, refused.json[0]["check"]["blocking"] != []) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("edit", "own"), "needs a terminal"),
        (("edit", "own", "--query", "x"), "name the line to change: --line N"),
        (("edit", "own", "--line", 1), "say what happens to the line"),
        (("edit", "own", "--add", "x"), "why, the reason, is missing"),
        (("edit", "own", "--add", "x", "--line", 1), "change another line in another go"),
        (("edit", "own", "--line", 1, "--on", "--off"), "--on and --off at once"),
        (("edit", "own", "--line", 1, "--remove", "--off"), "nothing else can be done"),
        (("edit", "own", "--line", 9, "--off"), "core has no line 9; it has 1"),
        (("edit", "own", "--line", 1, "--lane", "deep", "--off"), "is not core or wide"),
        (("edit", "own", "--line", 1, "--lane", "wide", "--block", "A", "--off"), "--lane or --block"),
        (("edit", "own", "--title", "x", "--lane", "wide"), "say where a line stands"),
        (("edit", "own", "--from", "nowhere.yaml"), "nowhere.yaml: No such file"),
        (("edit", "own", "--from", "nowhere.txt"), "end in .yaml or .toml"),
        (("edit", "own", "--from", "x.yaml", "--title", "y"), "holds the whole topic"),
        (("edit", "own", "--sentinel", "some"), "is not a PMID"),
        (("edit", "owm", "--title", "x"), "did you mean own?"),
        (("add", "own", "--title", "x", "--query", "y", "--reason", "z"), "a topic is called own already"),
        (("add", "Own", "--title", "x", "--query", "y", "--reason", "z"), "small letters"),
        (("add", "new", "--title", "x"), "--query, --reason"),
        (("add", "new", "--query", "y[ti]", "--reason", "z"), "the title is missing"),
        (("add", "new", "--from", "x.yaml", "--title", "x"), "holds the whole topic"),
        (("lint", "own", "cik", "--fix", "1"), "--fix repairs one topic"),
        (("lint", "own", "--because", "x"), "go with --fix"),
        (("lint", "own", "--fix", "not-a-code"), "no finding 'not-a-code'"),
        (("lint", "nonesuch"), "no topic is called nonesuch"),
        (("check", "nonesuch"), "no topic is called nonesuch"),
        (("restore", "own", "7"), "own has no version 7; the newest is 1"),
        (("restore", "own", "--because", "x"), "go with a VERSION"),
        (("restore", "nonesuch"), "no topic is called nonesuch"),
        (("retire", "nonesuch"), "no topic is called nonesuch"),
        (("history", "nonesuch"), "no topic is called nonesuch"),
        (("show", "own", "--version", 7), "own has no version 7"),
        (("export", "nonesuch"), "no topic is called nonesuch"),
        (("export", "--format", "xml"), "'xml' is not one of yaml, toml"),
        (("export", "-o", "topics.xml"), "end in .yaml or .toml"),
        (("import", "nowhere.toml"), "nowhere.toml: No such file"),
    ],
)
def test_what_is_asked_wrongly_is_said_in_a_sentence(cli: Cli, arguments: tuple[object, ...], says: str) -> None:
    said = cli("topic", *arguments)
    assert said.code == 2, said.everything
    assert says in said.err
    assert "Traceback" not in said.everything


def test_the_editor_gets_the_topic_and_its_text_is_saved(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    editor(cli, monkeypatch, "text.replace('\"CAR-NK\"[tiab]', 'killer[ti]')")
    said = cli("topic", "edit", "own", "--message", "by hand")
    assert said.code == 0, said.everything
    assert core(cli) == ["killer[ti]"]
    assert list((cli.home / "drafts").iterdir()) == []


def test_a_dry_run_from_the_editor_keeps_the_text(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    editor(cli, monkeypatch, "text.replace('\"CAR-NK\"[tiab]', 'killer[ti]')")
    said = cli("topic", "edit", "own", "--dry-run")
    assert (said.code, core(cli)) == (0, ['"CAR-NK"[tiab]'])
    assert "killer[ti]" in kept(said).read_text()


def test_what_cannot_be_kept_is_said_after_why_it_was_refused(cli: Cli) -> None:
    (cli.home / "drafts").write_text("no folder")
    said = cli("topic", "edit", "own", "--add", "(", "--reason", "w")
    assert said.code == 2
    first, second = said.err.splitlines()
    assert "empty parentheses" in first
    assert second.startswith("What was typed could not be kept in")


def test_an_editor_that_changes_nothing_saves_nothing(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    editor(cli, monkeypatch, "text")
    said = cli("topic", "edit", "own")
    assert (said.code, said.err) == (2, "nothing was changed\n")
    monkeypatch.setenv("EDITOR", "no-such-editor-anywhere")
    assert "cannot be started" in cli("topic", "edit", "own").err
    monkeypatch.setenv("EDITOR", "false")
    assert "false ended with 1; nothing was changed" in cli("topic", "edit", "own").err
    assert list((cli.home / "drafts").iterdir()) == []


@pytest.mark.parametrize("change", ["'not: [yaml'", "text.replace('why:', 'because:')", "text.replace('CAR-NK', '(')"])
def test_what_was_typed_into_the_editor_is_never_lost(cli: Cli, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    editor(cli, monkeypatch, change)
    said = cli("topic", "edit", "own")
    assert said.code in (1, 2)
    path = kept(said)
    before = cli.home.parent / "before"
    text = before.read_text()
    assert path.exists()
    if "(" not in change:
        assert path.read_text() == eval(change, {"text": text})
    assert f"--from {path}" in said.err


def editor(cli: Cli, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    """Set an editor that changes the text as told, and a terminal to run it at."""
    script = cli.home.parent / "editor.py"
    script.write_text(
        "import pathlib, sys\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "text = path.read_text()\n"
        f"pathlib.Path({str(cli.home.parent / 'before')!r}).write_text(text)\n"
        f"path.write_text({change})\n"
    )
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", f"{sys.executable} {script}")
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)


def test_findings_show_the_line_the_place_and_the_repair(cli: Cli, server: Sandbox) -> None:
    server.unknown_phrases = ["CAR-iNK"]
    cli("topic", "edit", "own", "--add", 'cells[ti] OR "CAR-iNK"[tiab]', "--reason", "w", "--because", "young")
    said = cli("topic", "lint", "own")
    assert said.code == 1
    at = said.out.index("error phrase-unknown: core line 2, column 14")
    lines = said.out[at:].splitlines()
    assert lines[1] == '  cells[ti] OR "CAR-iNK"[tiab]'
    assert lines[2] == " " * 15 + "^"
    assert lines[4] == '  repair: Replace with the proximity form: cells[ti] OR "CAR iNK"[tiab:~0]'
    found = cli("topic", "lint", "own", "--json").json[0]["findings"]
    number = next(at for at, each in enumerate(found, 1) if each["code"] == "phrase-unknown")
    assert cli("topic", "lint", "own", "--fix", number, "--dry-run").code == 0
    assert core(cli)[1] == 'cells[ti] OR "CAR-iNK"[tiab]'
    assert cli("topic", "lint", "own", "--fix", "phrase-unknown").code == 0
    assert core(cli)[1] == 'cells[ti] OR "CAR iNK"[tiab:~0]'
    assert cli("topic", "history", "own", "--json").json[0]["reason"] == "linter: phrase-unknown"


def test_phrases_that_nobody_asked_about_are_one_sentence(cli: Cli) -> None:
    path, values = file_of(cli, "own")
    (first,) = values["topics"]["own"]["core"]
    first["q"] = '"CAR NK cells"[tiab] OR CAR[tiab] OR "two words"[ti]'
    values["topics"]["own"]["core"].append({**first, "q": '"a phrase"[tiab] OR "two words"[ti]'})
    written(path, values)
    said = cli("topic", "lint", "--from", path)
    assert said.out.splitlines()[0].endswith(", 3 phrases that PubMed was not asked about")
    assert f"  This asks it, and so does the next poll: monitor topic check own --from {path}" in said.out
    assert "phrase-unchecked" not in said.out
    found = cli("topic", "lint", "--from", path, "--json").json[0]["findings"]
    notes = [at for at, each in enumerate(found, 1) if each["code"] == "phrase-unchecked"]
    assert len(notes) == 2
    every = cli("topic", "lint", "--from", path, "--all").out
    assert [f"{at}. note phrase-unchecked" in every for at in notes] == [True, True]
    acronym = next(at for at, each in enumerate(found, 1) if each["code"] == "bare-acronym")
    assert f"{acronym}. warning bare-acronym" in said.out, "the numbers are those that --fix takes"
    cli("topic", "check", "own", "--from", path)
    assert "not asked" not in cli("topic", "lint", "--from", path).out


def test_the_other_reading_is_asked_for_with_fix(cli: Cli) -> None:
    cli("topic", "edit", "own", "--add", "killer[ti] OR late[ti] AND cells[ti]", "--reason", "w")
    assert cli("topic", "lint", "own", "--fix", "mixed-booleans", "--other").code == 0
    assert core(cli)[1] == "killer[ti] OR (late[ti] AND cells[ti])"
    for wrong in (("--other",), ("--fix", "untagged", "--all")):
        assert cli("topic", "lint", "own", *wrong).code == 2


def test_a_search_without_faults_ends_with_0(cli: Cli) -> None:
    cli("topic", "edit", "own", "--line", 1, "--query", '"CAR NK"[tiab:~2] OR "Killer Cells, Natural"[Mesh:NoExp]')
    said = cli("topic", "lint", "own")
    assert said.code == 0, said.out
    assert cli("topic", "lint", "--json").code in (0, 1)


def test_a_file_can_be_linted_and_checked_before_it_is_saved(cli: Cli) -> None:
    path, values = file_of(cli, "own")
    values["topics"]["own"]["core"][0]["q"] = "CA*[ti]"
    written(path, values)
    assert "short-stem" in cli("topic", "lint", "--from", path).out
    said = cli("topic", "check", "--from", path)
    assert (said.code, "4 letters" in said.err) == (1, True)
    assert shown(cli)["version"] == 1


def test_a_check_says_what_is_lost_or_unknown(cli: Cli, server: Sandbox) -> None:
    said = cli("topic", "check", "own")
    assert (said.code, said.err) == (0, "")
    assert "own, version 1" in said.out
    assert "phrases: 1 known to PubMed" in said.out
    cli("topic", "edit", "own", "--sentinel", OTHER, "--because", "soon")
    said = cli("topic", "check", "own", "--json")
    assert said.code == 1
    assert f"own: sentinel {OTHER} is lost" in said.err
    assert said.json[0]["sentinels"]["lost"] == [OTHER]
    cli("topic", "edit", "own", "--sentinel", f"-{OTHER}")
    server.unknown_phrases = ["CAR-NK"]
    assert cli("topic", "check", "own").code == 1


def test_what_is_here_already_needs_no_backfill(cli: Cli) -> None:
    cli("topic", "backfill", "own", "--yes")
    said = cli("topic", "edit", "own", "--add", '"CAR-NK cells"[tiab]', "--reason", "w")
    assert said.out.splitlines()[-1] == "Nothing to fetch: all that PubMed has of it is here."
    cli("poll", "cik")
    said = cli("topic", "edit", "own", "--add", '"killer cells"[ti]', "--reason", "w")
    assert said.out.splitlines()[-1] == (
        "Nothing to fetch: 2 papers of it are in the library and only to be filed: monitor topic backfill own"
    )


def test_without_pubmed_the_last_sentence_of_a_save_says_so(cli: Cli) -> None:
    del cli.settings["MONITOR_EUTILS_URL"]
    said = cli("topic", "edit", "own", "--add", "killer[ti]", "--reason", "w")
    assert said.code == 0
    assert said.out.splitlines()[-1].startswith("own: saved; not checked with PubMed: PubMed is not asked without")
    said = cli("topic", "edit", "own", "--sentinel", FOUND)
    assert said.out.splitlines()[-1].startswith("own: saved; not checked with PubMed: ")


def test_without_pubmed_a_check_ends_with_3_and_says_what_stays_open(cli: Cli) -> None:
    for name in ("asked", "unasked"):
        cli("topic", "add", name, "--title", "T", "--query", f'"{name} before"[tiab]', "--reason", "w")
    del cli.settings["MONITOR_EUTILS_URL"]
    said = cli("topic", "check", "asked")
    assert said.code == 3
    assert said.err == "asked: PubMed could not be asked for its counts; what stands here is what is known here\n"
    assert "not checked with PubMed: PubMed is not asked without a contact address" in said.out
    assert cli("topic", "edit", "unasked", "--add", '"not asked"[tiab]', "--reason", "w").code == 0
    said = cli("topic", "check", "unasked")
    assert said.code == 3
    assert "1 not checked" in said.out
    assert "for its counts and 1 phrase it was never asked about;" in said.err


def test_history_restore_and_older_versions(cli: Cli) -> None:
    cli("topic", "edit", "own", "--add", "killer[ti]", "--reason", "w", "--message", "more")
    assert shown(cli, "own", "--version", 1)["lanes"]["core"]["query"] == '"CAR-NK"[tiab]'
    assert "version 1 of 2" in cli("topic", "show", "own", "--version", 1).out
    assert "    + core 2: killer[ti]  (w)" in cli("topic", "history", "own").out
    said = cli("topic", "restore", "own", 1, "--reason", "too much")
    assert (said.code, "own: version 3 is saved." in said.out) == (0, True)
    assert core(cli) == ['"CAR-NK"[tiab]']
    reasons = [each["reason"] for each in cli("topic", "history", "own", "--json").json]
    assert reasons[:2] == ["too much", "more"]


def test_retired_topics_are_left_out_until_they_are_back(cli: Cli) -> None:
    cli("person", "add", "member@lab.example")
    cli("person", "subscribe", "member@lab.example", "own", "cik")
    said = cli("topic", "retire", "own", "--reason", "done")
    assert said.code == 0
    assert "1 person followed it and will hear no more of it: member@lab.example" in said.out
    assert "own" not in cli("topic", "list").out
    assert "retired" in cli("topic", "list", "--retired").out
    assert "own (retired)" in cli("person", "list").out
    assert cli("person", "list", "--json").json[0]["subscription"]["retired_topics"] == ["own"]
    assert cli("poll", "own").code == 2
    assert "own is retired" in cli("topic", "edit", "own", "--title", "x").err
    assert cli("topic", "show", "own").code == 0
    assert "retired (done)" in cli("topic", "history", "own").out
    again = cli("topic", "retire", "own")
    assert (again.code, again.everything) == (0, "own is retired already.\n")
    assert cli("topic", "restore", "own").out.startswith("own is back")
    assert "is not retired" in cli("topic", "restore", "own").out
    assert cli("poll", "own").code == 0


@pytest.mark.parametrize("form", ["yaml", "toml"])
def test_topics_go_out_into_a_file_and_come_back(cli: Cli, form: str) -> None:
    path, values = file_of(cli, form=form)
    said = cli("topic", "import", path, "--yes")
    assert (said.code, said.err) == (0, "topics: 0 new, 0 changed, 9 unchanged\n")
    assert cli("topic", "export", "-o", cli.home.parent / f"again.{form}").code == 0
    assert (cli.home.parent / f"again.{form}").read_bytes() == path.read_bytes()
    values["topics"]["own"]["core"][0]["q"] = "killer[ti]"
    values["topics"]["extra"] = {
        "title": "Extra",
        "core": [{"q": "{T:own}", "why": "all of ours"}],
        "sentinels": [OTHER],
    }
    said = cli("topic", "import", written(path, values), "--yes", "--message", "as agreed")
    assert said.code == 0, said.everything
    assert "own: version 2 is saved." in said.out
    assert "extra: version 1 is saved." in said.out
    assert said.out.count("sentinels: 1 of 1 found by PubMed") == 1
    assert core(cli) == ["killer[ti]"]
    assert shown(cli)["reason"] == "as agreed"


def test_export_to_the_terminal_is_yaml_or_toml(cli: Cli) -> None:
    told = yaml.safe_load(cli("topic", "export", "own").out)
    assert told["topics"]["own"]["core"] == [{"q": '"CAR-NK"[tiab]', "why": "coined", "owner": "lab"}]
    assert tomllib.loads(cli("topic", "export", "own", "--format", "toml").out) == told


def test_an_import_shows_first_and_needs_a_yes(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    path, values = file_of(cli, "own")
    values["topics"]["own"] |= {"title": "Ours", "sentinels": [FOUND]}
    values["topics"]["own"]["core"].append({"q": "killer[ti]", "why": "w"})
    written(path, values)
    dry = cli("topic", "import", path, "--dry-run")
    assert dry.code == 0
    for words in ("title: Our own  becomes  Ours", "+ core 2: killer[ti]  (w)", f"+ sentinel {FOUND}"):
        assert words in dry.out
    said = cli("topic", "import", path)
    assert said.code == 2
    assert "Nothing was imported: without a terminal to ask at, --yes" in said.err
    assert shown(cli)["version"] == 1
    assert cli("topic", "import", path, "--yes", "--json").json[0]["version"] == 2


class Terminal(io.StringIO):
    """Somebody who has typed an answer already."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "code", "version"), [("y\n", 0, 2), ("n\n", 1, 1)])
def test_at_a_terminal_an_import_asks(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, version: int
) -> None:
    path, values = file_of(cli, "own")
    values["topics"]["own"]["core"][0]["q"] = "killer[ti]"
    written(path, values)
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    said = cli("topic", "import", path)
    assert said.code == code
    assert "Save this? [y/N]" in said.everything
    assert ("Nothing was imported." in said.err) == (code == 1)
    assert shown(cli)["version"] == version


def test_a_file_from_an_older_version_takes_nothing_back_by_itself(cli: Cli) -> None:
    path, values = file_of(cli, "own")
    assert values["topics"]["own"]["based_on"] == 1
    cli("topic", "edit", "own", "--add", "killer[ti]", "--reason", "theirs", "--message", "meanwhile")
    values["topics"]["own"]["core"].append({"q": "cells[ti]", "why": "mine"})
    written(path, values)
    said = cli("topic", "import", path, "--yes")
    assert said.code == 1
    assert "own: the file was made from version 1, and would take back what came up to version 2" in said.err
    assert "  The file was made from version 1; version 2 stands, by command line" in said.out
    assert "    + core 2: killer[ti]  (theirs)" in said.out, "what came since"
    assert "killer[ti]  becomes  cells[ti]" in said.out, "what the file would do"
    assert core(cli) == ['"CAR-NK"[tiab]', "killer[ti]"]
    said = cli("topic", "import", path, "--because", "mine is right")
    assert (said.code, "--yes" in said.err) == (2, True)
    said = cli("topic", "import", path, "--yes", "--because", "mine is right")
    assert said.code == 0
    assert "export anew before the next edit" in said.err
    assert core(cli) == ['"CAR-NK"[tiab]', "cells[ti]"]
    assert "accepted: the file was made from version 1" in cli("topic", "show", "own").out


def test_a_file_of_another_installation_or_without_a_version_is_shown_and_imported(cli: Cli) -> None:
    path, values = file_of(cli, "own")
    values["topics"]["own"]["core"].append({"q": "cells[ti]", "why": "mine"})
    values["topics"]["own"]["based_on"] = 7
    assert "made from version 7, which is not here" in cli("topic", "import", written(path, values), "--yes").err
    del values["topics"]["own"]["based_on"]
    said = cli("topic", "import", written(path, values), "--yes")
    assert (said.code, said.err) == (0, "topics: 0 new, 1 changed, 0 unchanged\n")


def test_of_several_files_all_is_saved_or_nothing(cli: Cli) -> None:
    path, values = file_of(cli, "own")
    values["topics"]["own"]["core"][0]["q"] = "killer[ti]"
    good = written(path, values)
    bad = cli.home.parent / "bad.toml"
    for text, says in (
        ("version = 1\n[topics.cik]\ntitle = 'x'\ncolour = 'red'\n", "unknown colour"),
        ("version = 1\n[topics.own]\ntitle = 'x'\n[[topics.own.core]]\nq = 'x'\nwhy = 'y'\n", "own stands in"),
        ("version = 1\nversion = 1\n", "bad.toml: "),
        ("version = 1\n[topics.new]\ntitle = 'x'\n[[topics.new.core]]\nq = '(x'\nwhy = 'y'\n", "never closed"),
    ):
        bad.write_text(text)
        said = cli("topic", "import", good, bad, "--yes")
        assert said.code == 2, said.everything
        assert says in said.err
        assert "Traceback" not in said.everything
    bad.write_text("version = 1\n[topics.new]\ntitle = 'x'\n[[topics.new.core]]\nq = 'CA*[ti]'\nwhy = 'y'\n")
    said = cli("topic", "import", good, bad, "--yes")
    assert said.code == 1
    assert "Nothing was imported; correct the files, or give the reason with --because TEXT:" in said.err
    assert shown(cli)["version"] == 1
    assert cli("topic", "import", good, bad, "--yes", "--because", "as agreed").code == 0
    assert (shown(cli)["accepted"], len(shown(cli, "new")["accepted"])) == ([], 1)


def test_blocks_that_a_file_has_in_vain_are_named(cli: Cli) -> None:
    path, values = file_of(cli, "own")
    values["blocks"] = {"VAIN": {"any": [{"q": "x[ti]", "why": "w"}]}}
    said = cli("topic", "import", written(path, values), "--dry-run")
    assert "block VAIN is inserted by no line of the file and is left out" in said.err


def test_a_topic_is_added_from_a_file(cli: Cli) -> None:
    path, values = file_of(cli, "own")
    values["topics"]["twin"] = values["topics"].pop("own")
    assert cli("topic", "add", "twin", "--from", written(path, values)).code == 0
    assert core(cli, "twin") == ['"CAR-NK"[tiab]']
    assert "wanted; `monitor topic import`" in cli("topic", "add", "other", "--from", path).err
    values["topics"]["unborn"] = values["topics"].pop("twin")
    assert "`monitor topic add unborn --from" in cli("topic", "edit", "unborn", "--from", written(path, values)).err


def test_a_new_topic_that_is_refused_is_kept(cli: Cli) -> None:
    said = cli("topic", "add", "new", "--title", "New", "--query", "CA*[ti]", "--reason", "w")
    assert said.code == 1
    assert f"monitor topic add new --from {kept(said)}" in said.err
    assert cli("topic", "add", "new", "--from", kept(said), "--because", "so be it").code == 0


def test_lists_say_who_made_the_version_that_stands(cli: Cli) -> None:
    told = json.loads(cli("topic", "list", "--json").out)
    assert {each["id"] for each in told} >= {"car-nk", "own"}
    assert all(each["retired_at"] is None for each in told)
    starter = shown(cli, "cik")
    assert (starter["by"], starter["reason"], starter["newest_version"]) == ("starter", "starter", 1)
    assert starter["lint"]["error"] == 0
