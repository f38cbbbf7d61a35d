#!/usr/bin/env bash
# moto, a server of AWS's control plane that others wrote, for the tests. `moto.sh start FOLDER` writes its address into FOLDER/url, `moto.sh stop FOLDER` ends it.
# It is installed once, at a pinned version, into a virtual environment in the user's cache.
set -euo pipefail
version=5.2.5
home="${XDG_CACHE_HOME:-$HOME/.cache}/sparkify/moto-$version"
install() {
    as_root=(); [ "$(id -u)" = 0 ] || as_root=(sudo)
    if ! command -v apt-get >/dev/null; then
        printf 'error: the tests need `python3` with `venv`\nhint: install both\n' >&2
        exit 2
    fi
    "${as_root[@]}" apt-get update -qq && "${as_root[@]}" apt-get install -y -qq --no-install-recommends python3 python3-venv >&2
}
usage() { printf 'usage: moto.sh start|stop FOLDER\n' >&2; exit 2; }
[ $# = 2 ] || usage
folder=$2
case "$1" in
start)
    # The mark is made last: an installation that broke off is made anew.
    if [ ! -f "$home/complete" ]; then
        rm -rf "$home"
        mkdir -p "${home%/*}"
        python3 -m venv "$home" >/dev/null 2>&1 || { install && rm -rf "$home" && python3 -m venv "$home"; }
        "$home/bin/pip" install --quiet --disable-pip-version-check "moto[server,redshift,iam,sts,ec2,secretsmanager]==$version" >&2
        touch "$home/complete"
    fi
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    "$home/bin/moto_server" -H 127.0.0.1 -p "$port" >"$folder/log" 2>&1 &
    echo $! >"$folder/pid"
    for _ in $(seq 300); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            printf 'http://127.0.0.1:%s\n' "$port" >"$folder/url"
            exit 0
        fi
        kill -0 "$(cat "$folder/pid")" 2>/dev/null || break
        sleep 0.2
    done
    printf 'error: moto did not start\n' >&2
    cat "$folder/log" >&2
    exit 2
    ;;
stop)
    [ -f "$folder/pid" ] && kill "$(cat "$folder/pid")" 2>/dev/null || true
    rm -f "$folder/pid"
    ;;
*) usage ;;
esac
