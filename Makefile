# The two commands of the README are `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin

# Tests of whole processes, one after the other, and those of the schemas for balance; all others run beside them on the
# second core.
WHOLE := tests/processes tests/docs tests/packaging tests/connector/cli tests/interoperability tests/loadtests tests/iso20022_schemas

.PHONY: demo test check unit unit-whole unit-parts reference install lock bench bench-peers guard load clean help

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

demo: .venv/.run ## run a whole payment programme on this machine
	$(BIN)/isogate demo

test: check unit ## everything CI runs: style, types, architecture, tests, ratios
	@$(MAKE) --no-print-directory guard

check: .venv/.dev ## style, types and the floors of the house
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: .venv/.dev ## the tests alone, on two cores
	@$(MAKE) --no-print-directory --output-sync=target -j2 unit-whole unit-parts

unit-whole: .venv/.dev
	$(BIN)/pytest $(WHOLE)

unit-parts: .venv/.dev
	$(BIN)/pytest $(addprefix --ignore=,$(WHOLE)) tests

reference: .venv/.dev ## write docs/reference from the code
	$(BIN)/python -m connector.cli.reference docs/reference

bench-peers: .venv/.run .venv-peers/.done ## the message engine beside other libraries, and banks beside mock-bank (in .venv-peers)
	$(BIN)/python -m loadtests.bench.peers --peers "$(CURDIR)/.venv-peers/bin/python"
	$(BIN)/python -m loadtests.bench.peer_banks --peers "$(CURDIR)/.venv-peers/bin/python"

bench: .venv/.bench ## the benchmarks, and a report of them in bench-report/; PAYMENTS=100000, FAIR=1, SCALE=1, OPTIONS=...
	$(BIN)/isogate bench all --folder "$(or $(REPORT),bench-report)" --payments "$(or $(PAYMENTS),100000)" \
		$(if $(FAIR),--fairness) $(if $(SCALE),--scale) $(OPTIONS)

guard: .venv/.dev ## processor time of the stages beside bare lxml, against the committed ratios; nothing else may run
	$(BIN)/isogate bench guard

load: .venv/.load ## a load test against a fresh instance (Locust); SHAPE=ramp, MINUTES=2, OPTIONS=...
	$(BIN)/isogate load --shape "$(or $(SHAPE),steady)" --minutes "$(or $(MINUTES),1)" $(OPTIONS)

install: .venv/.dev ## the virtual environment with everything in it

lock: ## write the lock files anew from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes -q -o requirements/run.lock --custom-compile-command "make lock"
	uv pip compile pyproject.toml --extra bench --extra load --group build --group dev --universal --python-version 3.11 --generate-hashes -q -o requirements/dev.lock --custom-compile-command "make lock"
	uv pip compile pyproject.toml --extra load --group build -c requirements/dev.lock --universal --python-version 3.11 --generate-hashes -q -o requirements/load.lock --custom-compile-command "make lock"
	uv pip compile pyproject.toml --extra bench --group build -c requirements/dev.lock --universal --python-version 3.11 --generate-hashes -q -o requirements/bench.lock --custom-compile-command "make lock"
	uv pip compile requirements/peers.in --universal --python-version 3.11 --generate-hashes -q -o requirements/peers.lock --custom-compile-command "make lock"

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "IsoGate needs Python 3.11 or newer; set PYTHON=python3.11")'
	$(PYTHON) -m venv .venv

.venv/.run: requirements/run.lock pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/.load: requirements/load.lock pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/load.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch .venv/.run $@

.venv/.bench: requirements/bench.lock pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bench.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch .venv/.run $@

.venv/.dev: requirements/dev.lock pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch .venv/.run .venv/.load .venv/.bench $@

.venv-peers/.done: requirements/peers.lock
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/peers.lock
	@touch $@

clean: ## remove what the targets made
	rm -rf .venv .venv-peers .mypy_cache .ruff_cache .pytest_cache .hypothesis dist bench-report
