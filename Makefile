# make help          what there is
# make demo          needs make and Python 3.11 or newer, nothing else
#
# Variables: PORT, DATABASE_URL, PYTHON (an interpreter), UV= (empty: use pip), ARGS (for pytest)

PORT ?= 8000
ARGS ?=
VENV := .venv
PY := $(VENV)/bin/python

# An interpreter may be on the PATH and not run (a version manager's stand-in): ask it.
PYTHON ?= $(shell for name in python3.13 python3.12 python3.11 python3 python; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)

# uv where it is found and new enough to know dependency groups.
UV ?= $(shell uv pip install --help 2>/dev/null | grep -q -- --group && echo uv)
ifneq ($(strip $(UV)),)
CREATE = $(UV) venv --quiet --seed --python "$(PYTHON)" $(VENV)
INSTALL = $(UV) pip install --quiet --python $(PY)
else
CREATE = "$(PYTHON)" -m venv $(VENV) && $(PY) -m pip install --quiet --upgrade "pip>=25.1"
INSTALL = $(PY) -m pip install --quiet
endif

# MariaDB's driver is compiled when it is installed: only for those who ask for it.
ifneq ($(filter mysql:% mariadb:%,$(DATABASE_URL)),)
DRIVER := $(VENV)/.mariadb
endif

.PHONY: help demo test check setup lint format bench clean
.DEFAULT_GOAL := help
ifndef PARALLEL
.NOTPARALLEL:
endif

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.demo $(DRIVER) ## install, load the demo data, serve it (PORT=8000)
	@$(PY) manage.py demo --port $(PORT)

# Everything runs and reports, also after a failure. The linters run two at a time: each of them
# keeps one core busy, and mypy takes longer than all the others. The tests use all cores themselves.
test: setup ## install, lint, and run the tests with each of the three user models
	@failed=0; \
	$(MAKE) --no-print-directory --keep-going --jobs=2 PARALLEL=1 lint || failed=1; \
	$(MAKE) --no-print-directory --keep-going check || failed=1; \
	exit $$failed

check: setup pytest-default pytest-uuid pytest-email ## run the tests alone (make check ARGS="-k jwt")

setup: $(VENV)/.test $(DRIVER) ## install what the tests need

lint: setup lint-format lint-ruff lint-types lint-floors lint-django ## format, ruff, mypy, floors, migrations

format: setup ## write the code as ruff wants it
	@$(PY) -m ruff check --fix --quiet . ; $(PY) -m ruff format .

bench: $(VENV)/.bench $(DRIVER) ## measure authkit beside its peers
	@$(PY) -m benchmarks $(ARGS)

clean: ## remove the virtual environment, caches and the demo's database
	rm -rf $(VENV) dist build .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -f *.sqlite3 *.sqlite3-*


.PHONY: pytest-default pytest-uuid pytest-email
pytest-default: setup
	AUTHKIT_TEST_USER_MODEL=default $(PY) -m pytest -n auto --dist worksteal $(ARGS)

# The kernel knows no user model.
pytest-uuid pytest-email: pytest-%: setup
	AUTHKIT_TEST_USER_MODEL=$* $(PY) -m pytest -n auto --dist worksteal -m "not slow and not browser" --ignore=tests/kernel $(ARGS)

.PHONY: lint-format lint-ruff lint-types lint-floors lint-django
lint-format: setup
	$(PY) -m ruff format --check .

lint-ruff: setup
	$(PY) -m ruff check .

lint-types: setup
	$(PY) -m mypy

lint-floors: setup
	$(VENV)/bin/lint-imports

# Migrations and system checks, of the demo and for each user model. (The proxies of the tests
# have no migration: it would say something else for each user model.)
lint-django: export DATABASE_URL = sqlite://:memory:
lint-django: setup
	$(PY) manage.py check --fail-level WARNING
	$(PY) manage.py makemigrations --check --dry-run
	for model in default uuid email; do \
		export AUTHKIT_TEST_USER_MODEL=$$model DJANGO_SETTINGS_MODULE=tests.settings; \
		$(PY) manage.py check --fail-level WARNING && \
		$(PY) manage.py makemigrations --check --dry-run authkit $${model}_user || exit 1; done


# A stamp says: installed, and pyproject.toml has not changed since.
$(VENV)/.created:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "authkit needs Python 3.11 or newer; name one: make PYTHON=/path/to/python3"; exit 1; }
	@test -x $(PY) || { rm -rf $(VENV); echo "Creating $(VENV) with $(PYTHON) ..."; $(CREATE); } || \
		{ rm -rf $(VENV); echo "No virtual environment. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@touch $@

$(VENV)/.demo: $(VENV)/.created pyproject.toml
	@echo "Installing the demo ..."
	@$(INSTALL) --editable ".[social]" --group demo
	@touch $@

$(VENV)/.test: $(VENV)/.created pyproject.toml
	@echo "Installing what the tests need ..."
	@$(INSTALL) --editable ".[all]" --group test --group lint
	@touch $@

$(VENV)/.bench: $(VENV)/.created pyproject.toml
	@$(INSTALL) --editable . --group bench
	@touch $@

$(VENV)/.mariadb: $(VENV)/.created pyproject.toml
	@$(INSTALL) --group mariadb
	@touch $@
