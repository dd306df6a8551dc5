# Everything runs from a fresh clone; the first target that needs it makes the virtual environment.
# QUICK=1 gives the short form of targets that run long.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
QUICK ?=

export QUICK

# Tests start Python hundreds of times; without this each time would compile everything.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint bench registries simulate interop matrix plugin hostile chaos failback fuzz clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml
	@echo "setting up $(VENV) …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0])'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "python3-venv is missing: apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

setup: $(READY) ## make the virtual environment

demo: $(READY) ## start the gateway and call demo.Catalog over every protocol and every bridge
	@$(BIN)/polyport demo conf/demo.yaml

test: $(READY) ## all tests; what they need (Java, Node, Go, browsers, …) is installed through apt when root
	@$(BIN)/python -m tests.run

lint: $(READY) ## ruff and mypy --strict
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

$(VENV)/.bench: $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@

bench: $(VENV)/.bench ## measure against the floors in one run; QUICK=1 for a short one
	@$(BIN)/python -m bench.run; first=$$?; $(BIN)/python -m bench.short_connections; second=$$?; \
	  $(BIN)/python -m bench.one_port && exit $$((first | second))

registries: $(READY) ## registries with 50,000 providers, restarts, and changes that must be seen soon; QUICK=1 one round
	@$(BIN)/python -m bench.registries

simulate: $(VENV)/.bench ## providers by the hundred on a fake clock through real balancers and modes; plots in .cache/cluster
	@$(BIN)/python -m bench.cluster

interop: $(READY) ## real peers in both directions; QUICK=1 makes one call per peer
	@$(BIN)/python -m tests.interop.run

matrix: $(READY) ## every value from every protocol through the gateway to every protocol; a page, JSON, Markdown in .cache/matrix
	@$(BIN)/python -m tests.matrix.run

plugin: $(READY) ## somebody else's wire: built, installed, served, called, and guarded against a namesake
	@$(BIN)/python -m pytest -q tests/plugin

hostile: $(READY) ## hostile inputs, 10,000 repeats each; QUICK=1 for 200
	@POLYPORT_REPEATS=$(if $(QUICK),200,10000) $(BIN)/python -m pytest -q tests/hostile --timeout 3600

chaos: $(READY) ## kill, pause, cut and overload running processes and count every call; QUICK=1 for moments each
	@$(BIN)/python -m tests.chaos.run

failback: $(READY) ## kill -9 what keeps calls and what sends them again, 100,000 calls; QUICK=1 for 10,000
	@$(BIN)/python -m tests.failback.run

fuzz: $(READY) ## random and mutated input into every decoder; QUICK=1 for a short run
	@$(BIN)/python -m tests.fuzz.run

clean: ## remove what the other targets made
	@rm -rf $(VENV) .cache build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis bench/.build
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
