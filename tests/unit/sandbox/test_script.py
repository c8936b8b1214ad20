"""The faults file, the command's entry, and the documentation."""

from __future__ import annotations

import inspect
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.errors import UsageError
from monitor.pubmed.sandbox import Corpus, Fault, Sandbox, serve
from monitor.pubmed.sandbox.context import Context
from monitor.pubmed.sandbox.faults import Rule
from monitor.pubmed.sandbox.script import BEHAVIOUR, RULE_KEYS, read_script
from tests.unit.sandbox.records import ask, record

A = 90000001
DOC = (Path(__file__).resolve().parents[3] / "docs" / "sandbox.md").read_text(encoding="utf-8")


@pytest.fixture
def script(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "faults.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_file_scripts_faults_and_behaviour(script: Callable[[str], Path]) -> None:
    arguments = read_script(
        script(
            """
seed: 7
clock: 2026-10-05
dtd: 260101
vocabulary: corpus
unknown_phrases: [natural killer cel]
rate_limit: false
rules:
  - {fault: http-502, utility: efetch, more_than: 1}
  - {fault: cut-in-tag, utility: einfo, calls: [2], framing: chunked}
"""
        )
    )
    with Sandbox(Corpus.of(record(A), record(A + 1)), **arguments) as box:
        assert box.clock.now() == datetime(2026, 10, 5, tzinfo=UTC)
        assert ask(box, "efetch", id=[A, A + 1]).status == 502
        assert b"pubmed_260101.dtd" in ask(box, "efetch", id=A).body
        assert ask(box, "esearch", term="absent[tiab]").texts("PhraseNotFound") == ["absent[Title/Abstract]"]
        assert [rule.fault for rule in box.faults.rules] == [Fault.HTTP_502, Fault.CUT_IN_TAG]


def test_the_clock_may_name_the_moment(script: Callable[[str], Path]) -> None:
    moment = datetime(2026, 10, 5, 12, 30, tzinfo=UTC)
    assert read_script(script("clock: 2026-10-05T12:30:00"))["clock"].now() == moment
    assert read_script(script("clock: 2026-10-05T14:30:00+02:00"))["clock"].now() == moment


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("[]", ["a mapping is expected"]),
        ("rules: {}", ["a list of faults is expected"]),
        ("a: [", ["line 1"]),
        ("rules: [http-502]", ["rule 1: a mapping with `fault`"]),
        (
            "rules: [{fault: http-999}, {fault: http-500, evry: 2}]",
            ["rule 1: there is no fault 'http-999'", "rule 2: there is no 'evry'"],
        ),
        ("rules: [{fault: http-500, every: two}]", ["every cannot be 'two'"]),
        ("rules: [{fault: http-500, every: true}]", ["every cannot be True"]),
        ("rules: [{fault: http-500, calls: [a]}]", ["calls cannot be ['a']"]),
        ("rules: [{fault: http-500, utility: egrep}]", ["there is no utility 'egrep'"]),
        ("latency: -1\nspeed: 3\nseed: x", ["latency cannot be below 0", "no setting 'speed'", "seed cannot be 'x'"]),
        ("unknown_phrases: [1]", ["a list of texts"]),
        ("translations: {a: 1}", ["texts by texts"]),
        ("gzip: 1", ["gzip cannot be 1"]),
        ("limit: true", ["limit cannot be True"]),
    ],
)
def test_every_problem_is_named_at_once(script: Callable[[str], Path], text: str, problems: list[str]) -> None:
    with pytest.raises(UsageError) as error:
        read_script(script(text))
    assert all(problem in str(error.value) for problem in ["faults.yaml", *problems])


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.yaml"):
        read_script(tmp_path / "none.yaml")


def test_the_command_serves_until_interrupted(tmp_path: Path, script: Callable[[str], Path]) -> None:
    path = tmp_path / "corpus.xml"
    path.write_bytes(record(A))
    seen: list[Sandbox] = []

    def ready(box: Sandbox) -> None:
        assert ask(box, "efetch", id=A).status == 503
        assert ask(box, "efetch", id=A).fetched == [A]
        seen.append(box)
        raise KeyboardInterrupt

    serve([path], faults=script("rules: [{fault: http-503, calls: [1]}]"), ready=ready)
    with pytest.raises(OSError, match="refused"):
        ask(seen[0], "einfo")


def test_an_interrupt_ends_it_in_order(tmp_path: Path) -> None:
    path = tmp_path / "corpus.xml"
    path.write_bytes(record(A))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # A parent that ignores SIGINT, as a test runner's workers do, would hand that down.
    heed = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    serving = (
        f"from pathlib import Path\nfrom monitor.pubmed.sandbox import serve\nserve([Path({str(path)!r})], {port})"
    )
    code = heed + serving
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
    try:
        end = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                break
            except ConnectionRefusedError:
                assert process.poll() is None
                assert time.monotonic() < end
                time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, complaints) == (0, b"")


# Documentation and code say the same


def test_every_fault_is_documented_as_the_code_says() -> None:
    rows = re.findall(r"(?m)^\| `([^`]+)` \| (.*) \|$", DOC)
    assert rows == [(fault.value, fault.__doc__) for fault in Fault]


def test_every_setting_and_condition_is_documented() -> None:
    line = re.search(r"(?ms)^Settings beside `rules` and `seed`: (.*?)\. They", DOC)
    assert line is not None
    assert re.findall(r"`(\w+)`", line[1]) == list(BEHAVIOUR)
    assert all(f"`{key}`" in DOC for key in RULE_KEYS)


def test_what_a_file_sets_exists() -> None:
    keywords = {*inspect.signature(Sandbox).parameters, *inspect.signature(Context).parameters}
    assert set(BEHAVIOUR) <= keywords
    conditions = {name for name in inspect.signature(Rule).parameters if name != "fault"}
    assert set(RULE_KEYS) == conditions
    undescribed = {
        name for name in keywords - {"self", "behaviour", "port", "seed"} if f"`{name}" not in (Sandbox.__doc__ or "")
    }
    assert undescribed == set()
