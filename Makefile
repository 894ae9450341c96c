# Everything a person runs. `make help` explains; `make demo` and `make test` are all that a fresh machine needs.
SHELL := /bin/sh
.DEFAULT_GOAL := help
VENV := .venv
PY := $(VENV)/bin/python
PYTHON ?= $(shell command -v python3.11 || command -v python3)
WORKERS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) + 2 )))  # two more than cores: tests on real processes mostly wait
export PYTHONDONTWRITEBYTECODE :=  # dozens of processes start here: each would compile everything anew

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | awk -F'\t' '{printf "  %-16s %s\n", $$1, $$2}'

$(PY):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed, and no python3 was found."; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; $(PYTHON) is older."; exit 1; }
	@"$(PYTHON)" -m venv $(VENV)

$(VENV)/.demo: requirements-demo.txt | $(PY)
	@echo "Installing what the demo needs (locked, hashed) ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-demo.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt | $(PY)
	@echo "Installing what the tests need (locked, hashed) ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@ $(VENV)/.demo

.PHONY: install
install: $(VENV)/.dev ## Make .venv with everything, the development tools included

.PHONY: demo
demo: $(VENV)/.demo ## The whole product on this machine, with a fake AWS: http://127.0.0.1:8000 (DEMO_PORT changes the port)
	@exec $(PY) -m demo

.PHONY: run
run: $(VENV)/.dev ## Development server, worker and beat against your own settings (.env)
	@exec $(PY) manage.py run

.PHONY: test
test: $(VENV)/.dev ## The whole test suite; REQUIRE_SERVICES=1 makes a missing service a failure
	@$(PY) -m pytest -n $(strip $(WORKERS)) --dist loadgroup $(TESTS)

.PHONY: faults
faults: $(VENV)/.dev ## Kill workers at every boundary, stop the database, lose the broker (long; FAULTS= names one file)
	@FAULTS_FULL=1 REQUIRE_SERVICES=1 $(PY) -m pytest -n0 -p no:randomly --timeout=3600 --durations=0 --durations-min=1 $(or $(FAULTS),tests/faults tests/hygiene/services/test_large_plans.py)

.PHONY: mutants
mutants: $(VENV)/.dev ## Mutation testing of hygiene/domain: every mutant that no test kills needs a reason in tests/mutants.toml (an hour)
	@$(VENV)/bin/mutmut run --max-children $$(getconf _NPROCESSORS_ONLN)
	@$(PY) -m tests.mutants

.PHONY: lint
lint: $(VENV)/.dev ## Everything that is checked without running the product
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/djade --check --target-version 5.2 $$(git ls-files 'templates/*.html')
	$(VENV)/bin/deptry .
	DJANGO_SETTINGS_MODULE=tests.settings $(PY) manage.py makemigrations --check --dry-run
	$(PY) -m tests.deploy_check

.PHONY: bench
bench: $(VENV)/.dev ## Poll and page benchmarks, printed with their conditions
	@$(PY) -m tests.bench

.PHONY: compose-check
compose-check: ## Bring docker-compose.yml up on a container engine and use it
	@deploy/compose-check

.PHONY: pictures
pictures: $(VENV)/.dev ## Take the pictures of the README from a running demo
	@$(PY) -m tests.browser.pictures

.PHONY: lock
lock: ## Compile requirements*.in into hashed requirements*.txt (needs uv)
	uv pip compile --quiet --generate-hashes --no-strip-extras --python-version 3.11 --no-header --no-emit-index-url --output-file requirements.txt requirements.in
	for part in demo dev; do uv pip compile --quiet --generate-hashes --no-strip-extras --python-version 3.11 --no-header --no-emit-index-url \
		--constraint requirements.txt --output-file requirements-$$part.txt requirements-$$part.in; done

.PHONY: clean
clean: ## Remove .venv and everything that runs have left behind
	rm -rf $(VENV) var mutants staticfiles .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
