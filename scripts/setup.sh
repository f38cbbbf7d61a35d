#!/usr/bin/env bash
# Installs the requirements of a build on Debian or Ubuntu: a C compiler, and each TOOL that is missing.
# Checks that cargo is installed.
#
#   scripts/setup.sh [TOOL …]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

missing=()
command -v cc >/dev/null || missing+=(build-essential)
for tool in "$@"; do command -v "$tool" >/dev/null || missing+=("$tool"); done
[ "${#missing[@]}" = 0 ] || install_packages "${missing[@]}"
command -v cargo >/dev/null ||
    fail "\`cargo\` is not installed" "install Rust with rustup; it reads rust-toolchain.toml"
