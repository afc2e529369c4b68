# make demo   the whole journey with synthetic records (Java 17 and Maven for a real server, else a folder)
# make test   everything that needs no server; make test-server: with a HAPI FHIR server
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

test: setup
	$(BIN)/python -m pytest -m "not server" $(ARGS)

test-server: setup
	$(BIN)/python -m pytest -m server $(ARGS)

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
