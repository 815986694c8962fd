# The Python of this project: which one makes .venv, and how. The learners' Makefile has it, too.

PYTHON    ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
               command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3,11) <= sys.version_info < (3,14))' 2>/dev/null \
               && { echo $$p; break; }; done)
VENV      := .venv
BIN       := $(VENV)/bin
READY     := $(VENV)/.ready
TESTFLAGS ?=
JOBS      ?= 2

PIP       := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps
# uv takes a quarter of pip's time. It reads none of pip's settings but the index: where it does not get through, pip goes on.
WITH_UV    = sed -n '/^uv==/,/[^\\]$$/p' requirements.lock >$(VENV)/uv.lock && $(PIP) --require-hashes -r $(VENV)/uv.lock \
               && index=$${PIP_INDEX_URL:-$$($(BIN)/python -m pip config get global.index-url)}; \
               env $${index:+UV_DEFAULT_INDEX=$$index} $(BIN)/uv pip install --quiet --system-certs --python $(BIN)/python \
                 --no-deps --require-hashes -r requirements.lock

.DEFAULT_GOAL := help

help:            ## this list
	@grep -hE '^[a-z]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## */  make \1\t/' | expand -t 14

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "This needs Python 3.11, 3.12 or 3.13 and found none. Debian: apt install python3 python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python cannot make a virtual environment. Debian: apt install python3-venv"; exit 1; }
	@echo "Installing into $(VENV) (ten seconds to half a minute, once) ..."
	@{ $(WITH_UV); } 2>/dev/null || $(PIP) --no-compile --require-hashes -r requirements.lock
	@$(PIP) --no-build-isolation -e .
	@touch $(READY)
