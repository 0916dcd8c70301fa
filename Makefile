# Two targets set everything up by themselves: `make run` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
OUT ?= runs/composer
TORCH ?= torch==2.13.0

.PHONY: run test test-trainers lint figures clean

run: $(VENV)/.installed
	$(BIN)/context-synthesis run --out $(OUT)
	$(BIN)/python examples/look.py $(OUT)/dataset

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest

# TRL and PyTorch take a step on what we write; an environment of its own, 1.5 GB.
test-trainers: $(VENV)-trainers/.installed
	$(VENV)-trainers/bin/python -m pytest tests/trainers

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

figures: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/composer.py
	$(BIN)/python benchmarks/spine.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	touch $@ $(VENV)/.installed

$(VENV)-trainers/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)-trainers
	$(VENV)-trainers/bin/python -m pip install --quiet --disable-pip-version-check $(TORCH) trl transformers accelerate
	$(VENV)-trainers/bin/python -m pip install --quiet --disable-pip-version-check --editable . pytest
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-trainers runs build dist
