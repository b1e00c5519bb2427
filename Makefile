# The verbs of this repository. All of them work on a machine that has only Python 3.11, git and make.
# With uv on the PATH the locked environment is made by uv, else by pip from the same lock.

VENV    := .venv
BIN     := $(VENV)/bin
READY   := $(VENV)/.ready
PYTHON  ?= python3
UV      := $(shell command -v uv 2>/dev/null)
WORKERS ?= 2
ARGS    ?=

.PHONY: help demo run test soak check format bench
.DEFAULT_GOAL := help

help: ## Say what the verbs are.
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(READY) ## Watch people from two identity providers become RoleBindings (ARGS=--exit to end by itself).
	@$(BIN)/scim-bridge demo $(ARGS)

run: $(READY) ## Serve the SCIM door and keep the clusters in step, in one process on SQLite.
	@$(BIN)/scim-bridge run $(ARGS)

test: $(READY) ## Run every test (REQUIRE_ALL=1 makes a missing database or kube-apiserver a failure).
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadgroup $(ARGS)

soak: $(READY) ## Ten minutes (SOAK_SECONDS=3600: an hour) of dying processes, and ten of bad requests (FUZZ_SEED=N repeats).
	PYTHONPATH=. $(BIN)/python benchmarks/soak.py --seconds $${SOAK_SECONDS:-600} --seed $${SOAK_SEED:-$(shell date +%s)}
	FUZZ_SECONDS=$${FUZZ_SECONDS:-600} FUZZ_SEED=$${FUZZ_SEED:-$(shell date +%s)} $(BIN)/pytest tests/scim/test_fuzzing.py $(ARGS)

check: $(READY) ## Lint, types, import contracts, the rules of the house, and known holes in dependencies.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/pytest tests/house
	$(BIN)/python .ci/supply_chain.py

format: $(READY) ## Put the code into the house's form.
	$(BIN)/ruff check --fix-only --exit-zero .
	$(BIN)/ruff format .

bench: $(READY) ## Measure: every script in benchmarks/, one after the other.
	@set -e; for script in $(filter-out benchmarks/soak.py,$(wildcard benchmarks/*.py)); do echo "== $$script"; PYTHONPATH=. $(BIN)/python "$$script"; done

$(READY): pyproject.toml uv.lock
ifneq ($(UV),)
	uv sync --frozen --quiet
else
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11")'
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing into $(VENV) ..."
	@# Every file is held to the hash in the lock; the project itself is built with what came that way.
	@$(BIN)/python .ci/locked_requirements.py uv.lock >$(VENV)/requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
	  --requirement $(VENV)/requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
endif
	@touch $@
