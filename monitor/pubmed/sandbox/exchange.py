"""One request and its answer as plain values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit

XML = "text/xml; charset=UTF-8"
JSON = "application/json; charset=UTF-8"
TEXT = "text/plain; charset=UTF-8"
HTML = "text/html; charset=UTF-8"

MAX_ID = 18446744073709551615
"""Largest UID E-utilities accept."""


@dataclass(slots=True)
class Request:
    """What a client asked, as the log keeps it: the API key only as "was there one, and where"."""

    at: datetime
    monotonic: float
    method: str
    path: str
    utility: str
    parameters: dict[str, list[str]]
    """Every parameter but `api_key`, with all its values, from URL and body."""
    has_api_key: bool
    key_in_url: bool
    user_agent: str | None
    content_type: str | None
    body_size: int
    url_size: int
    client: str
    connection: int
    accepts_gzip: bool = False
    status: int | None = None
    fault: str | None = None
    answered: int = 0
    """Bytes of the body that were sent."""
    key: str | None = field(default=None, repr=False)
    """A digest of the key, so that requests with one key can be told together."""

    def get(self, name: str) -> str:
        """Return the first value of a parameter, "" when it is missing."""
        return self.parameters.get(name, [""])[0].strip()

    def number(self, name: str, default: int) -> int:
        """Return a whole number; what is none is ignored, as E-utilities ignore it."""
        text = self.get(name)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else default

    @property
    def tool(self) -> str | None:
        return self.get("tool") or None

    @property
    def email(self) -> str | None:
        return self.get("email") or None

    @property
    def db(self) -> str:
        """The database; PubMed is the default (NBK25499)."""
        return self.get("db") or "pubmed"

    @property
    def json(self) -> bool:
        return self.get("retmode").lower() == "json"

    @property
    def id_groups(self) -> list[list[str]]:
        """Each `id=` with its comma-separated values; elink keeps the groups apart."""
        groups = ([part.strip() for part in value.split(",")] for value in self.parameters.get("id", []))
        return [kept for group in groups if (kept := [part for part in group if part])]

    @property
    def ids(self) -> list[int]:
        """The usable UIDs in order, each once: `00012` is 12; zero, letters and the like are left out."""
        return usable(part for group in self.id_groups for part in group)


def usable(texts: Iterable[str]) -> list[int]:
    """Read UIDs as E-utilities do: numbers from 1 to the maximum, duplicates once."""
    numbers: dict[int, None] = {}
    for text in texts:
        if text.isascii() and text.isdigit() and len(text) <= 40 and 0 < int(text) <= MAX_ID:
            numbers[int(text)] = None
    return list(numbers)


def parse_parameters(target: str, body: bytes) -> tuple[dict[str, list[str]], bool]:
    """Return all parameters of URL and body, and whether a key stands in the URL. Names are case-sensitive."""
    parameters: dict[str, list[str]] = {}
    query = parse_qsl(urlsplit(target).query, keep_blank_values=True)
    form = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
    for name, value in [*query, *form]:
        parameters.setdefault(name, []).append(value)
    return parameters, any(name == "api_key" for name, _ in query)


@dataclass(slots=True)
class Answer:
    """What is to be sent. `records` are the efetch records in `body`, so that faults can cut between two of them."""

    body: bytes
    content_type: str = XML
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    records: list[bytes] = field(default_factory=list)
    pmids: list[int] = field(default_factory=list)
    """Whose `records` they are, one for one."""


def html(status: int, title: str, text: str) -> Answer:
    """Return an error page in the manner of NCBI's front ends."""
    page = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head>\n<body><h1>{title}</h1><p>{text}</p></body></html>\n"
    return Answer(page.encode(), HTML, status)
