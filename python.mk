# The Python of this project: which one makes .venv, and how. The learners' Makefile has it, too.

PYTHON    ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
               command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3,11) <= sys.version_info < (3,14))' 2>/dev/null \
               && { echo $$p; break; }; done)
VENV      := .venv
BIN       := $(VENV)/bin
READY     := $(VENV)/.ready
TESTFLAGS ?=
JOBS      ?= 2

.DEFAULT_GOAL := help

help:            ## this list
	@grep -hE '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## */  make \1\t/' | expand -t 14

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "This needs Python 3.11, 3.12 or 3.13 and found none. Debian: apt install python3 python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python cannot make a virtual environment. Debian: apt install python3-venv"; exit 1; }
	@echo "Installing into $(VENV) (about half a minute, once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-compile --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)
