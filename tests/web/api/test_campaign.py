"""Every request that the description allows, and many that it does not: no fault, no status or shape that it does not name."""

from __future__ import annotations

import copy
from typing import Any

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from monitor.core.accounts import SCOPES
from monitor.web.doors import DOORS, Scope
from tests.web.api.conforming import Description
from tests.web.desk import URL
from tests.web.members import Collection

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
ROUTES = [
    (path.replace(":path", ""), method)
    for path, methods in DOORS.items()
    for method, scope in methods.items()
    if isinstance(scope, Scope)
]
CAMPAIGNS = [
    (path, method, mode)
    for path, method in ROUTES
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    if (path, mode) != ("/api/v1/me", GenerationMode.NEGATIVE)  # it takes nothing that could be wrong
]


@pytest.fixture(scope="module")
def schema(held: Collection, described: Description) -> BaseSchema:
    found = schemathesis.openapi.from_dict(copy.deepcopy(described.document))
    found.app = held.place.app
    return found


@pytest.fixture(scope="module")
def tokens(held: Collection) -> dict[str, str]:
    return {scope: held.place.token(role, scope) for scope, role in SCOPES.items()}


@pytest.mark.parametrize(("path", "method", "mode"), CAMPAIGNS, ids=lambda each: str(each))
@pytest.mark.parametrize("examples", [12, pytest.param(300, marks=pytest.mark.torture)])
def test_every_answer_is_one_that_the_description_names(
    held: Collection,
    schema: BaseSchema,
    described: Description,
    tokens: dict[str, str],
    path: str,
    method: str,
    mode: GenerationMode,
    examples: int,
) -> None:
    operation = schema[path][method]
    # The token is the campaign's to say, not the generator's: one of each scope, and one that nobody gave out.
    cases: st.SearchStrategy[Case] = st.one_of(
        operation.as_strategy(generation_mode=mode, headers={"Authorization": f"Bearer {token}"})
        for token in (*tokens.values(), "em_unknown")
    )
    there = known(held)

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=cases, real=st.booleans())
    def campaign(case: Case, real: bool) -> None:
        if real and mode is GenerationMode.POSITIVE:
            named(case, there)
        response = case.call(base_url=URL)
        case.validate_response(response, checks=CHECKS)
        kind = response.headers.get("content-type", [""])[0]
        described.holds(path, method, response.status_code, kind, response.content)

    campaign()


@pytest.mark.parametrize("spoiled", ["status", "shape", "member"])
def test_an_answer_that_is_not_described_is_noticed(held: Collection, tokens: dict[str, str], spoiled: str) -> None:
    described = Description(held.place)
    document = described.document
    if spoiled == "status":
        del document["paths"]["/api/v1/me"]["get"]["responses"]["200"]
    elif spoiled == "shape":
        document["components"]["schemas"]["Me"]["properties"]["id"] = {"type": "string"}
    else:
        del document["components"]["schemas"]["Me"]["properties"]["scopes"]
    schema = schemathesis.openapi.from_dict(copy.deepcopy(document))
    schema.app = held.place.app
    case = schema["/api/v1/me"]["GET"].Case(headers={"Authorization": f"Bearer {tokens['read']}"})
    answer = case.call(base_url=URL)
    if spoiled != "member":  # which Schemathesis lets pass
        with pytest.raises(FailureGroup):
            case.validate_response(answer, checks=CHECKS)
    with pytest.raises((AssertionError, jsonschema.ValidationError)):
        described.holds("/api/v1/me", "GET", 200, "application/json", answer.content)


def known(held: Collection) -> dict[str, Any]:
    client = held.place.program("admin", "admin")
    return {
        "pmid": held.plain[0],
        "topic": "car-nk",
        "tag": "crs/absent",
        "key": client.get("/api/v1/issues").json()["items"][0]["key"],
        "number": 1,
    }


def named(case: Case, there: dict[str, Any]) -> None:
    """Put what there is in the place of what was made up."""
    for name in list(case.path_parameters):
        case.path_parameters[name] = there[name]
    if isinstance(case.body, dict):
        case.body["pmids"] = [there["pmid"]]
        if case.body.get("verdict") == "keep":
            case.body["topics"] = [there["topic"]]
        if case.body.get("expected") is not None:
            case.body["expected"] = {str(there["pmid"]): None}
