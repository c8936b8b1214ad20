"""The JSON Schema of one line of `export --format jsonl`, made from the types themselves."""

from __future__ import annotations

import inspect
import json
import typing
from typing import Any

from monitor.core.citation import Citation, InlineXml
from monitor.formats import jsonl

_IDENTITY = "https://json-schema.org/draft/2020-12/schema"


def citation_schema() -> dict[str, Any]:
    """Describe a citation object in JSON Schema, draft 2020-12."""
    definitions: dict[str, Any] = {}
    _define(Citation, definitions)
    top = definitions.pop("Citation")
    title = {"$schema": _IDENTITY, "title": "Citation"}
    inline = {
        "type": "string",
        "description": "Well-formed inner XML: text with &, < and > escaped, b i u sup sub, MathML.",
    }
    return {**title, **top, "$defs": {"InlineXml": inline, **dict(sorted(definitions.items()))}}


def schema_text() -> str:
    """The text of `docs/citation.schema.json`."""
    return json.dumps(citation_schema(), indent=2, ensure_ascii=False) + "\n"


def _define(kind: Any, definitions: dict[str, Any]) -> None:
    if kind.__name__ in definitions:
        return
    schema: dict[str, Any] = {"type": "object"}
    definitions[kind.__name__] = schema
    about = inspect.getdoc(kind) or ""
    if about and not about.startswith(f"{kind.__name__}("):
        schema["description"] = about.split("\n\n", maxsplit=1)[0].replace("\n", " ")
    schema["additionalProperties"] = False
    schema["properties"] = {name: _describe(hint, definitions) for name, hint, _ in jsonl.members(kind)}
    needed = [name for name, _, must in jsonl.members(kind) if must]
    if needed:
        schema["required"] = needed


def _describe(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if typing.get_origin(hint) is tuple:
        return {"type": "array", "items": _describe(jsonl.inner(hint), definitions)}
    kind = jsonl.inner(hint)
    if kind is InlineXml:
        return {"$ref": "#/$defs/InlineXml"}
    if jsonl.is_leaf(kind):
        return {"type": {str: "string", int: "integer", bool: "boolean"}[kind]}
    _define(kind, definitions)
    return {"$ref": f"#/$defs/{kind.__name__}"}
