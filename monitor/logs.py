"""Logging on standard error: for what runs on and on, one line an event, readable on a terminal and JSON elsewhere;
for a command that somebody waits for, warnings as plain sentences."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any
from urllib.parse import quote

import structlog

_SHAPES = re.compile(
    r"(api[_-]?key[\"']?\s*[=:]\s*[\"']?)[^\s&\"',}]+|(://[^/\s:@]*:)[^\s/]+(?=@)|(password=)[^\s&\"',}]+",
    re.IGNORECASE,
)
_SHORTEST = 4
"""Shorter secrets would blank ordinary words; their shapes above still hide them."""
BLANK = "…"


class Redactor:
    """Blanks API keys and passwords, by their shape and by their value, wherever in a text they stand."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        given = {each for each in secrets if len(each) >= _SHORTEST}
        values = sorted(given | {quote(each, safe="") for each in given}, key=len, reverse=True)
        self._values = re.compile("|".join(map(re.escape, values))) if values else None

    def text(self, text: str) -> str:
        if self._values is not None:
            text = self._values.sub(BLANK, text)
        return _SHAPES.sub(lambda found: (found[1] or found[2] or found[3]) + BLANK, text)

    def __call__(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Serve as a structlog processor; values in lists and mappings are reached too."""
        for key in event:
            event[key] = self._value(event[key])
        return event

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self._value(each) for key, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._value(each) for each in value]
        if value is None or isinstance(value, (bool, int, float)):
            return value
        return self.text(str(value))


def _sentence(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
    """Write what happened, and the circumstances behind it."""
    said = str(event.pop("event", ""))
    trouble = event.pop("exception", None)
    around = ", ".join(f"{key} {value}" for key, value in event.items() if key not in ("level", "timestamp"))
    return said + (f" ({around})" if around else "") + (f"\n{trouble}" if trouble else "")


def configure(*, verbose: bool = False, secrets: Iterable[str] = (), waited_for: bool = False) -> None:
    """Send structlog and standard library events the same way; safe to call again.

    `waited_for`: somebody sits before a command that ends; unless `verbose`, only warnings are told, as sentences.
    """
    plain = waited_for and not verbose
    terminal = sys.stderr.isatty()
    # Tracebacks become text before anything is blanked, and the console shows them as they are: a prettier one would
    # print the values of local variables.
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor
    if plain:
        renderer = _sentence
    elif terminal:
        renderer = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    else:
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    redact = Redactor(secrets)
    level = logging.DEBUG if verbose else logging.WARNING if plain else logging.INFO
    structlog.configure(
        processors=[*shared, redact, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("apscheduler", "uvicorn", "alembic", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
