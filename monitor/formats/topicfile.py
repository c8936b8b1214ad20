"""Topic files as text: YAML and TOML in, the same plain value out, and back in a form that makes good diffs."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Final, Literal

import tomli_w
import yaml

from monitor.errors import UsageError

Form = Literal["yaml", "toml"]
FORMS: Final[tuple[Form, ...]] = ("yaml", "toml")
LARGEST: Final = 4 * 2**20
"""Bytes of a topic file at most; the starter has 25 thousand."""
_HEAD: Final = (
    "# Topics of Evidence Monitor. Lines under any: are joined with OR, under all: with AND; {NAME} inserts a block.\n"
)
_BOOLEAN: Final = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")
_BOOLEAN_TAG: Final = "tag:yaml.org,2002:bool"


def form_of(name: str) -> Form:
    """Return how a file of this name is written; raises UsageError for one that is neither."""
    form: Form | None = {".yaml": "yaml", ".yml": "yaml", ".toml": "toml"}.get(PurePath(name).suffix.lower())  # type: ignore[assignment]
    if form is None:
        raise UsageError(f"{name}: topic files end in .yaml or .toml")
    return form


def read(data: bytes, form: Form, name: str) -> object:
    """Return what a file says; raises UsageError naming file and place for what cannot be read."""
    if len(data) > LARGEST:
        raise UsageError(f"{name}: larger than {LARGEST // 2**20} MB, which is no topic file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{name}: byte {error.start + 1} is not UTF-8") from None
    try:
        return tomllib.loads(text) if form == "toml" else yaml.load(text, Loader)  # noqa: S506  a SafeLoader
    except RecursionError:
        raise UsageError(f"{name}: nested too deeply") from None
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark
        place = f"line {at.line + 1}, column {at.column + 1}: " if at is not None else ""
        raise UsageError(f"{name}: {place}{error.problem or error}") from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: TOML, and dates and numbers that are none
        raise UsageError(f"{name}: {' '.join(str(error).split())[:300]}") from None


def write(value: Mapping[str, Any], form: Form, remark: str = "") -> bytes:
    """Return the text of a topic file, the same for the same value; `remark` is put above it as comments."""
    above = "".join(f"# {line}\n" for line in remark.splitlines())
    if form == "toml":
        return (_HEAD + above + "\n" + tomli_w.dumps(value)).encode()
    text = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=float("inf"), default_flow_style=False
    )
    return (_HEAD + above + text).encode()


class Loader(yaml.SafeLoader):
    """YAML as 1.2 reads it where it matters: `on` and `no` are words, a name stands once, and nothing is an alias."""

    yaml_implicit_resolvers: Any = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOLEAN_TAG]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(
                problem="anchors and aliases are not read; a text that begins with * needs quotes", problem_mark=mark
            )
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[object] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
                raise yaml.MarkedYAMLError(problem="a name is wanted here", problem_mark=key.start_mark)
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"{key.value} stands here twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    """Searches, reasons and titles in quotes on one line each, PMIDs side by side."""

    yaml_implicit_resolvers: Any = {first: list(each) for first, each in Loader.yaml_implicit_resolvers.items()}

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, False)

    def represent_mapping(self, tag: Any, mapping: Any, flow_style: Any = None) -> Any:
        node = super().represent_mapping(tag, mapping, flow_style)
        for _, value in node.value:
            if isinstance(value, yaml.ScalarNode) and value.tag == "tag:yaml.org,2002:str":
                value.style = "'"
        return node

    def represent_sequence(self, tag: Any, sequence: Any, flow_style: Any = None) -> Any:
        return super().represent_sequence(tag, sequence, all(isinstance(each, int) for each in sequence))

    def ignore_aliases(self, data: Any) -> bool:
        return True


Loader.add_implicit_resolver(_BOOLEAN_TAG, _BOOLEAN, list("tTfF"))
_Dumper.add_implicit_resolver(_BOOLEAN_TAG, _BOOLEAN, list("tTfF"))
