# Groundswell's commands. Each works from a fresh clone with Python 3.11 or later and nothing else.
#
#   make run     everything, on http://127.0.0.1:8000; options by ARGS="--port 9000 --no-demo"
#   make test    the whole suite on its own servers; a part by ARGS="segments -k flips"
#   make night   the long proofs: 19 000 random rules, 500 orders of reports, sending effectively once, engines killed, the crash storm
#   make check   what CI asks before the tests: style, types, import contract, migrations, deployment
#   make bench   the benchmarks; one by ARGS=ingest
#   make format  rewrite the code in house style
#   make lock    pin the versions that requirements*.in allow
#   make clean   remove .venv and caches; the trial's data in .groundswell/ stays

VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
SUITABLE := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for name in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$name -c "$(SUITABLE)" 2>/dev/null && echo $$name && break; done)
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement

# Well-formed and worthless: `manage.py check --deploy` judges the settings, nothing connects.
PRODUCTION := GROUNDSWELL_MODE=production \
	SECRET_KEY=check-only-9f4c1b7a2e8d5063-check-only-4b8e1d6c0a7f3952-no-secret \
	ALLOWED_HOSTS=groundswell.example PUBLIC_URL=https://groundswell.example HTTPS=1 \
	DATABASE_URL=postgresql://groundswell:word@database.example:5432/groundswell \
	REDIS_URL=redis://redis.example:6379/0 \
	EMAIL_URL=smtp://groundswell:word@mail.example:587?tls=starttls \
	DEFAULT_FROM_EMAIL=hello@groundswell.example
CODE_ONLY := GROUNDSWELL_MODE=test SECRET_KEY=code-only

CHROMIUM = $(shell command -v chromium || command -v chromium-browser || command -v google-chrome || \
	ls -d "$${PLAYWRIGHT_BROWSERS_PATH:-$$HOME/.cache/ms-playwright}"/chromium* \
	"$$HOME/Library/Caches/ms-playwright"/chromium* 2>/dev/null | head -n 1)

.PHONY: run test night check bench format words lock clean
.DEFAULT_GOAL := run

run: $(VENV)/installed
	@exec $(BIN)/python manage.py up $(ARGS)

test: $(VENV)/installed-dev
ifeq ($(strip $(CHROMIUM)),)
	@echo "No Chromium here: browser tests are left out (install one with '$(BIN)/playwright install chromium')."
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -q -m "not browser" $(ARGS)
else
	@$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -q $(ARGS)
endif

night: $(VENV)/installed-dev
	@SEGMENT_CASES=1000 $(BIN)/python -m pytest -n 2 -q segments/tests/test_oracle.py segments/tests/test_behaviours.py
	@REPORT_CASES=500 $(BIN)/python -m pytest -q delivery/tests/test_report_orders.py
	@ONCE_STRIDE=1 $(BIN)/python -m pytest -q delivery/tests/test_once.py
	@STORM_MESSAGES=100000 CRASH_SEED=$$(date +%Y%m%d) $(BIN)/python -m pytest -q delivery/tests/test_once_storms.py
	@ENGINE_STRIDE=1 ENGINE_STORM_PEOPLE=50000 CRASH_SEED=$$(date +%Y%m%d) $(BIN)/python -m pytest -q automations/tests/test_killed.py
	@MODEL_CASES=300 MODEL_STEPS=40 $(BIN)/python -m pytest -q automations/tests/test_model.py automations/tests/test_files.py
	@CRASH_PEOPLE=2000 CRASH_SEED=$$(date +%Y%m%d) $(BIN)/python -m pytest -q tests/flows/test_crash.py $(ARGS)

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(CODE_ONLY) $(BIN)/mypy
	$(BIN)/lint-imports
	@# Without a database Django warns that it cannot compare with applied migrations; only files matter here.
	$(CODE_ONLY) $(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	@echo "manage.py check --deploy --fail-level WARNING, as in production"
	@$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

bench: $(VENV)/installed-dev
	@$(BIN)/python -m benchmarks $(ARGS)

format: $(VENV)/installed-dev
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

# Needs gettext; the result is committed, so that nobody else does.
words:
	for po in locale/*/LC_MESSAGES/django.po; do msgfmt --check-format -o "$${po%.po}.mo" "$$po"; done

lock: $(VENV)/installed-dev
	$(BIN)/uv pip compile -q requirements.in -o requirements.txt --no-header --no-emit-index-url --python-version 3.11
	$(BIN)/uv pip compile -q requirements-dev.in -o requirements-dev.txt --no-header --no-emit-index-url --python-version 3.11

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis test-results
	find . -name __pycache__ -type d -not -path "./$(VENV)/*" -prune -exec rm -rf {} +

$(VENV)/installed: requirements.txt | $(BIN)/pip
	@echo "Installing what Groundswell needs into $(VENV) …"
	@$(INSTALL) requirements.txt
	@touch $@

$(VENV)/installed-dev: requirements.txt requirements-dev.txt | $(BIN)/pip
	@echo "Installing what Groundswell and its tests need into $(VENV) …"
	@$(INSTALL) requirements-dev.txt
	@touch $@ $(VENV)/installed

$(BIN)/pip:
	@test -n "$(PYTHON)" || { echo "Groundswell needs Python 3.11 or later, and none was found." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "$(PYTHON) cannot make a virtual environment; on Debian: apt-get install python3-venv." >&2; exit 1; }
