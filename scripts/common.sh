# shellcheck shell=bash
# Functions shared by the scripts in this folder: `. scripts/common.sh`.
# They run on Linux and on macOS, whose bash is 3.2.

# shellcheck disable=SC2034 # used by the scripts
CACHE_ROOT="${XDG_CACHE_HOME:-$HOME/.cache}/sparkify"

# fail MESSAGE HINT: prints both and exits with 2.
fail() { printf 'error: %s\nhint: %s\n' "$1" "$2" >&2; exit 2; }

# sha256 FILE: prints the checksum in hexadecimal. macOS has `shasum` instead of `sha256sum`.
sha256() {
    if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

# matches SHA256 FILE: true if the file exists and has this checksum.
matches() { [ -f "$2" ] && [ "$(sha256 "$2")" = "$1" ]; }

# install_packages PACKAGE …: installs Debian packages, or fails with a hint where apt-get is missing.
install_packages() {
    local as_root=(env)
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    if ! command -v apt-get >/dev/null || ! command -v "${as_root[0]}" >/dev/null; then
        fail "missing: $*" "install it with the package manager of your system"
    fi
    echo "installing $*" >&2
    "${as_root[@]}" apt-get update -qq &&
        "${as_root[@]}" apt-get install -y -qq --no-install-recommends "$@" >&2
}

# npm_pack PACKAGE SHA256 FOLDER: downloads a package from the npm registry, verifies its checksum and
# unpacks it into FOLDER/package. The third-party code in it is not run.
npm_pack() {
    local archive
    echo "downloading $1" >&2
    archive=$(cd "$3" && npm pack --silent "$1") || fail "\`npm pack $1\` failed" "check the network"
    matches "$2" "$3/$archive" ||
        fail "checksum mismatch: $1 is not the pinned package" "do not use it; report this"
    tar -xzf "$3/$archive" -C "$3"
}
