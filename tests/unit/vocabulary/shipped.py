"""The vocabulary and the level rules that ship with us, read once a test process."""

from __future__ import annotations

from functools import cache

import yaml

from monitor.core.grading import Rules, read_rules
from monitor.core.vocabulary import Vocabulary, read_vocabulary
from monitor.resources import resource_dir


@cache
def vocabulary() -> Vocabulary:
    return read_vocabulary(yaml.safe_load((resource_dir("db") / "seed" / "vocabulary.yaml").read_text("utf-8")))


@cache
def rules() -> Rules:
    return read_rules(yaml.safe_load((resource_dir("db") / "seed" / "levels.yaml").read_text("utf-8")))
