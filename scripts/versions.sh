#!/usr/bin/env bash
# Checks that all files have the same Rust version: rust-toolchain.toml pins the compiler, and its
# major and minor version is the `rust-version` (MSRV) of every crate and the version of the CI images.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

pinned=$(sed -n 's/^channel = "\([0-9]*\.[0-9]*\.[0-9]*\)".*/\1/p' rust-toolchain.toml)
[ -n "$pinned" ] || fail "rust-toolchain.toml pins no exact version" "write \`channel = \"X.Y.Z\"\`"

running=$(rustc --version | cut -d ' ' -f 2)
[ "$running" = "$pinned" ] ||
    fail "rustc is $running, rust-toolchain.toml pins $pinned" "use rustup's rustc, and unset RUSTUP_TOOLCHAIN"

# One line per different value; `null` is a crate without one.
stated=$(cargo metadata --no-deps --locked --format-version 1 | grep -o '"rust_version":[^,}]*' | cut -d : -f 2 | sort -u)
[ "$stated" = "\"${pinned%.*}\"" ] ||
    fail "\`rust-version\` of the crates is ${stated//$'\n'/ and }, rust-toolchain.toml pins $pinned" \
        "write \`rust-version = \"${pinned%.*}\"\` in each Cargo.toml, or inherit it from the workspace"

images=$(cat .github/workflows/*.yml | grep -oE 'rust:[0-9][0-9.]*' | sort -u)
[ "$images" = "rust:$pinned" ] ||
    fail ".github/workflows uses ${images//$'\n'/ and }, rust-toolchain.toml pins $pinned" "use the image rust:$pinned"
