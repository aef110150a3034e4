# Everything a developer or a new user does with Moorage. `make` alone lists it.
# Each target makes its own environment in .venv first (tools/setup.sh); the second time that is a glance at one file.

.DEFAULT_GOAL := help
SHELL := /bin/sh
STAMP := .venv/.installed
BIN := .venv/bin

.PHONY: help install demo test check fmt bench lock

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

install: $(STAMP) ## Make .venv with the locked dependencies and Moorage in it

demo: $(STAMP) ## Train, deploy and invoke the iris forest through the real AWS API, then clean up
	@$(BIN)/python examples/iris_demo.py

test: $(STAMP) ## Run all tests: unit, contract, simulation, compat, e2e, docs
	@echo "==> Running the tests (ARGS='-k name' narrows them)"
	@$(BIN)/python -m pytest $(ARGS)

check: $(STAMP) ## Formatting, lint, types and the layer rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	# What instances run travels into environments of older Pythons.
	$(BIN)/mypy --python-version 3.10 src/moorage/runtime src/moorage/wire
	$(BIN)/lint-imports

fmt: $(STAMP) ## Format the code and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP) ## Run every benchmark of bench/
	@set -e; for script in bench/*.py; do echo "==> $$script"; $(BIN)/python "$$script"; done

lock: ## Resolve the dependencies anew into requirements.lock (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv: pip install uv"; exit 1; }
	uv pip compile pyproject.toml --universal --generate-hashes --all-extras --group dev \
		--python-version 3.11 --no-header --upgrade -o requirements.lock

$(STAMP): requirements.lock pyproject.toml tools/setup.sh
	@sh tools/setup.sh
	@touch $@
