"""Who may enter where: every route and method with the least it takes; what stands not here is closed to all."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Need(StrEnum):
    """The least that it takes to enter; the three roles each include the ones before."""

    NOBODY = "nobody"
    """Open to all: signing in, and what an unguessable link leads to."""
    KEEPER = "keeper"
    """An admin, or whoever works on the machine itself."""
    MEMBER = "member"
    CURATOR = "curator"
    ADMIN = "admin"


class Scope(StrEnum):
    """What a program's token must hold to enter; its owner must hold the role that `core.accounts.SCOPES` names with it."""

    READ = "read"
    SCREEN = "screen"
    ADMIN = "admin"


DOORS: Final[Mapping[str, Mapping[str, Need | Scope]]] = {
    "/sign-in": {"GET": Need.NOBODY, "POST": Need.NOBODY},
    "/forgotten": {"GET": Need.NOBODY, "POST": Need.NOBODY},
    "/link/{token}": {"GET": Need.NOBODY, "POST": Need.NOBODY},
    "/setup/{key}": {"GET": Need.NOBODY, "POST": Need.NOBODY},
    "/setup": {"GET": Need.ADMIN},
    "/setup/mail": {"GET": Need.ADMIN, "POST": Need.ADMIN},
    "/setup/mail/test": {"POST": Need.ADMIN},
    "/setup/pubmed": {"GET": Need.ADMIN, "POST": Need.ADMIN},
    "/setup/topics": {"GET": Need.ADMIN, "POST": Need.ADMIN},
    "/setup/counts": {"GET": Need.ADMIN, "POST": Need.ADMIN},
    "/setup/start": {"POST": Need.ADMIN},
    "/setup/digest": {"GET": Need.ADMIN, "POST": Need.ADMIN},
    "/sign-out": {"POST": Need.MEMBER},
    "/issues/{key}": {"GET": Need.NOBODY},
    "/feeds/{file}": {"GET": Need.NOBODY},
    "/u/{token}": {"GET": Need.NOBODY, "POST": Need.NOBODY},
    "/healthz": {"GET": Need.NOBODY},
    "/robots.txt": {"GET": Need.NOBODY},
    "/static/{mark}/{file:path}": {"GET": Need.NOBODY},
    "/": {"GET": Need.MEMBER},
    "/digests": {"GET": Need.MEMBER},
    "/digests/mine": {"GET": Need.MEMBER},
    "/settings": {"GET": Need.MEMBER, "POST": Need.MEMBER},
    "/settings/language": {"POST": Need.MEMBER},
    "/settings/keys": {"GET": Need.MEMBER, "POST": Need.MEMBER},
    "/settings/digest": {"GET": Need.MEMBER, "POST": Need.MEMBER},
    "/settings/digest/stop": {"POST": Need.MEMBER},
    "/settings/feeds": {"GET": Need.MEMBER},
    "/settings/account": {"GET": Need.MEMBER},
    "/settings/account/password": {"POST": Need.MEMBER},
    "/settings/account/sessions": {"POST": Need.MEMBER},
    "/settings/account/tokens": {"POST": Need.MEMBER},
    "/settings/account/tokens/revoke": {"POST": Need.MEMBER},
    "/settings/data": {"GET": Need.MEMBER},
    "/settings/data/export": {"GET": Need.MEMBER},
    "/settings/leave": {"POST": Need.MEMBER},
    "/admin/digests": {"GET": Need.ADMIN},
    "/admin/digests/letter": {"GET": Need.ADMIN},
    "/admin/digests/test": {"POST": Need.ADMIN},
    "/admin/digests/outbox": {"GET": Need.ADMIN},
    "/admin/digests/outbox/{number}": {"GET": Need.ADMIN},
    "/admin/digests/outbox/{number}/hurry": {"POST": Need.ADMIN},
    "/admin/digests/addresses": {"GET": Need.ADMIN},
    "/admin/digests/addresses/pause": {"POST": Need.ADMIN},
    "/admin/digests/addresses/lift": {"POST": Need.ADMIN},
    "/papers": {"GET": Need.MEMBER},
    "/papers/export": {"GET": Need.MEMBER},
    "/papers/fetch": {"POST": Need.CURATOR},
    "/papers/{pmid}": {"GET": Need.MEMBER},
    "/papers/{pmid}/mark": {"POST": Need.MEMBER},
    "/integrity": {"GET": Need.MEMBER},
    "/integrity/export": {"GET": Need.MEMBER},
    "/searches": {"GET": Need.MEMBER, "POST": Need.MEMBER},
    "/searches/{number}/rename": {"POST": Need.MEMBER},
    "/searches/{number}/forget": {"POST": Need.MEMBER},
    "/admin/people": {"GET": Need.ADMIN, "POST": Need.ADMIN},
    "/admin/people/{person}": {"GET": Need.ADMIN, "POST": Need.ADMIN},
    "/admin/people/{person}/link": {"POST": Need.ADMIN},
    "/admin/people/{person}/disable": {"POST": Need.ADMIN},
    "/admin/people/{person}/enable": {"POST": Need.ADMIN},
    "/admin/log": {"GET": Need.ADMIN},
    "/admin/log/export": {"GET": Need.ADMIN},
    "/admin/vocabulary": {"GET": Need.ADMIN},
    "/admin/vocabulary/noisy": {"GET": Need.ADMIN},
    "/admin/vocabulary/{kind}/edit": {"GET": Need.ADMIN},
    "/admin/vocabulary/{kind}/try": {"POST": Need.ADMIN},
    "/admin/vocabulary/{kind}/save": {"POST": Need.ADMIN},
    "/admin/vocabulary/{kind}/restore": {"POST": Need.ADMIN},
    "/admin/vocabulary/{kind}/history": {"GET": Need.ADMIN},
    "/admin/vocabulary/{kind}/history/{number}": {"GET": Need.ADMIN},
    "/admin/searches": {"GET": Need.ADMIN},
    "/admin/searches/_new": {"GET": Need.ADMIN, "POST": Need.ADMIN},
    "/admin/searches/_files": {"GET": Need.ADMIN, "POST": Need.ADMIN},
    "/admin/searches/_export": {"GET": Need.ADMIN},
    "/admin/searches/{topic}": {"GET": Need.ADMIN, "POST": Need.ADMIN},
    "/admin/searches/{topic}/live": {"POST": Need.ADMIN},
    "/admin/searches/{topic}/move": {"POST": Need.ADMIN},
    "/admin/searches/{topic}/retire": {"POST": Need.ADMIN},
    "/admin/searches/{topic}/return": {"POST": Need.ADMIN},
    "/admin/searches/{topic}/screening": {"POST": Need.ADMIN},
    "/admin/searches/{topic}/history": {"GET": Need.ADMIN},
    "/admin/searches/{topic}/restore": {"POST": Need.ADMIN},
    "/admin/searches/{topic}/suggestions": {"GET": Need.ADMIN},
    "/admin/runs": {"GET": Need.ADMIN, "POST": Need.ADMIN},
    "/admin/runs/{number}": {"GET": Need.ADMIN},
    "/health": {"GET": Need.KEEPER},
    "/queue": {"GET": Need.CURATOR},
    "/queue/rows": {"GET": Need.CURATOR},
    "/queue/bulk": {"GET": Need.CURATOR, "POST": Need.CURATOR},
    "/queue/undo": {"POST": Need.CURATOR},
    "/queue/redo": {"POST": Need.CURATOR},
    "/queue/highlights": {"POST": Need.CURATOR},
    "/queue/{pmid}": {"GET": Need.CURATOR, "POST": Need.CURATOR},
    "/queue/{pmid}/reading": {"POST": Need.CURATOR},
    "/queue/{pmid}/note": {"POST": Need.CURATOR},
    "/queue/{pmid}/acknowledge": {"POST": Need.CURATOR},
    "/me": {"GET": Need.CURATOR},
    "/me/steps/{step_id}/undo": {"POST": Need.CURATOR},
    "/votes": {"GET": Need.CURATOR},
    "/votes/topics": {"POST": Need.ADMIN},
    "/api": {"GET": Need.MEMBER},
    "/api/v1/openapi.json": {"GET": Need.NOBODY},
    "/api/v1/me": {"GET": Scope.READ},
    "/api/v1/citations": {"GET": Scope.READ},
    "/api/v1/citations/{pmid}": {"GET": Scope.READ},
    "/api/v1/citations/{pmid}/decision": {"GET": Scope.READ, "DELETE": Scope.SCREEN},
    "/api/v1/citations/{pmid}/tags/{tag:path}": {"DELETE": Scope.SCREEN},
    "/api/v1/facets": {"GET": Scope.READ},
    "/api/v1/decisions": {"POST": Scope.SCREEN},
    "/api/v1/tags": {"POST": Scope.SCREEN},
    "/api/v1/steps": {"GET": Scope.SCREEN},
    "/api/v1/steps/{number}": {"DELETE": Scope.SCREEN},
    "/api/v1/topics": {"GET": Scope.READ},
    "/api/v1/topics/{topic}": {"GET": Scope.READ},
    "/api/v1/polls": {"GET": Scope.ADMIN},
    "/api/v1/polls/{number}": {"GET": Scope.ADMIN},
    "/api/v1/issues": {"GET": Scope.READ},
    "/api/v1/issues/{key}": {"GET": Scope.READ},
}


def need(path: str, method: str) -> Need | Scope | None:
    """Return what a route asks of who uses it with that method; None where nobody may. HEAD is GET without the body.

    People come with a session and are asked for a role, programs with a token and are asked for a scope.
    """
    return DOORS.get(path, {}).get("GET" if method == "HEAD" else method)
