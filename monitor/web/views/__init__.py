"""The pages, one module a noun; each adds its routes to the application and keeps the framework inside."""

from monitor.web.views import account, health, public, week

VIEWS = (public, account, health, week)
