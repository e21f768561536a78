# djedge. `make help` lists what there is; `make test` installs all it needs (see build/components/install) and runs everything.

SHELL := /bin/bash
.DEFAULT_GOAL := help
export GOTOOLCHAIN := local

# Where the test components go. PostgreSQL refuses uid 0, and the user it then runs as must be able to reach its files.
COMPONENTS ?= $(if $(filter 0,$(shell id -u)),/var/tmp/djedge-components,$(CURDIR)/.components)
override COMPONENTS := $(abspath $(COMPONENTS))
FUZZTIME ?= 10s
DIFFERENTIAL ?= 120
BENCHTIME ?= 1s
VECTORS := $(wildcard testdata/vectors/*.json)

# What djedge.wasm is made of.
MODULE := build/modules/djedge.wasm.gz
MODULE_SOURCES := go.mod go.sum $(shell find djsession djuser wasm -type f -not -name '*_test.go' -not -path '*/testdata/*') $(wildcard build/*.go build/wasmbuild/*.go)

.NOTPARALLEL:

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "%-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build ## Start djedge with a demo database and its page
	bin/djedge serve --demo

.PHONY: build
build: $(MODULE) ## Build bin/djedge
	go build -trimpath -o bin/djedge ./host/djedge

$(MODULE): $(MODULE_SOURCES)
	go run ./build modules
	@touch $@

.PHONY: modules
modules: ## Build the WebAssembly modules
	go run ./build modules

.PHONY: repro
repro: ## Build the modules again and compare them with what is committed
	go run ./build repro

.PHONY: test
test: format vet unit conformance e2e lint ## Everything: checks, unit tests, vectors, real servers and Djangos, linters

.PHONY: test-core
test-core: format vet unit-core conformance ## What needs nothing but Go: tests that need more skip themselves

.PHONY: format
format:
	@files=$$(find . -name '*.go' -not -path './.components/*' -exec gofmt -l {} +); \
	if [ -n "$$files" ]; then printf 'gofmt has something to say about\n%s\n' "$$files"; exit 1; fi

.PHONY: vet
vet: $(MODULE)
	go vet ./...

# The end-to-end tests have a target of their own.
PACKAGES = $$(go list ./... | grep -v /build/e2e)

# beside runs a command with the components and a PostgreSQL.
beside = DJEDGE_TEST_COMPONENTS=$(COMPONENTS) build/components/with-postgres $(COMPONENTS)

.PHONY: unit
unit: $(MODULE) components
	$(beside) go test -timeout 20m $(PACKAGES)

.PHONY: unit-core
unit-core: $(MODULE)
	CI= go test $(PACKAGES)

.PHONY: vectors
vectors: components ## Make the conformance vectors: ask the installed Djangos
	go run ./build corpus --components $(COMPONENTS)

.PHONY: conformance
conformance: $(MODULE) ## Run the conformance vectors, natively and through the module
	go run ./build vectors --engine native $(VECTORS)
	go run ./build vectors --engine wasm $(VECTORS)

.PHONY: race
race: $(MODULE) components ## The unit tests under the race detector
	$(beside) go test -race -timeout 30m $(PACKAGES)

.PHONY: fuzz
fuzz: $(MODULE) components ## Every fuzz target for FUZZTIME (10s), and the rules against live Djangos for DIFFERENTIAL seconds (120)
	DJEDGE_TEST_COMPONENTS=$(COMPONENTS) DJEDGE_DIFFERENTIAL_SEED=time DJEDGE_DIFFERENTIAL_SECONDS=$(DIFFERENTIAL) go test -count=1 -v -timeout 0 ./build/differential
	@set -e; for dir in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -r -n1 dirname | sort -u); do \
	  for target in $$(go test -list '^Fuzz' "$$dir" | grep '^Fuzz'); do \
	    echo "$$dir $$target"; go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$dir"; \
	  done; \
	done

.PHONY: bench
bench: $(MODULE) ## djedge beside Django and others, which it installs: one table, and docs/benchmarks.md
	go run ./build bench --components $(COMPONENTS) --write docs/benchmarks.md

.PHONY: bench-go
bench-go: $(MODULE) ## Go benchmarks
	$(beside) go test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) $(PACKAGES)

.PHONY: components
components: ## Install what the tests run against, below COMPONENTS
	build/components/install $(COMPONENTS)

.PHONY: e2e
e2e: $(MODULE) components ## djedge beside real Django, on SQLite and PostgreSQL, and its page in a browser
	DJEDGE_TEST_COMPONENTS=$(COMPONENTS) go test -count=1 -timeout 20m ./build/e2e

RECORDED = $(COMPONENTS)/compat.jsonl
COMPAT_TESTS = ^Test(EveryDjango|HashersOfDjango|LoginKeepsAnonymousSessionUnderNewKey|DjangoSessions|DjangoMiddleware|UserModelsOfDjango|UsersOfEveryDjango|MySQLWithDjango)$$

.PHONY: compat
compat: $(MODULE) components ## Write docs/compat.md from what the tests show with real Djangos and servers, and docs/versions.md
	@rm -f $(RECORDED)
	unset DJEDGE_TEST_MYSQL DJEDGE_TEST_REDIS DJEDGE_TEST_MEMCACHED; CI=true DJEDGE_COMPAT_RECORD=$(RECORDED) \
	  $(beside) go test -count=1 -timeout 20m -run '$(COMPAT_TESTS)' ./host ./host/sqldb ./build/e2e
	go run ./build compat $(RECORDED) $(VECTORS)

RUNS = $(COMPONENTS)/runtimes.jsonl

.PHONY: runtimes
runtimes: $(MODULE) components ## Write docs/runtimes.md from the vectors in every runtime, and the scenarios through every door
	@rm -f $(RUNS)
	CI=true DJEDGE_SCENARIO_RECORD=$(RUNS) $(beside) go test -count=1 -timeout 20m ./build/scenario
	CI=true go run ./build conformance --components $(COMPONENTS) --record $(RUNS) $(VECTORS)
	go run ./build runtimes $(RUNS)

.PHONY: lint
lint: $(MODULE) format vet ## gofmt, go vet, staticcheck, govulncheck
	@mkdir -p $(COMPONENTS)/gobin
	go -C build/tools/lint build -o $(COMPONENTS)/gobin/ tool
	$(COMPONENTS)/gobin/staticcheck ./...
	@build/tools/vulnerabilities $(COMPONENTS)/gobin/govulncheck
