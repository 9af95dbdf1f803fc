# One entry for people and for CI. The environment lives in .venv and holds exactly what requirements.lock says.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.set-up
PYTHON ?= python3
# Plain pip is used where uv is missing, or when asked for: make setup UV=
UV := $(shell command -v uv 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all storm lint format bench stubs lock clean

help:  ## what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

setup: $(STAMP)  ## build .venv from requirements.lock and install the project into it, editable

$(STAMP): requirements.lock pyproject.toml
ifneq ($(UV),)
	test -x $(BIN)/python || $(UV) venv --python ">=3.11,<3.14" $(VENV)
	$(UV) pip install --python $(BIN)/python --require-hashes -r requirements.lock
	$(UV) pip install --python $(BIN)/python --no-deps --no-build-isolation --editable .
else
	$(PYTHON) -c 'import sys; (3, 11) <= sys.version_info < (3, 14) or sys.exit("NowThen needs Python 3.11 to 3.13, and $(PYTHON) is " + sys.version.split()[0] + ". Say which: make setup PYTHON=python3.11")'
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --no-deps --no-build-isolation --editable .
endif
	touch $@

demo: $(STAMP)  ## fraud from raw transactions to served decisions, in under two minutes
	$(BIN)/python examples/fraud/demo.py $(ARGS)

test: $(STAMP)  ## everything but what is marked slow; make test ARGS="-k window"
	$(BIN)/python -m pytest -m "not slow and not fault and not scale" $(ARGS)

test-all: $(STAMP)  ## every test
	$(BIN)/python -m pytest $(ARGS)

storm: $(STAMP)  ## the store under 1,000 kills, 200 corruptions and 2,000 runs against a model: an hour or two
	NOWTHEN_KILLS=1000 NOWTHEN_CORRUPTIONS=200 NOWTHEN_RUNS=2000 $(BIN)/python -m pytest tests/store/storm --log-cli-level=INFO $(ARGS)

lint: $(STAMP)  ## ruff, mypy and the walls between the folders
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP)  ## let ruff sort and lay out
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP)  ## the fraud features with every engine, compared
	$(BIN)/python benchmarks/fraud.py $(ARGS)

stubs: $(STAMP)  ## write the types of the registered operators, for editors
	$(BIN)/python -m nowthen.engine.language.stubs

lock:  ## resolve requirements.lock anew from pyproject.toml (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra dev --extra demo --extra bench --output-file requirements.lock $(ARGS) pyproject.toml

clean:  ## remove what make made
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
