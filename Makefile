# Every target sets up what it needs, once. `make help` lists them.
DATASET ?= demo
QUARTER ?= latest
PYTHON  ?= python3
BIN     := .venv/bin
ROI     := $(BIN)/alignment-roi

# Kernels of nbval and JupyterLab are forked, as those of reports are: no wait for imports.
export JUPYTER_DEFAULT_PROVISIONER_NAME := alignment-roi-forked
# pytest keeps what it makes of a test file, also where Python is told to write no bytecode: half a minute of each run.
test studies: export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help report test studies trial attack lint hooks lab bench bar warehouse cluster clean

help: ## list what make can do here
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10
	@echo; echo "variables: DATASET=$(DATASET)  a folder of data/raw    QUARTER=$(QUARTER)  latest, previous or a quarter such as 2026Q3"

# One environment from the lock. uv makes it seconds; where it cannot be had or cannot connect, pip does the same from the same hashes.
# The packages are compiled here because some machines write no bytecode at import, and a kernel starts often.
.venv/ready: requirements.lock pyproject.toml
	@rm -rf .venv && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "alignment-roi needs Python 3.11 or newer")'
	@echo "setting up .venv from requirements.lock"
	@$(PYTHON) -m venv .venv
	@{ $(BIN)/python -m pip install -q --disable-pip-version-check uv==0.13.9 \
	 && $(BIN)/uv pip install -q --python $(BIN)/python --require-hashes -r requirements.lock; } \
	 || $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -q --no-deps --no-build-isolation --disable-pip-version-check -e .
	@$(BIN)/python -m compileall -qq -j 0 .venv/lib src >/dev/null || true
	@touch $@

.venv/lint: .venv/ready requirements-lint.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-lint.lock && touch $@

.venv/oracle: .venv/ready requirements-oracle.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-oracle.lock && touch $@

# A demo of an older version has no settings of its own: it is written anew.
data/raw/demo/alignment.toml: | .venv/ready
	@$(ROI) demo

.venv/cluster: .venv/ready requirements-cluster.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-cluster.lock && touch $@

cluster: .venv/cluster ## install what lets the machines of a dask cluster make packs

.venv/warehouse: .venv/ready requirements-warehouse.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-warehouse.lock && touch $@

warehouse: .venv/warehouse ## install the drivers that `alignment-roi pull` reads warehouses by

report: .venv/ready $(if $(filter demo,$(DATASET)),data/raw/demo/alignment.toml) ## write the quarterly PDF: make report [DATASET=demo] [QUARTER=latest]
	@$(ROI) report $(DATASET) $(if $(filter demo-latest,$(DATASET)-$(QUARTER)),--quarter previous) --quarter $(QUARTER)

test: .venv/ready data/raw/demo/alignment.toml ## prove it: unit, statistical, notebook and end-to-end tests
	@$(ROI) clean demo >/dev/null && OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

trial: .venv/ready ## run every folder of cases and print what came of each
	@PYTHONPATH=tests/support $(BIN)/python tests/trial.py

attack: .venv/ready ## try some 7,000 hostile files and print what came of each kind (ten minutes at most)
	@PYTHONPATH=tests/support:tests/sources OPENBLAS_NUM_THREADS=1 timeout 600 $(BIN)/python tests/attack.py

lint: .venv/lint ## ruff, sqlfluff, mypy and the layers
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/sqlfluff lint -q src && $(BIN)/mypy && $(BIN)/lint-imports

hooks: .venv/lint ## let git run the quick checks before each commit
	@$(BIN)/pre-commit install

lab: .venv/ready data/raw/demo/alignment.toml ## open the notebooks in JupyterLab: make lab [LAB="--ip 0.0.0.0"]
	@$(ROI) clean $(DATASET) && cd notebooks && ../$(BIN)/jupyter lab $(LAB)

studies: .venv/ready ## run the tests that `make test` leaves out: wide matrices, many simulations, whole reports
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder -m study

bench: .venv/oracle studies ## print the benchmark tables, after the studies
	@for script in panel clean selling_time growth alignment roi capture lead_funnel marketing_requests closed_loop joint_work size_of_tests report; do $(BIN)/python benchmarks/$$script.py || exit 1; done

bar: .venv/ready ## print what a report engine has to do, row by row, and the tests that show it
	@$(ROI) clean demo >/dev/null && $(BIN)/python benchmarks/bar.py

clean: ## remove what can be rebuilt (never data/raw or data/history)
	@find data/processed reports -mindepth 1 ! -name .gitkeep -delete
