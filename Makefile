# Everything that this project does, by name. `make help` lists it.
# Two commands set up a fresh machine: `make lab` and `make test`. Both make .venv first, from the lock.

include python.mk

.PHONY: help lab teach test soak lint format labs lock wheels bench images clean

lab: $(READY)    ## open JupyterLab on your own copy of the notebooks (in work/)
	@$(BIN)/workbench lab

teach: $(READY)  ## open JupyterLab as an instructor, with a sample class to grade
	@$(BIN)/workbench teach

test: $(READY)   ## run the tests
	@$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder $(TESTFLAGS)

soak: $(READY)   ## what the tests do once, on more seeds, codes, learners and services: before a release
	@$(BIN)/python -m pytest -m soak -n $(JOBS) --dist loadfile $(TESTFLAGS)

lint: $(READY)   ## style and types
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

format: $(READY) ## rewrite the code in the house style
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

labs: $(READY)   ## release grading/source into labs (never edit labs by hand)
	@$(BIN)/python -m workbench.release

lock: $(READY)   ## resolve pyproject's dependencies again into requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-strip-extras --no-emit-index-url --no-header --quiet --upgrade -o requirements.lock
	@$(BIN)/uv pip compile --group app --constraint requirements.lock --python-version 3.11 --python-platform linux \
	  --generate-hashes --no-strip-extras --no-emit-index-url --no-header --quiet -o compose/app/requirements.lock
	@grading/hub/lock

wheels: $(READY) ## ask the package index for a wheel of every locked package on every system that we promise
	@$(BIN)/python tests/wheels.py

bench: $(READY)  ## run the benchmarks into tests/bench/results
	@for b in tests/bench/bench_*.py; do $(BIN)/python $$b || exit 1; done

images:          ## build or fetch the container images of compose/ (needs a Docker engine)
	@compose/images

clean:           ## remove what can be made again (never work/)
	rm -rf $(VENV) .mypy_cache .ruff_cache dist
