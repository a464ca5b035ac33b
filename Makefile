# Two commands on a fresh machine with Python 3.11+, git and make: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV_VERSION := 0.13.8
READY := $(VENV)/.ready
JOBS ?= 2
TESTS ?=

.DEFAULT_GOAL := help
.PHONY: help setup web demo test check format bench docs sim peers screens lock wheel clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' Makefile | expand -t 12

setup: $(READY) web  ## make .venv, sync the locked packages, build the browser side; a second run is quick

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Commonwatt needs Python 3.11 or later; name one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(READY): $(BIN)/uv locks/dev.txt pyproject.toml
	$(BIN)/uv pip sync --quiet --require-hashes --python $(BIN)/python locks/dev.txt
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --python $(BIN)/python --editable .
	@touch $@

web: $(READY)
	@$(BIN)/python web/build.py

demo: setup  ## run a small town: stations, cars, a sandbox wallet; Ctrl-C stops, the next start goes on
	@$(BIN)/commonwatt demo || test $$? -eq 130

test: setup  ## run the tests; those whose peer is missing say so (make peers, Debian's chromium)
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(TESTS)

check: setup  ## lint, types, import contracts, tidy, docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/tidy
	$(BIN)/python docs/build.py

format: setup  ## put the code into its form, and bring the generated pages of docs/ up to date
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python docs/generate.py

docs: setup  ## build the documentation into build/docs
	$(BIN)/python docs/build.py

bench: setup  ## measure, print ratios, and keep them in bench/RESULTS.md
	$(BIN)/python -m bench

sim: setup  ## run thousands of simulated worlds; SEEDS=first-last chooses
	$(BIN)/python -m sim $(SEEDS)

peers: setup  ## build the real peers once: lnd, btcd, and the npm test partners
	$(BIN)/python -m tests.peers.build

screens: setup  ## take a picture of every page into build/screens
	$(BIN)/python -m pytest -q -m browser tests/e2e

lock:  ## resolve the dependencies anew and write locks/ with hashes
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-header --quiet -o locks/dev.txt
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header --quiet -c locks/dev.txt -o locks/run.txt

wheel: setup  ## build the wheel with everything in it into dist/
	@rm -rf dist
	$(BIN)/python -m build --wheel --no-isolation --outdir dist

clean:  ## remove what was built, not the data
	rm -rf build dist $(VENV) web/node_modules src/commonwatt/kit/pages/static/built
