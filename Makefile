# Everything runs from .venv in the checkout, which the first target makes; nothing is installed elsewhere.
# A fresh Debian 12 needs python3, python3-venv, make and git.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
BENCH  ?=
UV     := 0.13.9

# The image. Where there is no registry, give the base a local name and the builder what it needs to reach an index.
BUILDER ?= podman
IMAGE   ?= docker.io/library/casemesh:dev
BASE    ?= docker.io/library/python:3.11-slim-bookworm
IMAGE_OPTIONS ?=

export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: help
help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

# uv installs the locked set in seconds; pip's resolver takes minutes on it. It brings its own roots of trust; behind a proxy with
# a CA of its own the system's are tried next.
$(READY): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock 2> $(VENV)/uv.log || \
	    $(BIN)/uv pip install --quiet --system-certs --python $(BIN)/python --require-hashes -r requirements.lock || \
	    { cat $(VENV)/uv.log; exit 1; }
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: setup
setup: $(READY) ## Install what is needed into .venv

.PHONY: demo
demo: $(READY) ## Run one case from police to procuratorate to court on this machine (DEMO="--pages 200 --bytes 50MB")
	@$(BIN)/casemesh demo $(DEMO)

.PHONY: test
test: $(READY) check ## Run all checks and tests, a file of tests to a process
	$(BIN)/pytest -n 2 --dist loadfile

.PHONY: faults
faults: $(READY) ## Run the fault tests alone, with ten minutes of drawn faults; the report is build/faults.json
	@mkdir -p build
	CASEMESH_FAULT_KILLS=20 CASEMESH_FAULT_SECONDS=600 CASEMESH_FAULT_REPORT=$(CURDIR)/build/faults.json $(BIN)/pytest tests/faults

.PHONY: check
check: $(READY) protos-lint ## Check style, types, layers and protos
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: protos-lint
protos-lint: $(READY)
	@$(BIN)/python protos/generate.py --googleapis build/googleapis
	$(BIN)/buf lint protos
	$(BIN)/buf breaking protos --against protos/released.binpb

.PHONY: gen
gen: $(READY) ## Generate the stubs and the descriptor set from the protos
	@$(BIN)/python protos/generate.py
	@$(BIN)/python protos/generate.py --descriptor-set build/casemesh.binpb
	@echo "stubs: services/casemesh/*/v1; descriptor set for clients: build/casemesh.binpb"

.PHONY: descriptors
descriptors: $(READY) ## Write what clients in other languages generate from: build/casemesh.binpb
	@$(BIN)/python protos/generate.py --descriptor-set build/casemesh.binpb
	@echo build/casemesh.binpb

.PHONY: bench
bench: $(READY) ## Measure against limits and peers (BENCH=dossier for one); writes bench/results/latest.jsonl
	@$(BIN)/python -m bench $(BENCH)

.PHONY: lock
lock: $(READY) ## Pin every dependency with its hashes, naming no index
	@$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --extra dev --python-version 3.11 \
	    --universal --no-annotate -o requirements.lock pyproject.toml
	@$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --extra server --python-version 3.11 \
	    --universal --no-annotate -c requirements.lock -o k8s/image/server.lock pyproject.toml
	@$(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header --python-version 3.11 \
	    --universal --no-annotate -c requirements.lock -o k8s/image/build.lock k8s/image/build.in

.PHONY: image
image: ## Build the image with podman or docker (BUILDER=docker IMAGE=... BASE=... IMAGE_OPTIONS="--network=host")
	$(BUILDER) build $(IMAGE_OPTIONS) --build-arg BASE=$(BASE) --build-arg REVISION=$$(git rev-parse HEAD) -t $(IMAGE) .

.PHONY: k8s-check
k8s-check: $(READY) ## Render every overlay and hold it to the schemas of Kubernetes 1.32 to 1.37 and to our own rules
	$(BIN)/pytest tests/k8s

.PHONY: release-protos
release-protos: $(READY) ## Make the present contract the one later changes must not break
	@$(BIN)/python protos/generate.py --googleapis build/googleapis
	@$(BIN)/buf build protos --exclude-source-info -o protos/released.binpb

.PHONY: clean
clean: ## Remove what was built, not the data
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
