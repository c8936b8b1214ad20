"""Who asks: the person behind a token, and what the token may do."""

from __future__ import annotations

from datetime import datetime

from fastapi import Request
from fastapi.responses import Response

from monitor.core.accounts import SCOPES, token_may
from monitor.core.people import Role
from monitor.web.api.adding import Api
from monitor.web.api.answers import answer
from monitor.web.api.shape import Shape
from monitor.web.entering import Program
from monitor.web.site import Site


class Me(Shape):
    """A person; `scopes` is what the token may do today, `topics` what their digest follows."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "id": 3,
                    "address": "curator@lab.example",
                    "name": "Curator",
                    "role": "curator",
                    "created_at": "2026-11-23T08:00:00Z",
                    "scopes": ["read", "screen"],
                    "topics": ["car-nk"],
                }
            ]
        }
    }

    id: int
    address: str
    name: str
    role: Role
    created_at: datetime
    scopes: tuple[str, ...]
    topics: tuple[str, ...]


def add_routes(api: Api, _site: Site) -> None:
    """Add the routes of this module."""

    @api.get("/me", Me, "Who asks.")
    def get_me(request: Request, program: Program) -> Response:
        """Read who you are, and what your token may do.

        A scope includes those before it; what the owner's role of today does not allow is left out.
        """
        person = program.person
        followed = person.subscription.topics if person.subscription is not None else ()
        return answer(
            request,
            Me(
                id=person.id,
                address=person.address,
                name=person.name,
                role=person.role,  # type: ignore[arg-type]
                created_at=person.created_at,
                scopes=tuple(scope for scope in SCOPES if token_may(program.scopes, person.role, scope)),
                topics=tuple(each.topic for each in followed if not each.retired),
            ),
        )
