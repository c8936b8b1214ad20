"""The pages, one module a noun; each adds its routes to the application and keeps the framework inside."""

from monitor.web.views import account, digests, health, integrity, paper, papers, public, saved, settings, studio, week

VIEWS = (public, account, health, week, papers, paper, integrity, saved, digests, settings, studio)
