"""Every command, registered by importing where it stands."""

from monitor.cli import keeping, library, people, running, screening, topics
from monitor.cli.frame import app

__all__ = ["app", "keeping", "library", "people", "running", "screening", "topics"]
