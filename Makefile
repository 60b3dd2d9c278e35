# Everything installs into .venv; Python 3.11+ and make are all a machine needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: lab test lint unit differential reality screenshots bench soak clean

lab: $(VENV)/.lab  ## start the dashboard
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN)/lablb; else \
	  echo "There is no terminal here for the dashboard, so: lablb run -n 1000" >&2; $(BIN)/lablb run -n 1000; fi

test: $(VENV)/.test  ## lint, types and the whole test suite
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -m 'not clock' -n 4 --dist worksteal  # many mostly wait for processes
	$(BIN)/python -m pytest -q -m clock  # by themselves: a busy machine has another sense of time

lint: $(VENV)/.test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/mypy

unit: $(VENV)/.test
	$(BIN)/python -m pytest -n 4 tests/unit tests/tui

SECONDS ?= 600
differential: $(VENV)/.test  ## hold the models of how nginx picks to the real one, with new seeds, for SECONDS
	$(BIN)/python -m tests.differential --seconds $(SECONDS)

reality: $(VENV)/.test  ## hold the simulation of each scenario to the real run; about seven minutes
	$(BIN)/python -m tests.reality

screenshots: $(VENV)/.test  ## make screenshots/*.svg from the running lab
	$(BIN)/python screenshots/make.py

bench: $(VENV)/.test  ## ratios against wrk, hey and httpx where they are installed; about half an hour
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m bench

soak: $(VENV)/.test  ## what must hold, a hundred times over; about twenty minutes
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m tests.soak

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis dist

$(VENV)/.lab: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "lablb needs Python 3.11 or newer; $(PYTHON) is older: make PYTHON=python3.11 lab" >&2; exit 3; }
	@echo "Installing lablb into $(VENV), once ..." >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.lab
	@echo "Installing the test tools into $(VENV), once ..." >&2
	@$(PIP) install --editable '.[test]'
	@touch $@
