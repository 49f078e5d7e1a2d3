# Two targets answer most questions: `make demo` and `make test`. They set everything up themselves.
# make only knows the exit codes 0 and 2; scripts/run returns the documented ones.
# ARGS is handed on: make test ARGS="-k trip", make demo ARGS="--seconds 10".

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

setup: ## Install system packages (Debian 12, Ubuntu 24.04), make .venv, build bpf/
	@scripts/setup test figures terminal metrics evaluation

demo: ## See the telemetry adapt to a flood, on a real XDP hook
	@scripts/run demo $(ARGS)

test: ## Run all tests
	@scripts/run test $(ARGS)

check: ## Lint, formats and types
	@scripts/check

soak: ## Ten minutes of lab run under changing load: memory flat, nothing lost
	@scripts/soak $(ARGS)

matrix: ## Load every program and lesson in other kernels, booted in qemu
	@scripts/matrix $(ARGS)

docs: ## Write the generated pages and build the site into site/
	@scripts/docs $(ARGS)

clean: ## Remove what builds and tools left; .venv stays
	rm -rf bpf/build .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name .venv -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help setup demo test check soak matrix docs clean
