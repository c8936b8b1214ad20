"""Every command, registered by importing where it stands."""

from monitor.cli import (
    keeping,
    library,
    people,
    proof,
    running,
    screening,
    search,
    topicedits,
    topicfiles,
    topics,
    trials,
)
from monitor.cli.frame import app

__all__ = [
    "app",
    "keeping",
    "library",
    "people",
    "proof",
    "running",
    "screening",
    "search",
    "topicedits",
    "topicfiles",
    "topics",
    "trials",
]
