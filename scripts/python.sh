#!/usr/bin/env bash
# Python programs of others that the tests ask, each at a pinned version in a virtual environment in the user's cache:
#   scripts/python.sh NAME                installs it, if it is not there
#   scripts/python.sh NAME ARGUMENTS …    runs the environment's python: a FILE, `-m MODULE`, or `-`
# NAME is one of boto3 (Amazon's own client), sqlfluff (a grammar of Redshift) and moto (a control plane of AWS's).
set -euo pipefail

fail() { printf 'error: %s\nhint: %s\n' "$1" "$2" >&2; exit 2; }

name=${1:-}
case "$name" in
boto3) version=1.44.5; packages=("boto3==$version" "botocore==$version") ;;
sqlfluff) version=4.5.0; packages=("sqlfluff==$version") ;;
moto) version=5.2.5; packages=("moto[server,redshift,iam,sts,ec2,secretsmanager]==$version") ;;
*) fail "\`$name\` is no program of ours" "scripts/python.sh boto3|sqlfluff|moto [ARGUMENTS]" ;;
esac
shift
home="${XDG_CACHE_HOME:-$HOME/.cache}/sparkify/python/$name-$version"

install() {
    as_root=(); [ "$(id -u)" = 0 ] || as_root=(sudo)
    command -v apt-get >/dev/null || fail "\`python3\` with \`venv\` runs $name, and is not there" "install both"
    echo "installing python3-venv" >&2
    "${as_root[@]}" apt-get update -qq && "${as_root[@]}" apt-get install -y -qq --no-install-recommends python3 python3-venv >&2
}

if [ ! -x "$home/bin/python" ]; then
    python3 -c 'import ensurepip, venv' 2>/dev/null || install
    # Made aside and moved into place whole: two runs at once must never see half of it. An environment may be moved as long as it is run by its python.
    work="$home.$$"; trap 'rm -rf "$work"' EXIT
    mkdir -p "${home%/*}"
    python3 -m venv "$work" || fail "a virtual environment could not be made" "run \`apt-get install python3-venv\`"
    echo "fetching $name $version" >&2
    "$work/bin/python" -m pip install --quiet --disable-pip-version-check "${packages[@]}" >&2 ||
        fail "\`pip install ${packages[*]}\` failed" "check the network"
    mv -T "$work" "$home" 2>/dev/null || [ -x "$home/bin/python" ] || fail "$name could not be put into \`$home\`" "remove that folder"
    trap - EXIT; rm -rf "$work"
fi
[ $# -gt 0 ] || exit 0
exec "$home/bin/python" "$@"
