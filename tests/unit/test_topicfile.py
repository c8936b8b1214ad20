"""Topic files: the same topics from YAML and TOML and back, and a sentence with the place for what is wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.draft import one_line
from monitor.core.strategy import Block, Line, Strategy, Topic, all_lines, with_blocks
from monitor.core.topicfile import read_file, read_topics, write_file
from monitor.errors import UsageError
from monitor.formats import topicfile
from monitor.formats.topicfile import FORMS, Form, form_of
from monitor.resources import resource_dir
from tests.shared import STARTER, needs_shared

SEED = (resource_dir("db") / "seed" / "queries.yaml").read_bytes()


def topics_file(**parts: Any) -> dict[str, Any]:
    return {"version": 1, "blocks": {}, "topics": {}, **parts}


def topic(*core: str, **more: Any) -> dict[str, Any]:
    return {"title": "Invented", "core": [{"q": each, "why": "because"} for each in core], **more}


def there_and_back(topics: tuple[Topic, ...], form: Form) -> tuple[Topic, ...]:
    return read_file(topicfile.read(topicfile.write(write_file(topics), form), form, "invented")).topics


@pytest.mark.parametrize("form", FORMS)
def test_the_starter_comes_back_from_either_form(form: Form) -> None:
    starter = read_topics(topicfile.read(SEED, "yaml", "queries.yaml"))
    assert len(starter) == 8
    assert there_and_back(starter, form) == starter


@needs_shared
def test_the_reference_reads_as_the_starter_that_ships() -> None:
    reference = read_topics(topicfile.read((STARTER / "queries.yaml").read_bytes(), "yaml", "reference"))
    starter = read_topics(topicfile.read(SEED, "yaml", "queries.yaml"))
    assert [(each.id, each.title, each.sentinels) for each in starter] == [
        (each.id, each.title, each.sentinels) for each in reference
    ]
    ours, theirs = ([tuple(all_lines(each.strategy)) for each in topics] for topics in (starter, reference))
    differ = {
        (where, position, line.query == old.query)
        for mine, yours in zip(ours, theirs, strict=True)
        for (where, position, line), (_, _, old) in zip(mine, yours, strict=True)
        if line != old
    }
    # The reason says now that explosion is meant, and a publication type that NLM renamed is searched by both names.
    assert differ == {("CART", 4, True), ("EDITORIAL_ACTION", 1, False)}


TEXT = st.text(min_size=1, max_size=30).filter(lambda text: _is_line(text)).map(lambda text: one_line(text, "a text"))
QUERY = st.lists(
    st.sampled_from(["{A}", "{B}", "{T:other}", '"CAR-NK"[tiab]', "* of it", "yes", "on: x", "'", "#", "人", "a[ti]"]),
    min_size=1,
    max_size=3,
).map(" AND ".join)


def _is_line(text: str) -> bool:
    try:
        one_line(text, "a text")
    except UsageError:
        return False
    return True


LINE = st.builds(Line, QUERY, TEXT, TEXT, st.booleans())
PLAIN = st.builds(Line, st.just("plain[ti]"), TEXT, TEXT, st.just(True))


@st.composite
def topics(draw: st.DrawFn) -> tuple[Topic, ...]:
    """Some topics of which each has blocks of its own, alike or not."""
    shared = draw(st.lists(PLAIN, min_size=1, max_size=2))
    made = []
    for name in draw(st.lists(st.sampled_from(["one", "two-b", "on", "no", "other"]), min_size=1, unique=True)):
        own = draw(st.lists(PLAIN, min_size=1, max_size=2))
        blocks = {
            "A": Block("A", tuple(draw(st.sampled_from([shared, own]))), draw(st.sampled_from(["any", "all"]))),
            "B": Block("B", (Line("{A}", "b", "lab"), *shared), reason=draw(st.none() | TEXT)),
            "T:other": Block("T:other", tuple(draw(st.sampled_from([shared, own])))),
        }
        core = [Line("a[ti]", "always on", "lab"), *draw(st.lists(LINE, max_size=3))]
        if name == "other":
            core = [each for each in core if "T:other" not in each.query]
        wide = [each for each in draw(st.lists(LINE, max_size=2)) if name != "other" or "T:other" not in each.query]
        pmids = st.lists(st.integers(1, 2**31 - 1), unique=True, max_size=3)
        made.append(Topic(name, draw(TEXT), with_blocks(core, wide, blocks), tuple(draw(pmids))))
    return tuple(made)


@given(topics(), st.sampled_from(FORMS))
def test_any_topics_come_back_as_they_were(made: tuple[Topic, ...], form: Form) -> None:
    assert there_and_back(made, form) == made


@given(topics(), st.sampled_from(FORMS))
def test_the_same_topics_give_the_same_file(made: tuple[Topic, ...], form: Form) -> None:
    once = topicfile.write(write_file(made), form)
    assert topicfile.write(write_file(there_and_back(made, form)), form) == once


def test_a_block_that_topics_have_alike_stands_once_and_another_with_its_topic() -> None:
    block, other = Block("A", (Line("a[ti]", "a", "lab"),)), Block("A", (Line("b[ti]", "b", "lab"),))
    alike = [Topic(name, "T", with_blocks([Line("{A}", "w", "lab")], [], {"A": block})) for name in ("one", "two")]
    told = write_file(alike)
    assert list(told["blocks"]) == ["A"]
    assert "blocks" not in told["topics"]["one"]
    told = write_file([alike[0], Topic("two", "T", with_blocks([Line("{A}", "w", "lab")], [], {"A": other}))])
    assert "blocks" not in told
    assert told["topics"]["two"]["blocks"] == {"A": {"any": [{"q": "b[ti]", "why": "b", "owner": "lab"}]}}


def test_yaml_is_written_for_people_and_diffs() -> None:
    made = Topic(
        "one", "A title", Strategy((Line('"x y"[ti]', "why: it's so", "lab", False), Line("z", "w", "me"))), (7,)
    )
    assert topicfile.write(write_file([made]), "yaml", "A remark.").decode().splitlines()[1:] == [
        "# A remark.",
        "version: 1",
        "topics:",
        "  one:",
        "    title: 'A title'",
        "    sentinels: [7]",
        "    core:",
        "      - q: '\"x y\"[ti]'",
        "        why: 'why: it''s so'",
        "        owner: 'lab'",
        "        on: false",
        "      - q: 'z'",
        "        why: 'w'",
        "        owner: 'me'",
    ]


def test_on_means_on_although_yaml_once_read_it_as_true() -> None:
    text = (
        b"version: 1\ntopics:\n  no:\n    title: T\n    core:\n    - {q: a, why: b}\n    - {q: c, why: d, on: false}\n"
    )
    (found,) = read_file(topicfile.read(text, "yaml", "file")).topics
    assert yaml.safe_load(text) != topicfile.read(text, "yaml", "file")
    assert (found.id, [each.enabled for each in found.strategy.core]) == ("no", [True, False])


def test_blanks_and_line_breaks_of_a_search_are_one_blank() -> None:
    text = b"version: 1\ntopics:\n  x:\n    title: T\n    core:\n    - q: |\n        a[ti] OR\n          b[ti]\n      why: w\n"
    (found,) = read_file(topicfile.read(text, "yaml", "file")).topics
    assert found.strategy.core[0].query == "a[ti] OR b[ti]"


def test_a_line_without_an_owner_keeps_the_one_it_has() -> None:
    held = Topic("x", "T", Strategy((Line("a", "w", "starter"), Line("b", "w", "somebody"))))
    values = topics_file(topics={"x": topic("b", "a", "c")})
    (found,) = read_file(values, held={"x": held}).topics
    assert [(each.query, each.owner) for each in found.strategy.core] == [
        ("b", "somebody"),
        ("a", "starter"),
        ("c", "lab"),
    ]
    (found,) = read_file(values, owner="me").topics
    assert {each.owner for each in found.strategy.core} == {"me"}


def test_sentinels_go_only_where_the_file_says_so() -> None:
    held = {"x": Topic("x", "T", Strategy((Line("a", "w"),)), (7, 8))}
    assert read_file(topics_file(topics={"x": topic("a")}), held=held).topics[0].sentinels == (7, 8)
    assert read_file(topics_file(topics={"x": topic("a", sentinels=[])}), held=held).topics[0].sentinels == ()
    assert read_file(topics_file(topics={"x": topic("a")})).topics[0].sentinels == ()


def test_the_version_a_draft_was_made_from_is_told() -> None:
    file = read_file(topics_file(topics={"x": topic("a", based_on=3), "y": topic("b")}))
    assert file.based_on == {"x": 3}
    written = write_file(file.topics, {"x": 3})
    assert read_file(written).based_on == {"x": 3}


def test_blocks_that_nothing_inserts_are_named() -> None:
    line = [{"q": "a", "why": "w"}]
    values = topics_file(
        blocks={"A": {"any": line}, "B": {"any": line}},
        topics={"x": topic("{A}", blocks={"C": {"any": line}}), "y": topic("b")},
    )
    assert read_file(values).unused == ("B", "C")


def test_a_topic_s_own_block_goes_before_the_file_s() -> None:
    values = topics_file(
        blocks={"A": {"any": [{"q": "shared", "why": "w"}]}},
        topics={"x": topic("{A}", blocks={"A": {"any": [{"q": "own", "why": "w"}]}}), "y": topic("{A}")},
    )
    assert [each.strategy.query("core") for each in read_file(values).topics] == ["(own)", "(shared)"]


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([], "names with values"),
        ({"version": 2}, "version 2"),
        ({"version": True}, "version True"),
        (topics_file(extra=1), "unknown extra"),
        (topics_file(topics={"Big": topic("a")}), "small letters"),
        (topics_file(topics={"a--b": topic("a")}), "small letters"),
        (topics_file(topics={"a" * 61: topic("a")}), "60 at most"),
        (topics_file(topics={3: topic("a")}), "small letters"),
        (topics_file(topics={"x": topic()}), "topic x: the core lane has no line that is on"),
        (
            topics_file(topics={"x": {"core": [{"q": "a", "why": "b", "on": False}], "title": "t"}}),
            "no line that is on",
        ),
        (topics_file(topics={"x": {"core": [{"q": "a", "why": "b", "on": "yes"}], "title": "t"}}), "true or false"),
        (topics_file(topics={"x": {"core": [{"q": "a"}], "title": "t"}}), "topic x, core, line 1: why"),
        (topics_file(topics={"x": {"core": [{"why": "a"}], "title": "t"}}), "q, the search"),
        (topics_file(topics={"x": {"core": [{"q": 3, "why": "a"}], "title": "t"}}), "q, the search"),
        (topics_file(topics={"x": {"core": [{"q": "a\x00", "why": "a"}], "title": "t"}}), "control character"),
        (topics_file(topics={"x": {"core": [{"q": "a", "why": "b", "owner": ""}], "title": "t"}}), "owner is missing"),
        (topics_file(topics={"x": {"core": [{"q": "a", "why": "b"}]}}), "title is missing"),
        (topics_file(topics={"x": {"core": "a", "title": "t"}}), "list of lines"),
        (topics_file(topics={"x": {"core": ["a"], "title": "t"}}), "line 1: names with values"),
        (topics_file(topics={"x": topic("a", colour="red")}), "topic x: unknown colour; known are based_on, blocks"),
        (topics_file(topics={"x": topic("a", sentinels=["1"])}), "PMIDs"),
        (topics_file(topics={"x": topic("a", sentinels=[True])}), "PMIDs"),
        (topics_file(topics={"x": topic("a", sentinels=[2**31])}), "PMIDs"),
        (topics_file(topics={"x": topic("a", based_on=0)}), "number of a version"),
        (topics_file(topics={"x": topic("{NONE}")}), "topic x: {NONE} is inserted, but there is no such block"),
        (topics_file(topics={"x": topic("{T:none}")}), "no such block"),
        (topics_file(topics={"x": topic("a[ti] AND {lower}")}), "topic x, core, line 1: braces"),
        (topics_file(topics={"x": topic("a[ti] }")}), "braces"),
        (topics_file(topics={"x": topic("{T:x}")}), "circle: T:x > T:x"),
        (topics_file(topics={"x": topic("{T:y}"), "y": topic("{T:x}")}), "circle"),
        (topics_file(topics={"x": topic("a", blocks={"T:Bad": {"any": []}})}), "small letters"),
        (topics_file(blocks={"T:y": {"any": []}}), "capitals"),
        (topics_file(blocks={"a": {"any": []}}), "capitals"),
        (topics_file(blocks={"A": {"any": []}}), "no line"),
        (topics_file(blocks={"A": {}}), "one of them"),
        (topics_file(blocks={"A": {"any": [], "all": []}}), "one of them"),
        (topics_file(blocks=[]), "blocks: names with values"),
        (
            topics_file(
                blocks={"A": {"any": [{"q": "{B}", "why": "w"}]}, "B": {"all": [{"q": "{A}", "why": "w"}]}},
                topics={"x": topic("{A}")},
            ),
            "topic x: blocks insert each other in a circle: A > B > A",
        ),
        (
            topics_file(blocks={"A": {"any": [{"q": "a", "why": "w", "on": False}]}}, topics={"x": topic("{A}")}),
            "none of its lines is on",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_place(values: Any, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_topics(values)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("text", "form", "says"),
    [
        (b"a: *b", "yaml", "line 1, column 4: anchors and aliases are not read"),
        (b"a: &x [1]\nb: *x", "yaml", "line 2, column 4: anchors"),
        (b"<<: {a: 1}", "yaml", "line 1, column 1: a name is wanted"),
        (b"topics:\n  x: 1\n  x: 2", "yaml", "line 3, column 3: x stands here twice"),
        (b"a: [1", "yaml", "line 1, column 6"),
        (b"a: !!python/object:os.system 1", "yaml", "could not determine a constructor"),
        (b"a: 2024-99-99", "yaml", "F: month must be"),
        (b"a: \x00", "yaml", "special characters"),
        (b"[[[[" * 3000, "yaml", "nested too deeply"),
        (b"\xff", "yaml", "byte 1 is not UTF-8"),
        (b"x" * (topicfile.LARGEST + 1), "toml", "larger than 4 MB"),
        (b"a = 1\na = 2\n\n", "toml", "Cannot overwrite a value (at line 2, column 6)"),
        (b"a: 1", "toml", "at line 1"),
        (b"a = " + b"[" * 5000, "toml", "nested too deeply"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_place(text: bytes, form: Form, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        topicfile.read(text, form, "F")
    assert str(caught.value).startswith("F: ")
    assert says in str(caught.value)


@given(st.binary(max_size=80) | st.text(max_size=60).map(str.encode), st.sampled_from(FORMS))
def test_any_bytes_are_read_or_refused(data: bytes, form: Form) -> None:
    try:
        read_topics(topicfile.read(data, form, "F"))
    except UsageError:
        return
    assert b"version" in data


def test_the_example_in_the_documentation_can_be_read() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "topics.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (found,) = read_file(topicfile.read(example.replace("on: false", "on: true").encode(), "yaml", "example")).topics
    assert found.strategy.query("core") == '("NK cell*"[tiab]) AND infusion*[tiab]'


def test_the_form_is_told_by_the_name() -> None:
    assert [form_of(name) for name in ("a.yaml", "b.YML", "c.x.toml")] == ["yaml", "yaml", "toml"]
    with pytest.raises(UsageError, match=r"end in .yaml or .toml"):
        form_of("a.json")
