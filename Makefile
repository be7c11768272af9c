# The commands people type. Each sets up the environment when it is not there or not up to date.
# What follows a name (PERIOD=2024-05) reaches the command through the environment, as text: nothing in it is run.

.DEFAULT_GOAL := help
.NOTPARALLEL:
SETTINGS := PERIOD PARAMS JOBS ONLY AUDIENCE SEND
$(foreach name,$(SETTINGS),$(eval override $(name) := $$(value $(name))))
export $(SETTINGS)

bin := .venv/bin
ready := .venv/.ready
engines := .venv/.engines
strip := $(bin)/nbstripout --keep-id --extra-keys metadata.language_info.version
options = $${PARAMS:+"--params=$$PARAMS"}

.PHONY: help setup report email values check list sample test test-slow test-engines bench tidy docs translations lab clean moved

help: ## this list
	@echo "make COMMAND [PERIOD=2024-05] [PARAMS=params/report.yaml]; PERIOD is a month, 2024-Q2, 2024 or last"
	@sed -n 's/^\([a-z-]*\):.*## /\1 /p' Makefile | while read -r name what; do printf '  %-13s%s\n' "$$name" "$$what"; done

setup: $(ready) ## prepare .venv with the locked packages; every other command does so when needed
	@echo "ready: $(bin)/kpi"

report: $(ready) ## build reports/PERIOD (without PERIOD the last complete one); also ONLY=notebook, AUDIENCE=name or all, JOBS=number
	@$(bin)/kpi report $(options) $${ONLY:+"--only=$$ONLY"} $${AUDIENCE:+"--audience=$$AUDIENCE"} \
		$${JOBS:+"--jobs=$$JOBS"} -- "$${PERIOD:-last}"

email: $(ready) ## show the mails about the report of PERIOD; SEND=yes sends them; also AUDIENCE=name
	@case "$${SEND:-no}" in yes | no) ;; *) echo "SEND is yes or left out" >&2; exit 2 ;; esac
	@$(bin)/kpi email $(options) $${AUDIENCE:+"--audience=$$AUDIENCE"} \
		$$([ "$${SEND:-no}" = yes ] && echo --send) -- "$${PERIOD:-last}"

values: $(ready) ## print the scorecard of PERIOD, without notebooks
	@$(bin)/kpi values $(options) -- "$${PERIOD:-last}"

check: $(ready) ## look at params, sources and tables for PERIOD before anything runs
	@$(bin)/kpi check $(options) -- "$${PERIOD:-last}"

list: $(ready) ## every KPI with its meaning
	@$(bin)/kpi list $(options)

sample: $(ready) ## write the sample company to data/sample
	@$(bin)/kpi sample

test: $(ready) ## format, lint, types, layers, stripped notebooks, tests
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/mypy
	$(bin)/lint-imports
	$(strip) --verify notebooks/*.ipynb
	$(bin)/pytest --numprocesses auto --dist loadfile

test-slow: $(ready) ## measure by simulation: the 95 % intervals, false alarms, senders killed at every step; about three minutes
	$(bin)/pytest -m slow tests/slow

test-engines: $(engines) ## the same numbers on PostgreSQL, Spark and Spark Connect, each where it is installed; about ten minutes
	$(bin)/pytest -m engines -s tests/engines

bench: $(ready) ## measure speed and memory against stock tools; hours of a quiet machine; one part: python -m bench startup
	$(bin)/python -m bench

tidy: $(ready) ## format the code, mend what ruff can mend, strip notebook outputs
	$(bin)/ruff check --fix
	$(bin)/ruff format
	$(strip) notebooks/*.ipynb

docs: $(ready) ## write docs/kpis.md and docs/data.md anew from the code
	$(bin)/python -m kpi_lib.docs

translations: $(ready) ## renew the message catalogues from the code; what was translated stays
	$(bin)/python -m kpi_lib.catalogue

lab: $(ready) ## JupyterLab on the notebooks
	$(bin)/jupyter lab --notebook-dir=. notebooks

clean: ## remove caches; reports, records and data stay
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -path ./.venv -prune -o \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +

$(ready): pyproject.toml uv.lock setup.sh
	@./setup.sh

$(engines): $(ready)
	@./setup.sh engines
	@touch $@

# An environment holds the path of its folder; one that was moved or copied is made anew.
ifneq ($(CURDIR),$(shell cat $(ready) 2>/dev/null))
$(ready): moved
moved:
endif
