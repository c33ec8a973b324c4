# `make layer` and `make test` need nothing but Python 3.11 or newer, and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help layer dev fmt lint type test test-engine bench docs check clean

help:  ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $(STAMP)

dev: $(STAMP)  ## Set up the environment in .venv

layer: $(STAMP)  ## Build a requests layer into dist/
	$(BIN)/layerkit build recipes/requests --runtime python3.13 --arch x86_64

fmt: $(STAMP)  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(STAMP)  ## Check style
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

type: $(STAMP)  ## Check types
	$(BIN)/mypy

test: $(STAMP)  ## Run the tests
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not engine"

test-engine: $(STAMP)  ## Run the tests that need a container engine, and bring one up
	engine=$$(.ci/engine) && eval "$$engine" && $(BIN)/python -m pytest -m engine

bench: $(STAMP)  ## Measure against pip, uv and zip
	$(BIN)/python tests/bench.py

docs: $(STAMP)  ## Write the generated reference pages
	$(BIN)/python docs/generate.py

check: lint type  ## What CI runs, besides the tests
	$(BIN)/python docs/generate.py --check
	$(MAKE) test

clean:  ## Remove what the other targets made
	rm -rf $(VENV) dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis
