# Needs Python 3.11 or newer and make. Everything else is installed into .venv.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
PYTEST := $(BIN)/python -m pytest
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo run test torture bench bench-large lint format words pictures clean

help:
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# Two stamps: users get what the product needs, developers also get the test tools.
$(VENV)/.installed: pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found." >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.developing: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev
	@touch $@

demo: $(VENV)/.installed ## the whole cycle on invented papers, then web pages (ARGS=--once to exit)
	@$(BIN)/monitor demo $(ARGS)

run: $(VENV)/.installed ## the real thing: SQLite, PubMed, web pages and worker
	@$(BIN)/monitor up $(ARGS)

test: $(VENV)/.developing ## the test suite
	$(PYTEST) -n 2 $(ARGS)

torture: $(VENV)/.developing ## long campaigns: kills, fuzzing, fault matrices
	$(PYTEST) -m torture tests $(ARGS)

bench: $(VENV)/.developing ## measure against peers and limits
	$(BIN)/python -m tests.benchmarks $(ARGS)

bench-large: $(VENV)/.developing ## the same with the large rows
	$(BIN)/python -m tests.benchmarks --large $(ARGS)

words: $(VENV)/.developing ## bring templates/locale up to date with the templates
	$(BIN)/python -m tests.catalogue

pictures: $(VENV)/.developing ## take the README's pictures from the demo (needs Chromium)
	$(BIN)/python docs/pictures/take.py

lint: $(VENV)/.developing ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.developing ## rewrite the code in house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove the virtual environment and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis dist build
