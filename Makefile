# Everything that a newcomer types. `make` alone lists it.
# The compiler's output is shared between clones: CARGO_TARGET_DIR says where.
SHELL := /bin/bash
export CARGO_TARGET_DIR ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/sparkify/target
PROGRAM := bin/sparkify

.DEFAULT_GOAL := help
.PHONY: help demo test build lint fmt bench bench-reader fuzz clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

demo: FEATURES := --no-default-features
demo: build ## a sample, loaded, checked, and the analysts' first questions answered
	@scripts/demo.sh

build: lib/libduckdb.so ## the program, at bin/sparkify
	@$(if $(findstring --no-default-features,$(FEATURES)),true,scripts/charts.sh)
	cargo build --release --locked -p sparkify $(FEATURES)
	@mkdir -p bin
	@install -m 755 "$$CARGO_TARGET_DIR/release/sparkify" $(PROGRAM)
	@cmp -s lib/libduckdb.so bin/libduckdb.so || { rm -f bin/libduckdb.so; cp -L lib/libduckdb.so bin/libduckdb.so; }

lib/libduckdb.so:
	@scripts/duckdb.sh

lib/plot.min.js:
	@scripts/charts.sh

test: lib/libduckdb.so lib/plot.min.js ## every test; what they need is fetched first
	@scripts/test.sh

lint: lib/libduckdb.so lib/plot.min.js ## format, clippy and the rules of the house
	cargo fmt --all --check
	cargo clippy --release --locked --workspace --all-targets -- -D warnings
	cargo clippy --release --locked -p sparkify --no-default-features -- -D warnings
	cargo clippy --release --locked -p sparkify --no-default-features --features s3 -- -D warnings

fmt: ## format the code
	cargo fmt --all

# PEERS: a folder of other solutions of the same job, see benches/peers.py; PYTHON: one that has their packages.
PEERS ?= ../shared/bench
PYTHON ?= python3
bench: build ## what a day costs as its history grows, many requests at once, ranges, a server, and other solutions beside ours, as tables
	@benches/growth.sh
	@benches/s3.sh
	@benches/ranges.sh
	@benches/postgres.sh
	@if [ -d "$(PEERS)" ]; then $(PYTHON) benches/peers.py "$(PEERS)"; else echo "there are no other solutions at $(PEERS): PEERS=FOLDER names some"; fi

bench-reader: lib/libduckdb.so lib/plot.min.js ## what reading costs, beside simd-json; SPARKIFY_BENCH names other event files
	cargo bench --locked -p sparkify-reader --bench reader

# The compiler's instrumentation is a nightly flag; one toolchain is enough to use it.
fuzz: lib/libduckdb.so ## ten minutes of hostile bytes for the reader; needs cargo-fuzz
	@mkdir -p crates/reader/fuzz/corpus/fast_path crates/reader/fuzz/corpus/slices
	@cd crates/reader/fuzz && for target in fast_path slices; do \
		DUCKDB_LIB_DIR=$(CURDIR)/lib LD_LIBRARY_PATH=$(CURDIR)/lib RUSTC_BOOTSTRAP=1 cargo fuzz run --sanitizer none \
			"$$target" "corpus/$$target" seeds -- -dict=json.dict -max_len=4096 -max_total_time=300 || exit 1; \
	done

clean: ## remove what was built here; the shared folders stay
	rm -rf bin lib sample sparkify.duckdb sparkify.duckdb.wal
