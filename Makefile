# make demo   the whole journey with synthetic records (Java 17 and Maven for a real server, else a folder)
# make test   all tests (Java 17 and Maven for those with a server)
# All need Python 3.11 or later, and nothing else; the first run makes .venv from requirements.lock.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.hydrofhir-ready

.PHONY: setup demo test test-server bench lint lock

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed: make PYTHON=...")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

demo: setup
	$(BIN)/hydrofhir demo $(ARGS)

# Everything: style, types, and all tests with a real HAPI FHIR server in R4 and R5; branch coverage is shown.
test: setup lint
	$(BIN)/python -m pytest --cov --cov-report=term:skip-covered --durations=15 $(ARGS)

# The server tests against any HAPI FHIR server, in a name space of their own: make test-server FHIR_SERVER=URL
test-server: setup
	FHIR_SERVER="$(FHIR_SERVER)" $(BIN)/python -m pytest tests/server $(ARGS)

bench: setup
	$(BIN)/python -m tests.benchmarks $(ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy adapter

# What pyproject.toml asks for (with its dev extra) and what builds it, pinned with hashes for every platform.
lock:
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	printf 'hatchling>=1.27\neditables\n' | $(BIN)/uv pip compile --quiet --universal --extra dev --generate-hashes \
		--no-emit-index-url --no-header --no-annotate --output-file requirements.lock pyproject.toml -
