# Everything happens in .venv; nothing else on the machine is touched. No path in here is absolute, and commands are
# started with python -m: pip splits PIP_CONSTRAINT at spaces, and the scripts in .venv/bin break at quotes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# What was compiled of the native engine, for the processors that there are; see setup.py.
ENGINE := $(VENV)/.engine
SOURCES := setup.py $(wildcard lenet_tui/engine/source/*)

.PHONY: install run test check bench format clean sanitize

install: $(STAMP) $(ENGINE)

# Constraints are also for what building the package needs, so that a fresh machine gets the same versions every time.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "lenet-tui needs Python 3.11 or later, and $(PYTHON) is " + sys.version.split()[0] + "; try: make PYTHON=python3.12")'
	@test -x $(BIN)/python || { echo "making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "installing what constraints.txt pins into $(VENV) (once; torch is large)"
	@PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ $(ENGINE)

# A change of the source is compiled without installing again; where that fails, PyTorch is used, as after installing.
$(ENGINE): $(SOURCES) | $(STAMP)
	@$(BIN)/python setup.py --quiet build_ext --inplace
	@touch $@

# The app; where there is no terminal for it, the default experiment instead.
run: install
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN)/python -m lenet_tui; else $(BIN)/python -m lenet_tui train; fi

# Side by side on all cores; `python -m pytest FILE` runs one file in one process.
test: install
	@$(BIN)/python -m pytest --numprocesses auto --dist worksteal

check: $(STAMP)
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m mypy
	@$(BIN)/python -c 'from importlinter.cli import lint_imports_command; lint_imports_command()' --no-logo

bench: install
	@$(BIN)/python -m benchmarks

# The native engine with the compiler's checks of memory, arithmetic and threads.
sanitize:
	@tests/engine/sanitize

format: $(STAMP)
	@$(BIN)/python -m ruff check --fix .
	@$(BIN)/python -m ruff format .

clean:
	rm -rf $(VENV) build *.egg-info lenet_tui/engine/_lenet.so .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +
