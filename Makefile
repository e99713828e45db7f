# make reconcile: the first thing to try. make test: the whole test suite. Everything else is for those who work on it.
.DEFAULT_GOAL := reconcile
.PHONY: reconcile setup test check score bench sample soak lock wheelhouse clean

PYTHON ?= python3
RUN := .venv/bin/reconcile
# make setup WHEELHOUSE=dir: from a folder made by `make wheelhouse`, without a network
WHEELHOUSE ?=
OFFLINE := $(if $(WHEELHOUSE),--no-index --find-links $(abspath $(WHEELHOUSE)))
# make wheelhouse INTO=dir PLATFORM="manylinux_2_28_aarch64 manylinux2014_aarch64" PY=3.11: for another machine than this
INTO ?= wheelhouse
PLATFORM ?=
PY ?=

# The environment is made once per lock file; uv is used when it is there, pip otherwise.
.venv/.ready: requirements.lock pyproject.toml
	@echo "preparing .venv (once, about half a minute) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11"; exit 1; }
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv -q --allow-existing --python $(PYTHON) .venv && VIRTUAL_ENV=.venv uv pip sync -q --require-hashes $(OFFLINE) requirements.lock && \
	  VIRTUAL_ENV=.venv uv pip install -q --no-deps --no-build-isolation -e . ; \
	else \
	  $(PYTHON) -m venv .venv && .venv/bin/python -m pip install -q --require-hashes $(OFFLINE) -r requirements.lock && \
	  .venv/bin/python -m pip install -q --no-deps --no-build-isolation -e . ; \
	fi
	@touch .venv/.ready

setup: .venv/.ready

# 3 (some list not accepted) and 4 (held for approval) are answers, not failures: the summary says which.
# out/ is the sample's alone: where a state of real lists lies there, nothing is touched.
reconcile: .venv/.ready
	@if [ -e out/state ] && [ ! -e out/.sample ]; then \
	  echo "out/state is not the sample's (no out/.sample): move it away first / out/state 不是样例的状态，请先移走"; exit 1; fi
	@mkdir -p out && touch out/.sample
	@$(RUN) run --inbox data/sample --out out; code=$$?; \
	  case $$code in 0) ;; 3|4) echo "exit code $$code: some answers wait, see above / 部分结论待定，见上";; *) exit $$code;; esac

# The tests start hundreds of processes; where Python is told to write no bytecode each would compile everything anew.
test: .venv/.ready
	@.venv/bin/python -m compileall -q -j 2 .venv/lib pipeline >/dev/null || true
	.venv/bin/python -m pytest -n 2 --dist worksteal

check: .venv/.ready
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-cache
	$(RUN) schemas check
	$(RUN) rules check
	$(RUN) rules test

score: .venv/.ready
	.venv/bin/python benchmarks/score.py

bench: .venv/.ready
	.venv/bin/python benchmarks/ids.py
	.venv/bin/python benchmarks/intake.py
	.venv/bin/python benchmarks/febrl.py
	.venv/bin/python benchmarks/matching.py
	.venv/bin/python benchmarks/rules.py
	.venv/bin/python benchmarks/bench.py

sample: .venv/.ready
	rm -rf data/sample && $(RUN) sample --people 5000 --seed 12 --out data/sample

soak: .venv/.ready
	.venv/bin/python benchmarks/soak.py
	.venv/bin/python tests/rules/run_mutations.py 2000
	LEDGER_KILLS=2000 LEDGER_DAMAGES=1000 LEDGER_FEEDBACK=5000 LEDGER_YEARS=20 .venv/bin/python -m pytest -n 2 tests/cases
	MAIL_LETTERS=2000 MAIL_FAULTS=500 MAIL_KILLS=300 COURIER_MAILS=2000 EGRESS_CONFIGS=1000 OFF_THE_NET=1 .venv/bin/python -m pytest -n 2 tests/delivery tests/test_wheelhouse.py
	.venv/bin/python tests/scenarios/killed_nights.py --moments 200
	.venv/bin/python tests/scenarios/killed_nights.py
	.venv/bin/python benchmarks/cases.py --damages 100
	.venv/bin/python benchmarks/ledger.py

lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --extra dev pyproject.toml -o requirements.lock \
	  --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

# Every package as a wheel, checked against the lock's hashes, with the project's own: for machines without a network (INSTALL.md inside).
wheelhouse: .venv/.ready
	rm -rf $(INTO) && mkdir -p $(INTO)
	.venv/bin/python -m venv $(INTO)/.pip
	$(INTO)/.pip/bin/python -m pip download -q --disable-pip-version-check --require-hashes --no-deps --only-binary :all: \
	  $(foreach tag,$(PLATFORM),--platform $(tag)) $(if $(PY),--python-version $(PY)) -r requirements.lock -d $(INTO)
	rm -rf $(INTO)/.pip
	.venv/bin/python -m hatchling build -t wheel -d $(abspath $(INTO)) >/dev/null
	cp requirements.lock packaging/install.sh packaging/INSTALL.md $(INTO)/
	.venv/bin/python -c 'import platform as p; print("$(PLATFORM)" or p.platform(), "Python", "$(PY)" or p.python_version())' > $(INTO)/PLATFORM
	cd $(INTO) && sha256sum *.whl requirements.lock > SHA256SUMS
	@echo "$$(ls $(INTO)/*.whl | wc -l) wheels, $$(du -sh $(INTO) | cut -f1): $(INTO)/INSTALL.md"

clean:
	rm -rf .venv out build dist wheelhouse
