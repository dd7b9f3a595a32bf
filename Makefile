# Each target does its own set-up in .venv, and can be run again after it was interrupted.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/ready
# How many clients' repos `make test-many` makes, and what its chance begins with.
N ?= 20
SEED ?= $(shell date +%s)
# Another Copier than the pinned one, in a fresh set-up: make test VENV=.venv-oldest COPIER=9.19.0
COPIER ?=
# Which version of Trino `make test-trino` starts; the tests of its own, the longest first, and those of queries that
# run there a second time; and of these which: every second (three and a half minutes on two cores), EVERY=1 all (five).
TRINO ?= 406
EVERY ?= 2
WHOLE_RUNS := tests/real_trino/test_workflows.py
ON_TRINO := $(WHOLE_RUNS) $(filter-out $(WHOLE_RUNS),$(wildcard tests/real_trino/test_*.py)) $(addprefix tests/test_, \
  windows.py latest_rows.py queries_for_people.py \
  names.py::test_a_query_for_people_runs_in_any_database_and_so_does_what_it_prints)
# What `make lint` looks at beside Python: ours, and what a client gets.
GITHUB ?= .github example/.github
# What `make digdag` gets, and its sum as Homebrew's formula of Digdag has it.
DIGDAG_URL ?= https://github.com/treasure-data/digdag/releases/download/v0.10.5.1/digdag-0.10.5.1.jar
DIGDAG_SHA256 ?= 4d1337d777bd334c2348e07ebc1795283aa50a2fd3b7d720cba5ee33b5486aa8

.DEFAULT_GOAL := help
.PHONY: help scaffold example picture lint lint-github test test-updates test-many test-engine test-trino test-setup bench \
  dry-run digdag publish rehearse release ready-to-release lock clean

help:
	@sed -n -e 's/^##@ //p' -e 's/^\([a-z-]*\):.*## \([A-Z]*=.*\): \(.*\)/  make \1 \2|\3/p' \
	  -e 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | tr '|' '\n' | sed 's/^[a-z]/      &/'

##@ For a client's repo (README.md):

scaffold: $(READY)  ## DEST=../acme-klaviyo: render the example answers there, from the tree as checked out
	@test -n "$(DEST)" || { echo "Say where: make scaffold DEST=../acme-klaviyo" >&2; exit 2; }
	@test ! -e "$(DEST)" || { test -d "$(DEST)" && test -z "$$(ls -A "$(DEST)")"; } || \
	  { echo "$(DEST) has something in it. Name a new or empty folder; to add Klaviyo to a repo, see README.md, Common cases." >&2; exit 1; }
	@$(VENV)/bin/copier copy --trust --vcs-ref HEAD --defaults --data-file example-answers.yml "$(CURDIR)" "$(DEST)"

dry-run: $(READY)  ## DIR=../acme-klaviyo: run its two workflows on your Digdag, a mock TD and no Klaviyo
	@test -d "$(DIR)/ingestion" || { echo "Say which client's repo: make dry-run DIR=../acme-klaviyo" >&2; exit 2; }
	@PATH="$$PATH:$(abspath $(VENV)/bin)" $(VENV)/bin/python tests/engine/dry_run.py "$(DIR)"

rehearse: dry-run  # what it was called at 0.1.0

##@ To change the template (CONTRIBUTING.md):

example: $(READY)  ## render example/ anew: a review shows what an edit does to a client
	@fresh=$$(mktemp -d) && trap 'rm -rf "$$fresh"' EXIT && \
	  PYTHONWARNINGS=ignore $(VENV)/bin/copier copy --quiet --trust --defaults --vcs-ref HEAD \
	    --data-file example-answers.yml "$(CURDIR)" "$$fresh/example" && \
	  (cd "$$fresh/example" && rm -r .copier-answers.yml ingestion/credentials_ingestion.json scripts) && \
	  rm -rf example && mv "$$fresh/example" example

picture: $(READY)  ## draw docs/status.svg anew, what scripts/klaviyo_status.py shows
	@$(VENV)/bin/python tests/draw_status.py

lint: $(READY)  ## what ruff and mypy say of every Python file, zizmor of the workflows
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ruff format --check --quiet . || { echo "Run $(VENV)/bin/ruff format ." >&2; exit 1; }
	@$(VENV)/bin/mypy --no-error-summary
	@$(MAKE) --no-print-directory lint-github

# Without network: the schemas come with the package, and zizmor asks nobody.
lint-github: $(READY)
	@$(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.github-workflows $(wildcard $(GITHUB:=/workflows/*.yml))
	@$(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.dependabot $(wildcard $(GITHUB:=/dependabot.yml))
	@$(VENV)/bin/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms \
	  $(filter-out %/config.yml,$(wildcard $(GITHUB:=/ISSUE_TEMPLATE/*.yml)))
	@found=$$($(VENV)/bin/zizmor --quiet --offline --no-progress --config .github/zizmor.yml $(GITHUB)) || \
	  { echo "$$found" >&2; exit 1; }

test: $(READY)  ## the tests that need neither a while nor Digdag nor Trino
	@$(VENV)/bin/pytest --numprocesses auto --ignore tests/engine --ignore tests/updates --ignore tests/random_clients \
	  --ignore tests/real_trino

test-updates: $(READY)  ## what `copier update` does, from each released version too
	@$(VENV)/bin/pytest --numprocesses auto tests/updates

test-many: $(READY)  ## N=100 SEED=7: so many repos, edited at random, updated from each version
	@seed=$(SEED); echo "SEED=$$seed"; \
	  CLIENTS=$(N) SEED=$$seed $(VENV)/bin/pytest --numprocesses auto tests/random_clients

test-engine: $(READY)  ## the workflows on a real Digdag, which must be on PATH
	@PATH="$$PATH:$(abspath $(VENV)/bin)" $(VENV)/bin/pytest --numprocesses 6 --dist loadfile --no-loadscope-reorder tests/engine

digdag: $(READY)  ## download Digdag 0.10.5.1 into .venv, where tests and dry runs find it
	@curl --fail --silent --show-error --location --retry 3 --output $(VENV)/digdag.jar "$(DIGDAG_URL)"
	@echo "$(DIGDAG_SHA256)  $(VENV)/digdag.jar" | shasum --algorithm 256 --check --status || \
	  { rm $(VENV)/digdag.jar; echo "$(DIGDAG_URL) is not what it was: its sum is another one." >&2; exit 1; }
	@printf '#!/bin/sh\nexec java -jar "%s" "$$@"\n' "$(abspath $(VENV))/digdag.jar" > $(VENV)/bin/digdag
	@chmod +x $(VENV)/bin/digdag

test-trino: $(READY)  ## TRINO=350 EVERY=1: queries and workflows on a real Trino; Java 17 and Maven on PATH
	@TRINO=$(TRINO) EVERY=$(EVERY) PATH="$$PATH:$(abspath $(VENV)/bin)" $(VENV)/bin/pytest --numprocesses auto --dist loadfile --no-loadscope-reorder $(ON_TRINO)

test-setup: $(READY)  ## a fresh clone of what is committed sets itself up, with downloads
	@$(VENV)/bin/pytest -m setup tests/test_make.py

bench: $(READY)  ## ONLY="copier check" PEERS=../a-clone: what a copy, an update, the check and runs cost, or parts of it
	@PEERS="$(PEERS)" $(VENV)/bin/python -B -m bench $(ONLY)

release: ready-to-release lint test test-updates test-many test-engine test-trino  ## VERSION=0.2.0: test, commit the changelog, tag; you push
	@git diff --quiet HEAD -- CHANGELOG.md || git commit --quiet --message "Release $(VERSION)" -- CHANGELOG.md
	@git tag "$(VERSION)"
	@echo "$(VERSION) is tagged. Push it, and clients will get it: git push origin HEAD $(VERSION)"

publish:  # what release.yml runs
	@$(PYTHON) .ci/release.py

ready-to-release:
	@echo "$(VERSION)" | grep -Eqx '[0-9]+\.[0-9]+\.[0-9]+' || \
	  { echo "Say which version: make release VERSION=0.2.0" >&2; exit 2; }
	@case "$$(grep -m 1 '^## ' CHANGELOG.md)" in "## $(VERSION) - "20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]) ;; *) \
	  echo "CHANGELOG.md: the first heading must be ## $(VERSION) - YYYY-MM-DD" >&2; exit 1 ;; esac
	@! git rev-parse --quiet --verify "refs/tags/$(VERSION)" >/dev/null || \
	  { echo "$(VERSION) is a tag already." >&2; exit 1; }
	@changes=$$(git status --porcelain | grep -v '^.. CHANGELOG\.md$$'); test -z "$$changes" || \
	  { echo "Commit these first, a release commits CHANGELOG.md only:" >&2; echo "$$changes" >&2; exit 1; }

lock: $(READY)  ## pin the newest versions of what pyproject.toml names
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check uv
	@{ echo "# Pinned for Python 3.10 and newer by \`make lock\`, from the names in pyproject.toml."; \
	  $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.10 --upgrade --no-header --no-annotate \
	    --no-emit-index-url --group dev; } > requirements.new && mv requirements.new requirements.txt

clean:  ## remove the set-up
	@rm -rf .venv .trino .pytest_cache .hypothesis .mypy_cache .ruff_cache

$(READY): requirements.txt
	@$(call create_venv,$(VENV))
	@$(VENV)/bin/pip install --quiet --disable-pip-version-check --requirement requirements.txt
	@test -z "$(COPIER)" || $(VENV)/bin/pip install --quiet --disable-pip-version-check "copier==$(COPIER)"
	@touch $@

# Says what is missing, if something is; --clear throws away what an interrupted set-up left.
define create_venv
{ command -v git >/dev/null || { echo "git is missing: install it, Copier needs it." >&2; exit 1; }; \
  command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: install Python 3.10 or newer." >&2; exit 1; }; \
  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
    { echo "$$($(PYTHON) --version) is too old: give a newer one, make PYTHON=python3.12 ..." >&2; exit 1; }; \
  $(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
    { echo "$(PYTHON) has no venv: install it (Debian, Ubuntu: apt install python3-venv)." >&2; exit 1; }; \
  echo "Setting up $(1) (once) ..." >&2; \
  $(PYTHON) -m venv --clear $(1); }
endef
