# What one types here. Everything is done by ./isac; it needs Python 3.11 or newer with pip, and make.
PYTHON ?= python3

.DEFAULT_GOAL := help
.PHONY: help run test check bench lock clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

run: ## three national nodes and the hub on this machine, with a story in them
	@$(PYTHON) isac demo

test: ## every test, on SQLite and PostgreSQL, pages in a browser
	@$(PYTHON) isac test

check: ## style, types, floors, lock files, the honesty of the tree
	@$(PYTHON) isac check

bench: ## measure the numbers of README.md again, in some minutes
	@$(PYTHON) isac bench

lock: ## make the lock files again from pyproject.toml
	@$(PYTHON) isac lock

clean: ## remove what ./isac and the tools made (not a node's data)
	rm -rf .venv .tools .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
