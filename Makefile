# `make demo` and `make test` are enough on a machine with Python 3.11 or newer and make.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: venv demo test check docs site site-serve pictures wheel-test bench clean

venv: $(STAMP)

$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "noiseaudit needs Python 3.11 or newer: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@

demo: venv
	$(BIN)/noiseaudit demo --out demo --force

test: venv
	$(BIN)/pytest -n auto --dist worksteal -m "not slow"

check: venv
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n auto --dist worksteal --cov --cov-report=
	$(BIN)/coverage report --include='noiseaudit/*' --fail-under=90

# docs/cli.md is made from the commands' own help; a test checks that it is in step.
docs: venv
	$(BIN)/python -m noiseaudit_cli.docs docs/cli.md

# The documentation as web pages, in site/, which open without a server; any warning is an error.
# The theme announces another generator on every build (DECISIONS.md); the variable silences that.
MKDOCS := NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs
SITE_STAMP := .venv/.installed-docs

$(SITE_STAMP): $(STAMP)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[docs]'
	touch $@

site: $(SITE_STAMP)
	$(MKDOCS) build --strict

site-serve: $(SITE_STAMP)
	$(MKDOCS) serve --strict --dev-addr 127.0.0.1:8000

# The pictures in docs/, from a real terminal and browser: needs tmux and chromium.
pictures: venv
	$(BIN)/python docs/pictures.py

# What a user gets: the wheel alone, in an environment of its own, away from this folder. Torch and the GPU libraries
# that it brings (6 GB) are lent by the first environment, so that a small disk holds both; all else is installed anew.
LENT := torch torch-* torchgen torchvision torchvision-* torchvision.libs functorch triton triton-* nvidia nvidia_* cuda cuda_*
wheel-test: venv
	rm -rf dist .venv-wheel
	$(BIN)/python -m build --wheel --outdir dist
	$(BIN)/python -m zipfile -l dist/noiseaudit-*.whl
	! $(BIN)/python -m zipfile -l dist/noiseaudit-*.whl | grep -E '^(cli|reports|tests)/'
	$(PYTHON) -m venv .venv-wheel
	cd .venv/lib/python3*/site-packages && for it in $(LENT); do \
	  if [ -e "$$it" ]; then ln -s "$$PWD/$$it" $(CURDIR)/.venv-wheel/lib/python3*/site-packages/; fi; done
	.venv-wheel/bin/pip install --quiet --disable-pip-version-check dist/noiseaudit-*.whl
	cd dist && ../.venv-wheel/bin/noiseaudit --help
	cd dist && ../.venv-wheel/bin/noiseaudit demo

# Needs MNIST in the folder that NOISEAUDIT_DATA names; a run that was stopped goes on where it was.
bench: venv
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[bench]'
	$(BIN)/python benchmarks/demo_digits.py
	$(BIN)/python benchmarks/mnist.py run
	$(BIN)/python benchmarks/ablation.py run
	$(BIN)/python benchmarks/aims.py
	$(BIN)/python benchmarks/insert.py

clean:
	rm -rf dist demo site .venv-wheel htmlcov .coverage
