#!/usr/bin/env bash
# Checks the dependencies against deny.toml with cargo-deny: licences, versions, sources, advisories.
# Compiles the pinned version of cargo-deny into the user's cache, unless it is there.
#
#   scripts/deny.sh                                check; advisories only if their database can be reached
#   SPARKIFY_ADVISORIES=required scripts/deny.sh   check; fail if the database cannot be reached
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

VERSION=0.20.2
DATABASE=https://github.com/RustSec/advisory-db
tool="$CACHE_ROOT/tools/cargo-deny-$VERSION"

if [ ! -x "$tool/bin/cargo-deny" ]; then
    scripts/setup.sh
    echo "compiling cargo-deny $VERSION" >&2
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    # A debug build takes a third of the CPU time of a release build, and is fast enough.
    CARGO_TARGET_DIR="$work" CARGO_PROFILE_DEV_DEBUG=0 \
        cargo install --quiet --locked --debug --root "$tool" "cargo-deny@$VERSION" >&2 ||
        fail "cannot install cargo-deny $VERSION" "check the network"
fi

# Succeeds if the database of advisories can be reached. macOS has no `timeout`.
reachable() {
    local limit=(env)
    ! command -v timeout >/dev/null || limit=(timeout 20)
    GIT_TERMINAL_PROMPT=0 "${limit[@]}" git ls-remote --exit-code "$DATABASE" HEAD >/dev/null 2>&1
}

checks=(bans licenses sources)
if [ "${SPARKIFY_ADVISORIES:-}" = required ] || reachable; then
    checks+=(advisories)
else
    echo "cargo deny: advisories not checked, their database cannot be reached" >&2
fi
"$tool/bin/cargo-deny" --locked check "${checks[@]}"
