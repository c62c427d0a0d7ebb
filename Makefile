# Needs Python >= 3.11, git and make. Each target sets up $(VENV) from constraints.txt first, and again when a pin changes.
#   make verify ARGS="..."            more options for `gnomon verify` (also for report, test and bench)
#   make verify PYTHON=python3.12     another interpreter
#   make verify PIP_ARGS="..."        options for pip: the package index of torch's CPU builds, say, since on Linux
#                                     the default wheel brings gigabytes of CUDA; a proxy; a local folder of wheels
PYTHON ?= python3
PIP_ARGS ?=
ARGS ?=
OUT ?= out
VENV ?= .venv

# Paths may hold spaces: make's own functions split there, so paths are made absolute by hand, and quoted where used.
space := $(subst ,, )
absolute = $(if $(filter /%,$(firstword $(1))),$(1),$(CURDIR)/$(1))
BIN := $(call absolute,$(VENV))/bin
STAMP := $(subst $(space),\ ,$(VENV))/.stamp
PIP := "$(BIN)/python" -m pip --disable-pip-version-check

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help verify report test lint bench clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

verify: $(STAMP) ## check every claim against every reference model, and write the correctness report
	@status=0; "$(BIN)/gnomon" verify --out "$(OUT)" --dtype float64,float32,bfloat16,float16 $(ARGS) || status=$$?; \
	if [ $$status -ne 2 ]; then echo "The report:"; "$(BIN)/gnomon" report "$(call absolute,$(OUT))"; fi; exit $$status

report: $(STAMP) ## write the report again from the evidence at hand
	@"$(BIN)/gnomon" report "$(call absolute,$(OUT))" $(ARGS)

test: $(STAMP) ## run every test
	"$(BIN)/pytest" --numprocesses auto --maxprocesses 8 --dist worksteal $(ARGS)

# mypy cannot follow an editable install of mapped folders, so it reads the installed tree; old files must not linger
# there, and it must read as many files as there are.
lint: $(STAMP) ## ruff, and mypy on the installed tree
	"$(BIN)/ruff" check .
	"$(BIN)/ruff" format --check .
	rm -rf build/tree build/lib build/bdist.*
	$(PIP) install --quiet --no-deps --no-index --no-build-isolation --target build/tree .
	@files=$$(find gnomon reports -name '*.py' | sed 's|^reports/|gnomon/reports/|'); count=$$(wc -l <<< "$$files"); \
	(cd build/tree && "$(BIN)/mypy" --config-file "$(CURDIR)/pyproject.toml" --cache-dir "$(CURDIR)/.mypy_cache" $$files) \
	  | tee build/mypy.txt; \
	grep -q "no issues found in $$count source files" build/mypy.txt || \
	  { echo "mypy must read all $$count files of gnomon/ and reports/" >&2; exit 1; }

bench: $(STAMP) ## run the benchmarks
	@for name in truth power states speed false_alarms right_programs; do echo "== $$name"; "$(BIN)/python" benchmarks/$$name.py $(ARGS); done

clean: ## remove what the other targets wrote, but for .venv
	rm -rf out build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

# pip and setuptools first: older pips know no --group, and with the pinned setuptools at hand the build needs no download.
$(STAMP): pyproject.toml constraints.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Gnomon needs Python >= 3.11; try make PYTHON=python3.11")'
	"$(PYTHON)" -m venv "$(VENV)"
	$(PIP) install --quiet $(PIP_ARGS) -c constraints.txt pip setuptools
	$(PIP) install --quiet $(PIP_ARGS) -c constraints.txt --no-build-isolation -e . --group dev
	@"$(BIN)/gnomon" list > /dev/null 2>&1 # the first listing builds every formula; later ones remember it
	@touch "$@"
