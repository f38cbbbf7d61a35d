# Commands for contributors. `make` without a target lists them.
# All clones share one build directory: CARGO_TARGET_DIR.
SHELL := /bin/bash
export CARGO_TARGET_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/sparkify/target
PROGRAM := bin/sparkify
DUCKDB := $(if $(filter Darwin,$(shell uname -s)),libduckdb.dylib,libduckdb.so)

.DEFAULT_GOAL := help
.PHONY: help demo test build dist test-dist lint fmt bench bench-parts bench-reader fuzz clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

demo: FEATURES := --no-default-features
demo: build ## generate a sample, load it, test the data, run a few saved queries
	@scripts/demo.sh

build: lib/$(DUCKDB) ## build the program: bin/sparkify
	@$(if $(findstring --no-default-features,$(FEATURES)),true,scripts/charts.sh)
	SPARKIFY_COMMIT=$$(git rev-parse --short HEAD 2>/dev/null) cargo build --release --locked -p sparkify $(FEATURES)
	@mkdir -p bin
	@install -m 755 "$$CARGO_TARGET_DIR/release/sparkify" $(PROGRAM)
	@cmp -s lib/$(DUCKDB) bin/$(DUCKDB) || { rm -f bin/$(DUCKDB); cp -L lib/$(DUCKDB) bin/$(DUCKDB); }

lib/$(DUCKDB):
	@scripts/duckdb.sh

lib/plot.min.js:
	@scripts/charts.sh

test: lib/$(DUCKDB) lib/plot.min.js ## run all tests; installs what they need on Debian
	@scripts/test.sh

dist: ## build the release artifacts in dist/: archive, Python wheel, Debian package
	@scripts/dist.sh

test-dist: ## install the artifacts of dist/ into clean environments and run them
	@scripts/test_dist.sh

lint: lib/$(DUCKDB) lib/plot.min.js ## check format, Rust versions, dependencies (cargo deny), clippy
	cargo fmt --all --check
	scripts/versions.sh
	scripts/deny.sh
	cargo clippy --release --locked --workspace --all-targets -- -D warnings
	cargo clippy --release --locked -p sparkify --no-default-features -- -D warnings
	cargo clippy --release --locked -p sparkify --no-default-features --features s3 -- -D warnings

fmt: ## format the code
	cargo fmt --all

# PEERS: a folder of other solutions of the same job, see benches/overview.py.
PEERS ?= ../shared/bench
bench: build ## compare with other solutions, in one table; measure the growth of incremental loads
	@if [ -d "$(PEERS)" ]; then benches/overview.py "$(PEERS)"; else echo "no other solutions in $(PEERS): set PEERS=FOLDER"; fi
	@benches/growth.sh

bench-parts: build ## measure S3 requests, range reads, PostgreSQL, listing and staging
	@benches/s3.sh
	@benches/ranges.sh
	@benches/postgres.sh
	@if [ -d "$(PEERS)" ]; then $$(scripts/python.sh duckdb20 -c 'import sys; print(sys.executable)') benches/staging.py "$(PEERS)"; fi

bench-reader: lib/$(DUCKDB) lib/plot.min.js ## measure the reader and simd-json; SPARKIFY_BENCH=FILES reads other events
	cargo bench --locked -p sparkify-reader --bench reader

# The compiler's instrumentation is a nightly flag; one toolchain is enough to use it.
fuzz: lib/$(DUCKDB) ## fuzz the reader for ten minutes; needs cargo-fuzz
	@mkdir -p crates/reader/fuzz/corpus/fast_path crates/reader/fuzz/corpus/slices
	@cd crates/reader/fuzz && for target in fast_path slices; do \
		DUCKDB_LIB_DIR=$(CURDIR)/lib LD_LIBRARY_PATH=$(CURDIR)/lib RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none \
			"$$target" "corpus/$$target" seeds -- -dict=json.dict -max_len=4096 -max_total_time=300 || exit 1; \
	done

clean: ## remove what was built in this folder; shared caches stay
	rm -rf bin dist lib sample sparkify.duckdb sparkify.duckdb.wal
