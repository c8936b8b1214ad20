"""The pages, one module a noun; each adds its routes to the application and keeps the framework inside."""

from monitor.web.views import (
    account,
    digests,
    health,
    integrity,
    log,
    myaccount,
    paper,
    papers,
    people,
    public,
    queue,
    saved,
    settings,
    studio,
    vocabulary,
    week,
)

VIEWS = (
    public,
    account,
    myaccount,
    health,
    week,
    papers,
    paper,
    integrity,
    saved,
    digests,
    settings,
    studio,
    queue,
    people,
    log,
    vocabulary,
)
