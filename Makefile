# aos-stream: `make demo` shows it, `make test` proves it, `make help` explains the rest.

.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
ROOMS := weather schemas producers stream_app sink operate devstack runtime
INSTALLED := $(VENV)/.installed
LOCK := $(RUN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-annotate --no-emit-index-url
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help
help: ## Show what there is to make
	@awk 'BEGIN {FS = ":.*## "} /^## / {printf "\n%s\n", substr($$0, 4)} /^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo

## See it work
.PHONY: demo up status down
demo: $(INSTALLED) ## Install what is needed, then run the main job on the embedded stack
	@$(RUN)/aos demo $(ARGS)

up: $(INSTALLED) ## Start the embedded Kafka, registry and TimescaleDB in the background
	@$(RUN)/aos up $(ARGS)

status: $(INSTALLED) ## Show what runs
	@$(RUN)/aos status $(ARGS)

down: $(INSTALLED) ## Stop what was started
	@$(RUN)/aos down $(ARGS)

## Prove it
.PHONY: test test-unit test-fault requirements
test: $(INSTALLED) ## Run all tests on a stack of their own, with coverage
	@rm -f .cache/requirements.json .coverage .coverage.*
	@$(RUN)/python -m pytest --cov -n $(or $(WORKERS),3) --dist loadfile --no-loadscope-reorder $(ARGS)
	@$(RUN)/python -m coverage combine --quiet --append 2>/dev/null || true
	@$(MAKE) --no-print-directory coverage

test-unit: $(INSTALLED) ## Run the quick tests that need no server: seconds
	@AOS_TEST_PROFILE=quick $(RUN)/python -m pytest -q -m "not slow" $(ROOMS) tests/unit $(ARGS)

test-fault: $(INSTALLED) ## Kill real processes, ROUNDS times a stage (default 20)
	@AOS_FAULT_ROUNDS=$(or $(ROUNDS),20) $(RUN)/python -m pytest tests/fault $(ARGS)

requirements: $(INSTALLED) ## Print each requirement, the tests that prove it, their last result
	@$(RUN)/python -m tests.support.print_requirements

.PHONY: coverage
coverage: ## Hold the coverage of the last run to its bars
	@$(RUN)/python -m tests.support.coverage_bars

## Measure it
.PHONY: bench-source bench-source-memory bench-source-load bench-stream bench-sink bench-latency
bench-source: $(INSTALLED) ## Measure the source beside reading alone and writing alone
	@$(RUN)/python -m bench.source

bench-source-memory: $(INSTALLED) ## Watch the source's memory over ten million readings
	@$(RUN)/python -m bench.source_memory

bench-source-load: $(INSTALLED) ## Measure the load that the source puts on AOS, and hold it to its bounds
	@$(RUN)/python -m bench.source_load

QUIX := $(or $(AOS_CACHE),.cache)/bench-quix
bench-stream: $(INSTALLED) $(QUIX)/.installed ## Measure the stream beside Faust, Quix Streams and Kafka Streams
	@$(RUN)/python -m bench.stream $(ARGS)

$(QUIX)/.installed: bench/requirements.lock
	@$(PYTHON) -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install --quiet --require-hashes -r bench/requirements.lock
	@touch $@

bench-sink: $(INSTALLED) ## Measure the sink beside COPY, COPY and merge, executemany; and its memory
	@$(RUN)/python -m bench.sink $(ARGS)

bench-latency: $(INSTALLED) ## Measure the way of single readings from AOS to the database, hop by hop
	@$(RUN)/python -m bench.latency $(ARGS)

## Keep it well
.PHONY: check lint types imports format lock secrets clean
check: lint types imports ## Run linters, type checker and import rules

lint: $(INSTALLED) ## Lint and check the format
	@$(RUN)/ruff check $(ROOMS) tests deploy bench
	@$(RUN)/ruff format --check $(ROOMS) tests deploy bench

types: $(INSTALLED) ## Check types, strictly
	@$(RUN)/mypy

imports: $(INSTALLED) ## Check which room may import which
	@$(RUN)/lint-imports --no-cache

format: $(INSTALLED) ## Format the code and mend what can be mended
	@$(RUN)/ruff check --fix --quiet $(ROOMS) tests || true
	@$(RUN)/ruff format $(ROOMS) tests

lock: $(INSTALLED) ## Pin all packages anew, with their hashes
	@$(LOCK) --extra devstack --extra dev pyproject.toml -o requirements.lock
	@$(LOCK) pyproject.toml -o requirements-prod.lock
	@$(LOCK) deploy/image/odbc.in -o deploy/image/odbc.lock
	@$(LOCK) deploy/image/build.in -o deploy/image/build.lock
	@$(LOCK) bench/requirements.in -o bench/requirements.lock

secrets: ## Make the passwords of docker-compose.yml
	@deploy/compose/make-secrets

clean: ## Remove what was built; .cache (downloads) and .aos (data) stay
	@rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if v >= (3, 11) else f"Python 3.11 or newer is needed; this is {v[0]}.{v[1]}. Mend: make PYTHON=python3.11 …")'
	@test -x $(RUN)/python || { echo "Making $(VENV) …"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing pinned packages (about a minute the first time) …"
	@$(RUN)/python -m pip install --quiet --require-hashes -r requirements.lock
	@PYTHONWARNINGS=ignore $(RUN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
