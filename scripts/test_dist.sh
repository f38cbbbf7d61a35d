#!/usr/bin/env bash
# Installs each artifact of `make dist` into a clean environment, without compilers and network, and runs
# the main job there: the archive in an empty folder, the wheel by pip, pipx and uvx, and the Debian
# package in a minimal Debian system. Prints one line per test; the last line counts them.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

[ -f dist/SHA256SUMS ] || fail "no artifacts in dist/" "run \`make dist\`"
repository=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
ok() { passed=$((passed + 1)); echo "ok    $1"; }
broken() { fail "$1" "see the output above; \`make dist\` builds the artifacts again"; }
one() { [ $# = 1 ] && [ -f "$1" ] || fail "$# artifacts instead of one: $*" "run \`make dist\`"; printf '%s' "$1"; }

# isolated COMMAND …: runs it without network.
isolation=(unshare --net)
"${isolation[@]}" true 2>/dev/null || isolation=(unshare --map-root-user --net)
if ! "${isolation[@]}" true 2>/dev/null; then
    isolation=(env)
    echo "note  the network stays reachable: unshare is missing or not permitted"
fi

# job NAME FOLDER COMMAND …: COMMAND runs job.sh, without network, in FOLDER/job.
job() {
    local name=$1 folder=$2
    shift 2
    mkdir -p "$folder/job"
    (cd "$folder/job" && "${isolation[@]}" "$@" >"$work/log" 2>&1) || { cat "$work/log" >&2; broken "$name failed"; }
    ok "$name"
}

# clean PATH COMMAND …: runs it with no other variable in its environment.
clean() { env -i PATH="$1" HOME="$work/home" "${@:2}"; }

checksums() {
    local sum name
    while read -r sum name; do
        matches "$sum" "dist/$name" || broken "checksum mismatch: dist/$name"
    done <dist/SHA256SUMS
    ok "SHA256SUMS"
}

archive() {
    local file folder page
    file=$(one dist/*.tar.gz)
    mkdir -p "$work/archive"
    tar -xzf "$file" -C "$work/archive"
    folder=$(echo "$work/archive"/*)
    job "archive: main job" "$work/archive" env -i PATH="$folder/bin" HOME="$work/home" /bin/sh "$repository/scripts/dist/job.sh"
    for page in share/man/man1/sparkify{,-etl,-query}.1 share/bash-completion/completions/sparkify \
        share/zsh/site-functions/_sparkify share/fish/vendor_completions.d/sparkify.fish LICENSE README.md CHANGELOG.md; do
        [ -s "$folder/$page" ] || broken "no $page in $file"
    done
    bash -n "$folder/share/bash-completion/completions/sparkify"
    ok "archive: man pages, completions, texts"
    [ "$(wc -c <"$file")" -lt 45000000 ] || broken "$file is larger than 45 MB"
    ok "archive: smaller than 45 MB"
    # The file of the cargo registry is known to everyone; its folder on this machine is not.
    if grep -qF -e "$repository" -e "${CARGO_HOME:-$HOME/.cargo}" "$folder/bin/sparkify"; then
        broken "bin/sparkify contains a folder of this machine"
    fi
    ok "archive: no folder of this machine in the program"
    licenses "$folder/THIRD-PARTY-LICENSES.txt"
}

# licenses FILE: FILE names each crate of the program, and the libraries that are no crates.
licenses() {
    local target listed missing
    target=$(rustc -vV | sed -n 's/^host: //p')
    listed=$(sed '/^=====/q' "$1" | cut -d : -f 1)
    missing=$(
        {
            cargo tree --locked --package sparkify --edges normal --prefix none --format '{p}' --target "$target" |
                grep -vF "$repository" | sed -n 's/^\([^ ]*\) v\([^ ]*\).*/\1 \2/p'
            printf '%s\n' DuckDB D3 'Observable Plot'
        } | sort -u | tee "$work/expected" | grep -vxF "$listed" || true
    )
    [ "$(wc -l <"$work/expected")" -gt 200 ] || broken "\`cargo tree\` lists too few crates"
    [ -z "$missing" ] || broken "not in the list of licences: ${missing//$'\n'/, }"
    ok "archive: licences of $(wc -l <"$work/expected") dependencies"
}

wheel() {
    local file tools
    file=$repository/$(one dist/*.whl)
    record "$file"
    python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages python3 python3-venv
    python3 -m venv "$work/venv"
    "${isolation[@]}" "$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-index "$file"
    job "wheel, pip: main job" "$work/venv" env -i PATH="$work/venv/bin" HOME="$work/home" /bin/sh "$repository/scripts/dist/job.sh"
    # pipx and uv create the environment themselves.
    tools=$(scripts/python.sh installers -c 'import sys; print(sys.prefix)')/bin
    mkdir -p "$work/pipx" "$work/uv"
    "${isolation[@]}" env -i PATH=/usr/bin:/bin HOME="$work/home" PIPX_HOME="$work/pipx" PIPX_BIN_DIR="$work/pipx/bin" \
        "$tools/python" -m pipx install --quiet --pip-args=--no-index "$file"
    job "wheel, pipx: main job" "$work/pipx" env -i PATH="$work/pipx/bin" HOME="$work/home" /bin/sh "$repository/scripts/dist/job.sh"
    [ "$("${isolation[@]}" env -i PATH=/usr/bin:/bin HOME="$work/home" UV_CACHE_DIR="$work/uv" \
        "$tools/uvx" --quiet --offline --python "$(command -v python3)" --from "$file" sparkify --version)" = "$(clean "$work/venv/bin" sparkify --version)" ] ||
        broken "uvx does not run the program"
    ok "wheel, uvx: the program runs"
    "$work/venv/bin/python" -m pip uninstall --quiet --yes sparkify
    [ -z "$(find "$work/venv" -name '*sparkify*' -not -path "$work/venv/job/*")" ] || broken "pip uninstall leaves files"
    ok "wheel, pip: uninstalled"
}

# record WHEEL: every file is in RECORD, with its checksum and size.
record() {
    python3 - "$1" <<'PYTHON' || broken "invalid RECORD"
import base64, csv, hashlib, io, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/RECORD"))
    rows = {row[0]: row[1:] for row in csv.reader(io.TextIOWrapper(wheel.open(name)))}
    assert sorted(rows) == sorted(wheel.namelist()), set(rows) ^ set(wheel.namelist())
    for file, (digest, size) in rows.items():
        content = wheel.read(file)
        expected = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        assert file == name or (digest, size) == (f"sha256={expected}", str(len(content))), file
PYTHON
    ok "wheel: RECORD"
}

# debian_system FOLDER: unpacks a minimal Debian system of this machine's release, from a cache.
debian_system() {
    local release cached sources
    # shellcheck source=/dev/null
    release=$(. /etc/os-release && echo "$VERSION_CODENAME")
    cached="$CACHE_ROOT/debian-$release-$(dpkg --print-architecture).tar"
    if [ ! -f "$cached" ]; then
        command -v mmdebstrap >/dev/null || install_packages mmdebstrap
        sources=/etc/apt/sources.list.d/debian.sources
        [ -f "$sources" ] || sources=/etc/apt/sources.list
        echo "creating a minimal Debian system" >&2
        mmdebstrap --quiet --variant=minbase "$release" "$work/debian.tar" "$sources" >&2 ||
            fail "cannot create a minimal Debian system" "check the network"
        mv "$work/debian.tar" "$cached.$$" && mv "$cached.$$" "$cached"
    fi
    mkdir -p "$1"
    tar -xf "$cached" -C "$1" --exclude='./dev/*'
}

debian() {
    local file root enter
    file=$(one dist/*.deb)
    root="$work/debian"
    [ "$(id -u)" = 0 ] || fail "the test of the Debian package needs root" "run it as root, or in a container"
    debian_system "$root"
    cp "$file" scripts/dist/job.sh "$root/tmp"
    # The program finds itself by /proc.
    enter=(unshare --mount --pid --fork --mount-proc="$root/proc" chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp)
    mkdir -p "$root/proc"
    "${isolation[@]}" "${enter[@]}" dpkg --install "/tmp/${file##*/}" >"$work/log" 2>&1 ||
        { cat "$work/log" >&2; broken "dpkg --install $file failed"; }
    ok "Debian package: dpkg --install"
    job "Debian package: main job" "$root" "${enter[@]}" sh -c 'mkdir /tmp/job && cd /tmp/job && sh /tmp/job.sh'
    for file in /usr/share/man/man1/sparkify-etl.1.gz /usr/share/bash-completion/completions/sparkify \
        /usr/share/doc/sparkify/copyright /usr/share/doc/sparkify/THIRD-PARTY-LICENSES.txt.gz; do
        "${enter[@]}" dpkg --search "$file" >/dev/null || broken "no $file in the package"
    done
    "${enter[@]}" dpkg --verify sparkify || broken "dpkg --verify finds changed files"
    ok "Debian package: man pages, completions, copyright, checksums"
    "${enter[@]}" dpkg --purge sparkify >/dev/null
    [ ! -e "$root/usr/lib/sparkify" ] || broken "dpkg --purge leaves /usr/lib/sparkify"
    ok "Debian package: dpkg --purge"
}

mkdir -p "$work/home"
checksums
archive
wheel
if [ -f /etc/debian_version ]; then
    debian
else
    echo "note  no Debian package on this system"
fi
echo "$passed passed, 0 failed"
