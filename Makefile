# Every target works on a fresh checkout: what it needs goes into .venv first. Stamp files keep the next run quick.
# Another interpreter: make test PYTHON=python3.13

SHELL := /bin/sh
VENV := .venv
RUN := $(VENV)/bin
LOCK := requirements-dev.lock
EXTRAS := redis,yaml,zstd,brotli,pydantic,solar,gevent,eventlet,tui
PIP := $(RUN)/python -m pip --quiet --no-input --disable-pip-version-check

# systems, scenarios and further options of `make bench`
SYSTEMS := celeriac-redis,celeriac-sqlite,celery-redis,huey-redis,huey-sqlite
SCENARIO := throughput
BENCH_OPTIONS :=
# Most tests of whole systems wait, so more of them run beside each other than there are cores.
BESIDE := 4
BENCH := $(wildcard ../shared/bench/bench.py)

.PHONY: help demo test test-long check format lint types imports unit reference bench names lock clean

help:
	@echo 'make demo       a real job on the embedded store: index the standard library'
	@echo 'make test       every check and every test; starts the servers it needs'
	@echo 'make test-long  the tests that run for minutes'
	@echo 'make check      format, lint, types, layers, unit tests: no server needed'
	@echo 'make reference  write docs/reference from the code'
	@echo 'make bench      side by side with other task queues'
	@echo 'make names      write the list of names that the shim has not yet'
	@echo 'make lock       renew $(LOCK)'
	@echo 'make clean      remove what these targets made'

$(VENV)/.made: scripts/make_venv.sh
	@PYTHON='$(PYTHON)' sh scripts/make_venv.sh $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.made pyproject.toml $(LOCK)
	@echo 'installing celeriac into $(VENV)'
	@$(PIP) install --constraint $(LOCK) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.made pyproject.toml $(LOCK)
	@echo 'installing celeriac with its extras and tools into $(VENV)'
	@$(PIP) install --requirement $(LOCK) --editable '.[$(EXTRAS)]'
	@touch $@ $(VENV)/.run

# A real Celery, apart from ours: the other end of the wire in tests.
$(VENV)/.celery: $(VENV)/.made
	@echo 'installing Celery into $(VENV)/celery'
	@$(RUN)/python -m venv $(VENV)/celery
	@$(VENV)/celery/bin/python -m pip --quiet --no-input --disable-pip-version-check install 'celery[redis]==5.7.0'
	@touch $@

demo: $(VENV)/.run
	@$(RUN)/python examples/index_stdlib/run.py

test test-long: export CELERIAC_TEST_CELERY_PYTHON := $(CURDIR)/$(VENV)/celery/bin/python

test: lint types imports $(VENV)/.celery
	$(RUN)/python scripts/servers.py --each $(BESIDE) $(RUN)/python -m pytest -m 'not long and not alone' -n $(BESIDE) --dist loadgroup --maxschedchunk 8
	$(RUN)/python scripts/servers.py $(RUN)/python -m pytest -m 'alone and not long'

test-long: $(VENV)/.dev $(VENV)/.celery
	$(RUN)/python scripts/servers.py $(RUN)/python -m pytest -m long

check: lint types imports unit

format: $(VENV)/.dev
	$(RUN)/ruff format .
	$(RUN)/ruff check --fix .

lint: $(VENV)/.dev
	$(RUN)/ruff format --check .
	$(RUN)/ruff check .

# The variable: or pyright asks the network whether there is a newer one.
types: $(VENV)/.dev
	$(RUN)/mypy
	PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(RUN)/pyright --pythonpath $(RUN)/python

imports: $(VENV)/.dev
	$(RUN)/lint-imports

unit: $(VENV)/.dev
	$(RUN)/python -m pytest -m 'not long' tests/unit

reference: $(VENV)/.dev
	$(RUN)/python scripts/generate_reference.py

bench: $(VENV)/.made
ifeq ($(BENCH),)
	@echo 'the side-by-side driver is not part of this checkout: ../shared/bench/bench.py is absent' >&2; exit 1
else
	$(RUN)/python scripts/servers.py --fast $(RUN)/python scripts/bench.py $(BENCH) \
		--systems '$(SYSTEMS)' --scenario $(SCENARIO) --spec celeriac=-e. --work .bench $(BENCH_OPTIONS)
endif

# Compares the shim with the inventory of Celery's names, which is not part of this checkout.
names: $(VENV)/.dev
	$(RUN)/python tests/names/ratchet.py

lock: $(VENV)/.made
	$(RUN)/python scripts/lock.py > $(LOCK).new
	mv $(LOCK).new $(LOCK)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .bench build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
