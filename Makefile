# `make chapter` reproduces the chapter on a fresh machine, `make test` runs every test; both set up what they need.
PYTHON ?= python3
LOWEST_PYTHON ?= python3.10
BIN := .venv/bin
SEEDS ?= 3
JOBS ?= $(shell $(PYTHON) -c 'import os; print(os.cpu_count() or 1)')
FUZZ_SECONDS ?= 180
TESTS ?=

.PHONY: chapter test map fuzz bench package lowest newest install fashion-mnist clean
.DEFAULT_GOAL := chapter

chapter: install fashion-mnist  ## the chapter's published figures beside the ones measured here
	$(BIN)/torchann reproduce --seeds $(SEEDS) --jobs $(JOBS)

test: .venv/tests-installed  ## lint, types, unit tests, doctests, every YAML, the README's blocks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

map: install  ## docs/images/map.svg, the package's rooms and their imports, drawn from the code
	$(BIN)/python docs/draw_map.py

fuzz: .venv/tests-installed  ## bytes guided by coverage at each reader of files, for FUZZ_SECONDS each
	$(BIN)/python -m pip install -q atheris
	for reader in idx config model_file; do \
	  $(BIN)/python -m tests.fuzz.fuzz_$$reader -max_total_time=$(FUZZ_SECONDS) || exit 1; done

package: .venv/bin/python  ## wheel and sdist in dist/; the wheel in an environment of its own, its public names typed
	rm -rf dist && $(BIN)/python -m pip install -q build && $(BIN)/python -m build -o dist .
	$(PYTHON) -m venv --clear .venv-package
	.venv-package/bin/python -m pip install -q -c constraints.txt 'pyright[nodejs]' scikit-learn-stubs optuna dist/*.whl
	cd dist && PATH=$(CURDIR)/.venv-package/bin:$$PATH && torchann --version && \
	  pyright --verifytypes torchann --ignoreexternal

lowest:  ## every test with the lowest versions that pyproject.toml allows, Python's too; torch alone is gigabytes then
	$(LOWEST_PYTHON) -m venv --clear .venv-lowest && .venv-lowest/bin/python -m pip install -q uv
	.venv-lowest/bin/uv pip install -q --python .venv-lowest/bin/python --resolution lowest-direct -e '.[dev]'
	OMP_NUM_THREADS=1 .venv-lowest/bin/python -m pytest -n 2 -W ignore::DeprecationWarning \
	  -W ignore::PendingDeprecationWarning -W ignore::FutureWarning

# Whether the upper bounds of pyproject.toml can be lifted: Lightning, scikit-learn and Optuna at their newest,
# whatever the bounds say, everything else as tested. `make newest TESTS="tests/estimators"` narrows the run.
newest:  ## every test, or those in TESTS, with the newest versions of the three packages whose internals we know
	$(PYTHON) -m venv --clear .venv-newest && .venv-newest/bin/python -m pip install -q -c constraints.txt -e '.[dev]'
	.venv-newest/bin/python -m pip install -q --no-deps -U lightning pytorch-lightning scikit-learn optuna
	OMP_NUM_THREADS=1 .venv-newest/bin/python -m pytest -n 2 $(TESTS)

install: .venv/installed  ## the package, editable, with the tested versions, in .venv

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "torchann needs Python 3.10 or newer, found `$(PYTHON) --version 2>&1`; try: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install -q -c constraints.txt -e .
	$(BIN)/python -m torchann.engine.compiled.warm
	touch $@

.venv/tests-installed: .venv/installed
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev]'
	touch $@

# Found or downloaded by torchann itself; else, as root on Debian or Ubuntu, the distribution's package.
fashion-mnist: install
	@$(BIN)/torchann data fashion-mnist || { \
	  test "`id -u`" = 0 && command -v apt-get > /dev/null && echo "installing the package dataset-fashion-mnist" && \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq dataset-fashion-mnist > /dev/null; } || \
	  echo "going on without Fashion-MNIST" >&2

clean:  ## everything that was set up or made here but the runs
	rm -rf .venv .venv-* results build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache

bench: .venv-bench/installed  ## side by side with the peers, which get an environment of their own; writes benchmarks/RESULTS.md
	.venv-bench/bin/python benchmarks/run.py

.venv-bench/installed: pyproject.toml constraints.txt benchmarks/requirements.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install -q -c constraints.txt -e . -r benchmarks/requirements.txt
	.venv-bench/bin/python -m torchann.engine.compiled.warm
	touch $@
