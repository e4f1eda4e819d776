# One front door: `make help` lists what there is. The virtual environment sets itself up from requirements.lock.

PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export DAGSTER_HOME := $(CURDIR)
export GRONINGEN_DATA_DIR ?= $(CURDIR)/data
export GRONINGEN_DAGSTER_DIR ?= $(GRONINGEN_DATA_DIR)/dagster

.DEFAULT_GOAL := help
.PHONY: help refresh test dev replica lint bench drills docs lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11, 3.12 or 3.13 found → install one, or say make PYTHON=/path/to/python3"; exit 1; }
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	@echo "setting up $(VENV) (once; a minute or two)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

refresh: $(READY) ## Land, gate and publish everything of the current profile (default: the embedded sample city)
	@$(BIN)/groningen refresh

test: $(READY) ## Run all tests
	@# Two processes share the cores: threads of their own would only get in each other's way. Many tests start a process, which should
	@# not compile everything anew.
	@PYTHONDONTWRITEBYTECODE= GRONINGEN_THREADS=1 POLARS_MAX_THREADS=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

dev: $(READY) ## Start the Dagster UI on http://127.0.0.1:3000, with its daemon
	@mkdir -p $(GRONINGEN_DAGSTER_DIR)
	@$(BIN)/dagster dev -w workspace.yaml -h 127.0.0.1 -p 3000

replica: $(READY) ## Serve the sample city as the real services would, for `groningen refresh --profile replica`
	@$(BIN)/groningen replica

lint: $(READY) ## Check style, types and import layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

bench: $(READY) ## Measure against the bare engine in the same run; writes benchmarks/results.md
	@$(BIN)/python -m benchmarks

drills: $(READY) ## List the drills, or run one: make drills DRILL=kills (minutes; also fuzz, disk-full, …)
	@$(BIN)/python -m drills $(DRILL)

docs: $(READY) ## Write docs/tables.md and docs/settings.md from contracts and settings
	@$(BIN)/python -m groningen_data.catalogue.documents

lock: ## Renew requirements.lock from pyproject.toml (needs uv)
	@uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links --no-strip-extras --quiet -o requirements.lock

clean: ## Remove the virtual environment and everything made at run time
	@rm -rf $(VENV) *.egg-info $(filter-out data/reference,$(wildcard data/*))
