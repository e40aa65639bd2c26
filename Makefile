# The recipes that people and CI run. `make demo` and `make test` need nothing but Python 3.11, git and make.
.DEFAULT_GOAL := help
.PHONY: help setup demo test worlds check bench lock openapi screenshots clean
BIN := .venv/bin

help: ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## make .venv with the locked dependencies and the aiobserve command
	@tools/setup

demo: setup ## load the simulated company and serve it on http://127.0.0.1:8000
	@$(BIN)/aiobserve demo

test: setup ## pass every test, starting whatever servers they need
	@tools/browser
	@tools/test

worlds: setup ## pass the properties on 20,000 random worlds instead of 400
	AIOBSERVE_WORLDS=20000 $(BIN)/pytest tests/pure/attribution/test_worlds.py tests/pure/attribution/test_share_out.py \
		tests/store/test_periods.py tests/store/test_windows.py -q

check: setup ## lint, types, import contracts, pure tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest tests/pure tests/test_architecture.py -q

bench: setup ## measure the ratios and print them as a table and as JSON (bench.json)
	@$(BIN)/python -m tests.benchmarks

openapi: setup ## write docs/openapi.yaml again
	@$(BIN)/python manage.py spectacular --file docs/openapi.yaml

screenshots: setup ## take the README's screenshots again
	@tools/browser
	@AIOBSERVE_KEEP_SCREENSHOTS=1 $(BIN)/pytest tests/browser -q

lock: setup ## resolve the dependencies again and write requirements.lock
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --all-extras \
		--no-emit-index-url --no-header --no-annotate --upgrade pyproject.toml -o requirements.lock

clean: ## remove the environment and the demo's data
	rm -rf .venv .aiobserve
