"""Answers held against the description of the API, to the last member: nothing else may stand in them."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import jsonschema
from starlette.testclient import TestClient

from tests.web.desk import Desk

DOCUMENT = "/api/v1/openapi.json"


class Description:
    """The OpenAPI document of an installation, ready to be held against answers."""

    def __init__(self, place: Desk) -> None:
        self.document: dict[str, Any] = place.client().get(DOCUMENT).json()
        self._paths = [(re.compile(pattern(path)), path) for path in sorted(self.document["paths"], key=len)]
        self.validator = cache(self._validator)

    def path(self, address: str) -> str | None:
        """Return the template that an address is of."""
        return next((path for found, path in self._paths if found.fullmatch(address.partition("?")[0])), None)

    def holds(self, path: str, method: str, status: int, content_type: str, body: bytes) -> None:
        """Assert that an answer is one that the document names."""
        responses = self.document["paths"][path][method.lower()]["responses"]
        assert str(status) in responses, (method, path, status)
        content = responses[str(status)].get("content")
        if content is None:
            assert body == b""
            return
        assert content_type in content, (method, path, status, content_type)
        self.validator(path, method.lower(), str(status), content_type).validate(json.loads(body))

    def _validator(self, path: str, method: str, status: str, content_type: str) -> Any:
        schema = self.document["paths"][path][method]["responses"][status]["content"][content_type]["schema"]
        whole = {**schema, "components": self.document["components"]}
        return jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker())


class Program:
    """A program with a token, whose every answer is held against the description."""

    def __init__(self, place: Desk, described: Description, role: str | None, *scopes: str) -> None:
        self._client: TestClient = place.program(role, *scopes) if role is not None else place.client()
        self._described = described

    def ask(self, method: str, address: str, **how: Any) -> Any:
        """Send a request below /api/v1; returns the response."""
        answer = self._client.request(method, f"/api/v1{address}", **how)
        path = self._described.path(f"/api/v1{address}")
        assert path is not None, address
        self._described.holds(path, method, answer.status_code, answer.headers.get("content-type", ""), answer.content)
        return answer

    def get(self, address: str, **how: Any) -> Any:
        return self.ask("GET", address, **how)

    def post(self, address: str, body: Any) -> Any:
        return self.ask("POST", address, json=body)

    def delete(self, address: str, **how: Any) -> Any:
        return self.ask("DELETE", address, **how)


def pattern(path: str) -> str:
    """Return what addresses of a path match; a tag may hold a slash."""
    return re.sub(r"\\{(\w+)\\}", lambda found: ".+" if found[1] == "tag" else "[^/]+", re.escape(path))
