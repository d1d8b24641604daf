# The only door to this project: `make help` lists what it does.
SHELL := /bin/sh
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
PEER := .venv-flytekit
SECONDS ?= 600
SEED ?= $(shell date +%s)
RUNNERS := .venv-dbos .venv-flyte2
CLUSTER := $(BIN)/connectory-test-cluster

.DEFAULT_GOAL := help
.PHONY: help env env-dev run test check protos protos-check buf docs docs-check stubs stubs-check lint types imports lock bench chaos load fuzz image kubernetes clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(UV): requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "connectory needs Python 3.11 or newer; this is %s: use make PYTHON=/path/to/python3.11" % sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $(UV)

$(VENV)/.run: $(UV) requirements/run.txt pyproject.toml
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/run.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(UV) requirements/dev.txt pyproject.toml
	$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $(VENV)/.run $@

.venv-%/.made: requirements/%.txt $(UV)
	$(UV) venv --quiet --clear --python $(BIN)/python .venv-$*
	$(UV) pip install --quiet --python .venv-$*/bin/python --require-hashes -r requirements/$*.txt
	@touch $@

env: $(VENV)/.run ## make the environment that runs the product

env-dev: $(VENV)/.dev $(PEER)/.made ## make the environment for tests and checks

run: env ## run the example: a connector server, a workflow on real data, the result
	$(BIN)/python examples/heating/run.py

test: env-dev ## run the whole test suite
	$(BIN)/python -m pytest $(ARGS)

$(CLUSTER): $(wildcard tests/kubernetes/cluster/*) $(UV)
	cd tests/kubernetes/cluster && go build -buildvcs=false -ldflags="-s -w" -o $(abspath $@) .

kubernetes: $(CLUSTER) ## build the Kubernetes API server for the tests that need one (with Go, in minutes)

check: env-dev lint types imports protos-check buf docs-check stubs-check ## all static checks
	@echo "make check: all good"

lint:
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types:
	$(BIN)/mypy

imports:
	$(BIN)/lint-imports

protos: env-dev ## regenerate connectory/v1 from protos/
	$(BIN)/python tools/protos.py generate

protos-check: env-dev
	$(BIN)/python tools/protos.py check

buf: env-dev
	$(BIN)/python tools/protos.py lint
	$(BIN)/python tools/protos.py breaking

docs: env-dev ## write docs/reference.md anew from the docstrings
	$(BIN)/python tools/reference.py

docs-check: env-dev
	$(BIN)/python tools/reference.py check

stubs: env-dev ## write anew what type checkers read of packages that load their names on first use
	$(BIN)/python tools/stubs.py

stubs-check: env-dev
	$(BIN)/python tools/stubs.py check

bench-env: $(RUNNERS:%=%/.made) ## make the environments of other workflow runners, which only the benchmark has

bench: env-dev bench-env ## measure server, SDK and runner side by side with the floor and with others
	$(BIN)/python -m benchmarks $(ARGS)
	$(BIN)/python -m benchmarks.watching
	$(BIN)/python -m benchmarks.crowds
	$(BIN)/python -m benchmarks.authoring
	$(BIN)/python -m benchmarks.runner

chaos: env-dev ## kill runners and connector servers at random moments, 200 times, and count the jobs outside
	$(BIN)/python -m tests.chaos $(ARGS)

load: env-dev ## take 10,000 jobs through two replicas on PostgreSQL, killing one of them
	$(BIN)/python -m tests.load $(ARGS)

fuzz: env-dev ## send mutated and random bytes to every RPC for SECONDS=600; SEED=N repeats a run
	CONNECTORY_FUZZ_SECONDS=$(SECONDS) CONNECTORY_FUZZ_SEED=$(SEED) $(BIN)/python -m pytest tests/connector_server/test_fuzzing.py

lock: $(UV) ## resolve the hashed requirement files anew
	PATH=$(BIN):$$PATH sh tools/lock.sh

image: ## build the server's image with buildah; BASE names another base image
	buildah bud --format docker --isolation chroot $(if $(BASE),--build-arg BASE=$(BASE)) -t connectory:latest .

clean: ## remove environments and caches
	rm -rf $(VENV) $(PEER) $(RUNNERS) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
