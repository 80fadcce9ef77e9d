# `make run` opens the workbench and `make test` runs the tests; both set up .venv first, where that is needed.
BIN := .venv/bin
READY := .venv/.ready
OTHER := .venv/llama-other
MINUTES := 20
SOURCES := src tests benchmarks tools

.PHONY: help setup run test test-error-rates test-other-build test-servers test-programs fuzz screenshots docs lint format types contracts check bench clean

help:
	@echo 'make run        open the workbench (sets up .venv first; the first time takes minutes)'
	@echo 'make test       run the tests; make test ARGS="-m \"not models\"" leaves out those that need weights'
	@echo 'make test-error-rates  how often findings err on planted data, a minute of all cores'
	@echo 'make test-other-build  the tests that run models, on a build of llama.cpp with other arithmetic'
	@echo 'make test-servers  the tests on real servers, vLLM and llama-server; installs them first, 3.5 GB'
	@echo 'make test-programs the tests on files that lm-evaluation-harness and Inspect make; installs them first, 0.9 GB'
	@echo 'make fuzz       look for inputs that break a reader, 20 minutes each; MINUTES=1 READERS="csv-file gguf-header"'
	@echo 'make setup      only set up .venv'
	@echo 'make screenshots  the pictures of README and docs, from the app; SHOTS="bench scores" makes some of them'
	@echo 'make docs       the site of the documentation, into build/docs/site; it needs no .venv'
	@echo 'make check      ruff, mypy and the import contracts'
	@echo 'make format     let ruff format and fix the code'
	@echo 'make bench      the benchmarks of benchmarks/'
	@echo 'make clean      remove .venv and caches (sessions in runs/ stay)'
	@echo 'PYTHON=...      the interpreter for .venv, 3.11 or newer'

$(READY): pyproject.toml constraints.txt tools/setup.sh tools/llama.sh
	@PYTHON='$(PYTHON)' tools/setup.sh

setup: $(READY)

run: $(READY)
	@$(BIN)/alignbench

test: $(READY)
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadgroup $(ARGS)

test-error-rates: $(READY)
	$(BIN)/python -m pytest -n 0 -m error_rates tests/calibration tests/surveys $(ARGS)

$(OTHER)/.build: $(READY) tools/llama.sh tools/other_llama.sh
	@tools/other_llama.sh && touch $@

test-other-build: $(OTHER)/.build
	LLAMA_CPP_LIB_PATH=$(CURDIR)/$(OTHER)/llama_cpp/lib $(BIN)/python -m pytest -n logical --maxprocesses 2 --dist loadgroup -m models $(ARGS)

test-servers: $(READY)
	servers=$$(tools/servers.sh) && ALIGNBENCH_TEST_SERVERS=$$servers $(BIN)/python -m pytest -n 0 tests/servers $(ARGS)

test-programs: $(READY)
	programs=$$(tools/programs.sh) && ALIGNBENCH_TEST_PROGRAMS=$$programs $(BIN)/python -m pytest -n 0 tests/programs $(ARGS)

fuzz: $(READY)
	@$(BIN)/python -m tests.fuzz.search --minutes $(MINUTES) $(READERS)

screenshots: $(READY)
	@$(BIN)/python tools/screenshots.py $(SHOTS)

docs:
	@tools/site.sh

lint: $(READY)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

format: $(READY)
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

types: $(READY)
	$(BIN)/mypy

contracts: $(READY)
	$(BIN)/lint-imports --no-logo

check: lint types contracts

bench: $(READY)
	@failed=0; for benchmark in benchmarks/[a-z]*.py; do \
		echo; echo "== $$benchmark"; $(BIN)/python "$$benchmark" || failed=1; \
	done; exit $$failed

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
