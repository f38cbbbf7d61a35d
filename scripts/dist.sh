#!/usr/bin/env bash
# Builds the release artifacts of the platform that it runs on, in dist/: an archive, a Python wheel, a
# Debian package (on Debian and its derivatives), and SHA256SUMS.
#
# Two builds of one commit with the same compilers give the same bytes: the artifacts contain no folder
# of the machine that built them, and SOURCE_DATE_EPOCH is the date of the commit.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$CACHE_ROOT/target}"

unset DUCKDB_LIB_DIR
scripts/setup.sh git python3
scripts/duckdb.sh
scripts/charts.sh
if [ -f /etc/debian_version ]; then
    command -v dpkg-shlibdeps >/dev/null || install_packages dpkg-dev
fi
library=libduckdb.so
target="$(uname -m)-unknown-linux-gnu"
if [ "$(uname -s)" = Darwin ]; then
    library=libduckdb.dylib
    target="$(uname -m | sed s/arm64/aarch64/)-apple-darwin"
fi
case "$(readlink "lib/$library")" in
"$CACHE_ROOT"/duckdb-*) ;;
*) fail "lib/$library is not the pinned library" "remove it, and run \`make dist\` without DUCKDB_LIB_DIR" ;;
esac

version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
commit=$(git rev-parse --short=9 HEAD) || fail "this folder is not a git repository" "build a clone"
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

# Messages of panics name source files: those of dependencies as `/cargo/…`, those of the workspace are
# relative. The flag must not differ between clones, or each would compile all dependencies.
SPARKIFY_DIST=1 SPARKIFY_COMMIT="$commit" \
    RUSTFLAGS="--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=/cargo" \
    cargo build --profile dist --locked -p sparkify

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
stage="$work/stage"
mkdir -p "$stage"/{bin,lib/sparkify,share/man/man1,share/bash-completion/completions} \
    "$stage"/share/{zsh/site-functions,fish/vendor_completions.d} dist
install -m 755 "$CARGO_TARGET_DIR/dist/sparkify" "$stage/bin/sparkify"
if [ "$(uname -s)" = Darwin ]; then
    # The library for macOS holds both architectures.
    lipo "lib/$library" -thin "$(uname -m)" -output "$stage/lib/sparkify/$library"
else
    strip --strip-unneeded -o "$stage/lib/sparkify/$library" "lib/$library"
fi
chmod 644 "$stage/lib/sparkify/$library"
"$stage/bin/sparkify" --quiet man "$stage/share/man/man1"
"$stage/bin/sparkify" completions bash >"$stage/share/bash-completion/completions/sparkify"
"$stage/bin/sparkify" completions zsh >"$stage/share/zsh/site-functions/_sparkify"
"$stage/bin/sparkify" completions fish >"$stage/share/fish/vendor_completions.d/sparkify.fish"
install -m 644 README.md CHANGELOG.md LICENSE "$stage"
python3 scripts/dist/licenses.py "$target" lib >"$stage/THIRD-PARTY-LICENSES.txt"

rm -f dist/sparkify* dist/SHA256SUMS
python3 scripts/dist/package.py "$stage" "$version" dist
(cd dist && for file in sparkify*; do printf '%s  %s\n' "$(sha256 "$file")" "$file"; done >SHA256SUMS)
