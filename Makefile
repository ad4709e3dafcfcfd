# Everything docqa needs is set up from here, on Debian 12 with CPython 3.11, git and make.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3.11
BIN := .venv/bin
APT := tesseract-ocr tesseract-ocr-eng tesseract-ocr-ara poppler-utils libturbojpeg0 \
       fonts-hosny-amiri fonts-dejavu-core fonts-noto-core fonts-sil-scheherazade \
       fonts-kacst fonts-liberation
APT_IF_THERE := tesseract-ocr-script-arab
APT_FOR_TESTS := chromium postgresql
APT_FOR_ACCURACY := fonts-freefarsi fonts-freefont-ttf fonts-sil-harmattan fonts-kacst-one \
                    fonts-sil-lateef fonts-paktype fonts-farsiweb

.PHONY: help setup demo serve test test-long lint bench-decisions check lock clean

help:          ## say what can be made
	@grep -E '^[a-z-]+: .*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: .venv/.apt .venv/.ready    ## install what is missing; leaves .venv/bin/docqa

demo: setup    ## start the real service, upload documents, print the verdicts
	$(BIN)/python -m fixtures.demo --out demo-output

serve: setup   ## leave the service running on its default address
	$(BIN)/docqa serve --dev

test: setup .venv/.apt-tests    ## every test that is not marked long
	$(BIN)/python -m pytest -n $${DOCQA_TEST_PROCESSES:-2} --dist loadfile -m "not long"

test-long: setup .venv/.apt-tests    ## the tests that take minutes
	$(BIN)/python -m pytest -m long

lint: setup    ## ruff, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench-decisions: setup    ## decisions on a labelled corpus: make bench-decisions CORPUS=DIR
	$(BIN)/python -m benchmarks.accuracy.decisions --corpus "$(CORPUS)"

.PHONY: bench-accuracy
bench-accuracy: setup .venv-bench/.ready .venv/.apt-accuracy    ## docqa and the peers on the same inputs: make bench-accuracy [CORPUS=DIR] [TIGHTEN=1]
	$(BIN)/python -m benchmarks.accuracy $(if $(CORPUS),--corpus "$(CORPUS)") $(if $(TIGHTEN),--tighten)

.PHONY: bench-speed
bench-speed: setup .venv-bench/.ready    ## time docqa beside a decoding of the same file: make bench-speed [CORPUS=DIR]
	$(BIN)/python -m benchmarks.speed $(if $(CORPUS),--corpus "$(CORPUS)")
	$(BIN)/python -m benchmarks.load.http_overhead
	$(BIN)/python -m benchmarks.speed.picture

.PHONY: bench-limits
bench-limits: setup    ## where each limit of the policy lies: make bench-limits [CORPUS=DIR]
	$(BIN)/python -m benchmarks.accuracy.limits $(if $(CORPUS),--corpus "$(CORPUS)")

.PHONY: train-digits train-arabic
train-digits train-arabic: train-%: .venv-train/.ready    ## remake a reader of print (minutes to hours)
	.venv-train/bin/python -m models.$*.train

check: lint test    ## what .ci/run does

lock:          ## resolve the dependencies anew (minutes)
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet pip-tools==7.6.2
	.venv-lock/bin/pip-compile --quiet --strip-extras --generate-hashes --allow-unsafe \
	    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	    --extra dev --extra batch --extra otel --output-file requirements-dev.lock pyproject.toml
	sed -n 's/^\([a-z][^ ]*==[^ ]*\) .*/\1/p' requirements-dev.lock > .venv-lock/constraints.txt
	.venv-lock/bin/pip-compile --quiet --strip-extras --generate-hashes --allow-unsafe \
	    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
	    --constraint .venv-lock/constraints.txt --output-file requirements.lock pyproject.toml

clean:         ## remove everything that was made
	rm -rf .venv .venv-bench .venv-lock .venv-train demo-output .mypy_cache .pytest_cache .ruff_cache .hypothesis

# ---- set-up, each step at most once ----------------------------------------------------------

define apt_install
	@need=""; for package in $(1); do \
	    dpkg-query -W -f='$${Status}' "$$package" 2>/dev/null | grep -q 'ok installed' || need="$$need $$package"; \
	done; \
	if [ -n "$$need" ]; then \
	    root=""; [ "$$(id -u)" = 0 ] || root="sudo"; \
	    command -v apt-get >/dev/null || { echo "Install these by hand:$$need" >&2; exit 3; }; \
	    echo "Installing Debian packages:$$need"; \
	    $$root apt-get update -qq; \
	    $$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$need >/dev/null; \
	fi
endef

.venv/bin/python:
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { root=""; [ "$$(id -u)" = 0 ] || root=sudo; \
	    $$root apt-get update -qq; $$root apt-get install -y -qq --no-install-recommends python3-venv >/dev/null; }
	$(PYTHON) -m venv .venv

.venv/.apt: Makefile | .venv/bin/python
	$(call apt_install,$(APT))
	@for package in $(APT_IF_THERE); do \
	    dpkg-query -W "$$package" >/dev/null 2>&1 || ! apt-cache show "$$package" >/dev/null 2>&1 || { \
	        root=""; [ "$$(id -u)" = 0 ] || root=sudo; \
	        $$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$$package" >/dev/null; }; \
	done
	@touch $@

.venv/.apt-tests: Makefile | .venv/.apt
	$(call apt_install,$(APT_FOR_TESTS))
	@touch $@

.venv/.apt-accuracy: Makefile | .venv/.apt
	$(call apt_install,$(APT_FOR_ACCURACY))
	@touch $@

.venv/.ready: requirements-dev.lock pyproject.toml | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# The peers of the accuracy benchmark. One that cannot be installed is reported as missing.
.venv-bench/.ready: requirements-bench.txt | .venv/bin/python
	$(PYTHON) -m venv .venv-bench
	@echo '*' > .venv-bench/.gitignore
	@install=".venv-bench/bin/pip install --quiet --disable-pip-version-check --no-deps"; \
	if $$install -r $<; then touch $@; else \
	    grep -v '^#' $< | while read -r peer; do $$install "$$peer" || echo "No $$peer." >&2; done; \
	fi

.venv-train/.ready: requirements-train.txt
	$(PYTHON) -m venv .venv-train
	@echo '*' > .venv-train/.gitignore
	.venv-train/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@
