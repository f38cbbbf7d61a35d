#!/usr/bin/env bash
# moto, a server of AWS's control plane that others wrote, for the tests. `moto.sh start FOLDER` writes its address into FOLDER/url, `moto.sh stop FOLDER` ends it.
set -euo pipefail
here=$(dirname "$0")
usage() { printf 'usage: moto.sh start|stop FOLDER\n' >&2; exit 2; }
[ $# = 2 ] || usage
folder=$2
case "$1" in
start)
    "$here/python.sh" moto
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    "$here/python.sh" moto -m moto.server -H 127.0.0.1 -p "$port" >"$folder/log" 2>&1 &
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
