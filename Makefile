# `make repro` takes MNIST to a trained model, its figures and its pictures; `make params` tells whether params.yaml is
# right; `make test` runs the tests; `make bench` times it all; `make seeds` runs it with three seeds, `make effects`
# with other settings; `make audit` looks for known vulnerabilities; `make fuzz` throws an hour of bad bytes at the
# parser of the raw files. They first make the environment in .venv, from the pinned and hashed requirements.

PYTHON ?= python3
BIN := .venv/bin
FUZZ_SECONDS ?= 3600
# Else DVC cannot work from a path that is not ASCII in a locale that is.
export PYTHONUTF8 = 1

.PHONY: repro params test bench seeds effects lint audit fuzz lock page clean

repro: params
	$(BIN)/dvc repro

# Before DVC, which removes the outputs of a stage and then runs it, whether it will refuse its parameters or not.
params: .venv/ready
	@PYTHONPATH=src $(BIN)/python -m vae.settings

test: .venv/ready-dev lint
	$(BIN)/python -m pytest --cov --numprocesses 2

# An hour or more, most of it the post's own settings; `make bench PARTS=step` for some of it.
bench: repro .venv/torch/ready
	PYTHONPATH=src $(BIN)/python -m benchmarks $(PARTS)

# Two runs more than `make repro`: the figures with three seeds, and how they vary.
seeds: repro
	PYTHONPATH=src $(BIN)/python -m benchmarks.seeds

# What the post does otherwise: a training for each.
effects: repro
	PYTHONPATH=src $(BIN)/python -m benchmarks.effects

lint: .venv/ready-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# Asks osv.dev for known vulnerabilities of the pins of this Python and system; fails where it cannot be asked, too.
audit: .venv/ready-dev
	$(BIN)/pip-audit --strict --vulnerability-service osv --progress-spinner off --disable-pip \
		-r requirements.txt -r requirements-dev.txt

fuzz: .venv/fuzz/ready
	PYTHONPATH=src .venv/fuzz/bin/python tests/fuzz/fuzz_idx.py -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1

.venv/ready: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "error: $(PYTHON) is not Python 3.11, 3.12 or 3.13; name one: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements.txt
	@# DVC runs the stages' `python` from PATH: this puts the environment first there, activated or not.
	@echo 'import os, sys; os.environ["PATH"] = os.path.join(sys.prefix, "bin") + os.pathsep + os.environ.get("PATH", "")' \
		> "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/stage_python.pth"
	@touch $@

.venv/ready-dev: requirements-dev.txt .venv/ready
	$(BIN)/python -m pip install --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

.venv/torch/ready: benchmarks/requirements.txt .venv/ready
	$(PYTHON) -m venv .venv/torch
	.venv/torch/bin/python -m pip install --disable-pip-version-check -r benchmarks/requirements.txt
	@touch $@

.venv/fuzz/ready: tests/fuzz/requirements.txt .venv/ready
	$(PYTHON) -m venv .venv/fuzz
	.venv/fuzz/bin/python -m pip install --disable-pip-version-check -r tests/fuzz/requirements.txt
	@touch $@

# Renews the pins; the hashes need no index host.
lock: .venv/ready-dev
	$(BIN)/uv pip compile --universal --python-version 3.11 --upgrade --generate-hashes \
		--no-emit-index-url --no-strip-extras --no-annotate --no-header --quiet pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile --universal --python-version 3.11 --upgrade --generate-hashes \
		--no-emit-index-url --no-strip-extras --no-annotate --no-header --quiet --group dev -c requirements.txt -o requirements-dev.txt

# Renews the libraries in the page of `dvc plots`; needs npm.
page: .venv/ready
	$(BIN)/python .dvc/plots/renew_page.py

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .coverage*
