# Everything that this project does, by name. `make help` lists it.
# Two commands set up a fresh machine: `make lab` and `make test`. Both make .venv first, from the lock.

PYTHON    ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
               command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3,11) <= sys.version_info < (3,14))' 2>/dev/null \
               && { echo $$p; break; }; done)
VENV      := .venv
BIN       := $(VENV)/bin
READY     := $(VENV)/.ready
TESTFLAGS ?=

.DEFAULT_GOAL := help
.PHONY: help lab teach test lint format labs lock wheels bench clean

help:            ## this list
	@grep -hE '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## */  make \1\t/' | expand -t 14

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "This needs Python 3.11, 3.12 or 3.13 and found none. Debian: apt install python3 python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python cannot make a virtual environment. Debian: apt install python3-venv"; exit 1; }
	@echo "Installing into $(VENV) (about half a minute, once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

lab: $(READY)    ## open JupyterLab on your own copy of the notebooks (in work/)
	@$(BIN)/workbench lab

teach: $(READY)  ## open JupyterLab as an instructor, with a sample class to grade
	@$(BIN)/workbench teach

test: $(READY)   ## run the tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(TESTFLAGS)

lint: $(READY)   ## style and types
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

format: $(READY) ## rewrite the code in the house style
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

labs: $(READY)   ## release grading/source into labs (never edit labs by hand)
	@$(BIN)/python -m workbench.release

lock: $(READY)   ## resolve pyproject's dependencies again into requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header --quiet --upgrade -o requirements.lock

wheels: $(READY) ## ask the package index for a wheel of every locked package on every system that we promise
	@$(BIN)/python tests/wheels.py

bench: $(READY)  ## run the benchmarks into tests/bench/results
	@for b in tests/bench/bench_*.py; do $(BIN)/python $$b || exit 1; done

clean:           ## remove what can be made again (never work/)
	rm -rf $(VENV) .mypy_cache .ruff_cache dist
