# `make repro` takes MNIST to a trained model, its results and its pictures. `make test` runs the linter, the type checker
# and all tests; `make check` a fast part of them. CONTRIBUTING.md describes the other targets. Each target first makes
# the environment in .venv that it needs, from the pinned and hashed requirements.

PYTHON ?= python3
BIN := .venv/bin
FUZZ_SECONDS ?= 3600
# GPU=1 adds NVIDIA's libraries, so that TensorFlow computes on the machine's GPUs.
GPU ?= 0
ifeq ($(filter 0 1,$(GPU)),)
$(error GPU is "$(GPU)", but must be 1, for NVIDIA's libraries, or 0)
endif
DOCUMENTS := README.md $(wildcard docs/*.md)
PLACE := $(shell pwd -P)

# The stages run `python`: the environment's.
export PATH := $(PLACE)/$(BIN):$(PATH)
# Otherwise DVC fails in a path that is not ASCII under an ASCII locale.
export PYTHONUTF8 = 1
# Settings of the shell that are meant for other environments, or slow every start of Python down.
unexport PYTHONHOME PYTHONPATH PYTHONSAFEPATH PYTHONNOUSERSITE PYTHONDONTWRITEBYTECODE PYTHONOPTIMIZE PYTHONWARNINGS
unexport PIP_PREFIX PIP_ROOT PIP_TARGET PIP_REQUIRE_VIRTUALENV UV_TARGET UV_PREFIX UV_SYSTEM_PYTHON VIRTUAL_ENV
export PIP_USER = 0

# Programs in an environment contain its path, so a moved or copied checkout makes its environment again.
ifneq ($(shell cat .venv/place 2>/dev/null),$(PLACE))
$(shell rm -f .venv/ready .venv/ready-*)
endif

.PHONY: repro prepare params test coverage check bench seeds effects literature rate-distortion lint docs audit fuzz lock page clean git-clone git-commit export-packages s3-packages sweep-packages push-runs card

repro: params
	$(BIN)/dvc repro

# Only the data, for a training on several machines.
prepare: params
	$(BIN)/dvc repro prepare

# Before `dvc repro`, which removes the outputs of a stage before the stage can refuse its parameters.
params: .venv/ready $(if $(filter 1,$(GPU)),.venv/ready-gpu)
	@$(BIN)/python -m vae.settings

# Three processes keep two cores busy: some tests wait for a timer or for processes of their own.
test: .venv/ready-dev lint
	$(BIN)/python -m pytest --numprocesses 3

# All tests, and which lines of src/ they run: it takes about a third longer.
coverage: .venv/ready-dev
	$(BIN)/python -m pytest --cov --numprocesses 3

# The linter, the type checker and the tests that need no TensorFlow: some 30 seconds.
check: .venv/ready-dev lint
	$(BIN)/python -m pytest -q -m "not slow" tests/io tests/settings tests/data tests/docs tests/test_rooms.py

# More than two hours, of which `memory` and the tutorial's own settings take most; `make bench PARTS=step` for some of it.
bench: repro .venv/ready-export .venv/torch/ready
	$(BIN)/python -m benchmarks $(PARTS)

# The results with three seeds, and how they vary: two runs more than `make repro`.
seeds: git-commit repro
	$(BIN)/python -m benchmarks.seeds

# What the tutorial does differently: a training for each difference.
effects: git-commit repro
	$(BIN)/python -m benchmarks.effects

# The presets in params/, next to published results: hours; `make literature PRESETS="flow resnet"` for some.
literature: git-commit params
	$(BIN)/python -m benchmarks.literature $(PRESETS)

# Rate and distortion for some weights of the KL and latent dimensions: within an hour.
rate-distortion: git-commit params
	$(BIN)/python -m benchmarks.rate_distortion

# What `vae export` needs.
export-packages: .venv/ready-export

# What a remote of DVC in S3 needs.
s3-packages: .venv/ready-s3

# What `vae sweep` needs.
sweep-packages: .venv/ready-sweep

# All earlier runs with their outputs, to the default remote of DVC: another clone's `dvc repro --pull` restores them.
push-runs: params
	$(BIN)/python .dvc/push_runs.py

# The model card of the committed run, which a test compares with it.
card: repro
	$(BIN)/vae card --output docs/model-card.md --force

lint: .venv/ready-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/cog --check -I . $(DOCUMENTS)

# Generates the tables in the documents again.
docs: .venv/ready-dev
	$(BIN)/cog -r -I . $(DOCUMENTS)

# Asks osv.dev for known vulnerabilities of the pins of this Python and system; fails where it cannot be reached, too.
audit: .venv/ready-dev
	$(BIN)/pip-audit --strict --vulnerability-service osv --progress-spinner off --disable-pip \
		$(patsubst %,-r %,$(wildcard requirements*.txt))

fuzz: .venv/fuzz/ready
	PYTHONPATH=src .venv/fuzz/bin/python tests/data/fuzz/fuzz_idx.py -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1

# What DVC would fail for, some of it only after the stages have run.
git-clone:
	@command -v git >/dev/null || { echo "error: git is not installed, but DVC needs it." >&2; exit 1; }
	@test -e .git || { echo "error: this folder is not a git repository, which DVC needs: get it by git clone, not as a ZIP" \
		"file, or run git init in it." >&2; exit 1; }
	@git rev-parse --git-dir >/dev/null 2>&1 || { case "$$(LC_ALL=C git rev-parse --git-dir 2>&1)" in *"dubious ownership"*) \
		echo "error: this folder belongs to another user, so git and DVC refuse it: if you trust its contents, run" \
		"git config --global --add safe.directory '$(PLACE)'" ;; \
		*) echo "error: git cannot read this repository: $$(git rev-parse --git-dir 2>&1 | head -n 1)" ;; esac >&2; exit 1; }

# DVC's experiments start from a commit; from the second on, they commit what has changed since.
git-commit: git-clone
	@git rev-parse --quiet --verify HEAD >/dev/null || { echo "error: this git repository has no commit, from which DVC's" \
		"experiments start: run git add --all, then git commit." >&2; exit 1; }
	@{ git config user.name && git config user.email; } >/dev/null || { test -n "$$GIT_AUTHOR_NAME" -a -n "$$GIT_AUTHOR_EMAIL" \
		-a -n "$$GIT_COMMITTER_NAME" -a -n "$$GIT_COMMITTER_EMAIL"; } || \
		{ echo "error: git knows no name for you, which DVC's experiments need: run git config --global user.name NAME," \
		"and git config --global user.email ADDRESS." >&2; exit 1; }

.venv/ready: requirements-uv.txt requirements.txt pyproject.toml | git-clone
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
		{ echo "error: $(PYTHON) is not Python 3.11, 3.12 or 3.13; name one: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	$(BIN)/uv pip install --python $(BIN)/python --require-hashes -r requirements.txt
	$(BIN)/uv pip install --python $(BIN)/python --quiet --no-deps --editable .
	@# A relative path, since Python 3.11 reads it in the locale's encoding, which the absolute one may not fit.
	@echo ../../../../src > "$$(echo .venv/lib/python3.*/site-packages/vae_pipeline.pth)"
	@pwd -P > .venv/place
	@touch $@

# The packages of an optional group, such as `export`.
.venv/ready-%: requirements-%.txt .venv/ready
	$(BIN)/uv pip install --python $(BIN)/python --require-hashes -r $<
	@touch $@

.venv/ready-dev: .venv/ready-export .venv/ready-s3 .venv/ready-sweep

.venv/torch/ready: benchmarks/requirements.txt .venv/ready
	$(PYTHON) -m venv .venv/torch
	.venv/torch/bin/python -m pip install --disable-pip-version-check -r benchmarks/requirements.txt
	@touch $@

.venv/fuzz/ready: tests/data/fuzz/requirements.txt .venv/ready
	$(PYTHON) -m venv .venv/fuzz
	.venv/fuzz/bin/python -m pip install --disable-pip-version-check -r tests/data/fuzz/requirements.txt
	@touch $@

COMPILE := $(BIN)/uv pip compile --universal --python-version 3.11 --upgrade --generate-hashes \
	--no-emit-index-url --no-strip-extras --no-annotate --no-header --quiet

# Renews the pins; the hashes need no index host.
lock: .venv/ready-dev
	$(COMPILE) --group uv -o requirements-uv.txt
	$(COMPILE) pyproject.toml -o requirements.txt
	for group in export gpu s3 sweep; do \
		$(BIN)/python -c 'import sys, tomllib; project = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
			print(*project["optional-dependencies"][sys.argv[1]], sep="\n")' $$group | \
			$(COMPILE) - -c requirements.txt -o requirements-$$group.txt || exit 1; \
	done
	$(COMPILE) --group dev -c requirements.txt -c requirements-export.txt -c requirements-s3.txt -c requirements-sweep.txt \
		-o requirements-dev.txt

# Renews the libraries in the page of `dvc plots`; needs npm.
page: .venv/ready
	$(BIN)/python .dvc/plots/renew_page.py

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .coverage*
