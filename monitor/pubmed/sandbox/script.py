"""A faults file: YAML that scripts faults and sets how a sandbox behaves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import yaml

from monitor.errors import UsageError
from monitor.pubmed.sandbox.context import SetClock
from monitor.pubmed.sandbox.faults import Fault, FaultScript, Rule

RULE_KEYS: dict[str, tuple[type, ...]] = {
    "utility": (str,),
    "more_than": (int,),
    "pmid": (int,),
    "term": (str,),
    "calls": (list,),
    "every": (int,),
    "probability": (int, float),
    "times": (int,),
    "framing": (str,),
    "seconds": (int, float),
    "size": (int,),
    "text": (str,),
}


def _rules(data: object) -> list[Rule]:
    """Read the `rules` of a faults file; raises UsageError that names every problem."""
    problems: list[str] = []
    rules: list[Rule] = []
    if not isinstance(data, list):
        raise UsageError("rules: a list of faults is expected")
    for number, entry in enumerate(data, 1):
        try:
            rules.append(_rule(entry))
        except UsageError as error:
            problems.append(f"rule {number}: {error}")
    if problems:
        raise UsageError("\n".join(problems))
    return rules


def _rule(entry: object) -> Rule:
    if not isinstance(entry, Mapping) or "fault" not in entry:
        raise UsageError("a mapping with `fault` is expected")
    values: dict[str, Any] = dict(entry)
    name = values.pop("fault")
    try:
        fault = Fault(name)
    except ValueError:
        raise UsageError(f"there is no fault {name!r}") from None
    for key, value in values.items():
        if key not in RULE_KEYS:
            raise UsageError(f"there is no {key!r}")
        kinds = RULE_KEYS[key]
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise UsageError(f"{key} cannot be {value!r}")
        if isinstance(value, list) and not all(isinstance(call, int) and not isinstance(call, bool) for call in value):
            raise UsageError(f"calls cannot be {value!r}")
    return Rule(fault, **values)


BEHAVIOUR: dict[str, tuple[type, ...]] = {
    "clock": (date,),
    "dtd": (str, int),
    "shuffle": (bool,),
    "limit": (int,),
    "post_limit": (int,),
    "vocabulary": (str,),
    "unknown_phrases": (list,),
    "translations": (dict,),
    "name_unknown_fields": (bool,),
    "rate_limit": (bool,),
    "api_keys": (list,),
    "latency": (int, float),
    "latency_per_id": (int, float),
    "bytes_per_second": (int, float),
    "framing": (str,),
    "gzip": (bool,),
    "url_limit": (int,),
}
"""What else a faults file may set, named as `Sandbox` names it."""


def read_script(path: Path) -> dict[str, Any]:
    """Read a faults file as keyword arguments for `Sandbox`; raises UsageError that names every problem."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: {error}") from error
    if not isinstance(data, Mapping):
        raise UsageError(f"{path}: a mapping is expected, with `rules` or settings of the sandbox")
    problems = []
    arguments: dict[str, Any] = {}
    rules: list[Rule] = []
    for key, value in data.items():
        if key == "rules":
            try:
                rules = _rules(value)
            except UsageError as error:
                problems.append(str(error))
        elif key != "seed" and key not in BEHAVIOUR:
            problems.append(f"there is no setting {key!r}")
        elif not isinstance(value, BEHAVIOUR.get(key, (int,))) or (
            isinstance(value, bool) and bool not in BEHAVIOUR.get(key, ())
        ):
            problems.append(f"{key} cannot be {value!r}")
        elif isinstance(value, int | float) and value < 0:
            problems.append(f"{key} cannot be below 0")
        elif isinstance(value, list) and not all(isinstance(each, str) for each in value):
            problems.append(f"{key}: a list of texts is expected (quote numbers)")
        elif isinstance(value, dict) and not all(isinstance(each, str) for pair in value.items() for each in pair):
            problems.append(f"{key}: texts by texts are expected")
        elif key != "seed":
            arguments[key] = value
    if problems:
        raise UsageError("\n".join(f"{path}: {problem}" for problem in problems))
    if "clock" in arguments:
        arguments["clock"] = SetClock(_moment(arguments["clock"]))
    if "dtd" in arguments:
        arguments["dtd"] = str(arguments["dtd"])
    seed = data.get("seed", 0)
    return {**arguments, "seed": seed, "faults": FaultScript(rules, seed)}


def _moment(value: date) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.combine(value, time(), UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
