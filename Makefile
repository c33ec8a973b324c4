# `make layer` and `make test` need nothing but Python 3.11 or newer, and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# locks that come with layerkit name the public index's files, whatever mirror this machine has
INDEX_SETTINGS := $(shell env | sed -nE 's/^((PIP|UV|LAYERKIT)_[A-Z_]*(INDEX|FIND_LINKS)[A-Z_]*)=.*/\1/p')
PUBLIC := env $(addprefix -u ,$(INDEX_SETTINGS)) PIP_CONFIG_FILE=/dev/null UV_NO_CONFIG=1

.DEFAULT_GOAL := help
.PHONY: help layer dev fmt lint type test test-engine bench prove recipes docs check clean

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

prove: $(STAMP)  ## Build all recipes and run their examples, under every interpreter at hand
	$(BIN)/layerkit invoke recipes/

recipes: $(STAMP)  ## Lock all recipes anew, measure them, write the catalogue
	$(PUBLIC) $(BIN)/layerkit lock --all recipes/ --upgrade
	$(BIN)/python docs/catalogue.py

docs: $(STAMP)  ## Write the generated reference pages
	$(BIN)/python docs/generate.py

check: lint type  ## What CI runs, besides the tests
	$(BIN)/python docs/generate.py --check
	$(BIN)/python docs/catalogue.py --check
	$(MAKE) test

clean:  ## Remove what the other targets made
	rm -rf $(VENV) dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis
