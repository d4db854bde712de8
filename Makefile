# HandWriter: `make` lists what can be done. How .venv is made and kept fresh is in .ci/setup.sh.
# ARGS goes to the program behind a target; PYTHON names the interpreter that .venv is made with (3.11 or newer).

.DEFAULT_GOAL := help
.PHONY: help setup run test lint bench
MAKEFLAGS += --no-print-directory
export PYTHON
VENV := .venv/bin/python

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

setup: ## Make .venv and install what the demo needs
	@bash .ci/setup.sh demo

run: setup ## Start the demo at http://127.0.0.1:7860    (make run ARGS="--port 7861")
	@exec $(VENV) app.py $(ARGS)

# All checks run even when an early one fails; the tests come last, so that their summary is the last thing printed.
# Two processes keep two cores busy; with more of them, browsers and servers wait for one another beyond all patience.
test: ## Set up, check and test everything           (make test ARGS="-k ink" for some tests)
	@bash .ci/setup.sh tests
	@status=0; $(call checks) $(VENV) -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS) || status=$$?; exit $$status

lint: ## Check style, format and types only
	@bash .ci/setup.sh checks
	@status=0; $(call checks) exit $$status

bench: ## Measure speed, size and quality             (make bench ARGS="start" for one)
	@bash .ci/setup.sh tests
	@exec $(VENV) benchmarks $(ARGS)

define checks
$(VENV) -m ruff check . || status=1; $(VENV) -m ruff format --check . || status=1; $(VENV) -m mypy || status=1;
endef
