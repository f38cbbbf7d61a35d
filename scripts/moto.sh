#!/usr/bin/env bash
# A server of moto, an AWS emulator, for the tests. Its packages are installed by scripts/python.sh.
#
#   scripts/moto.sh start FOLDER    starts a server and writes its address to FOLDER/url
#   scripts/moto.sh stop FOLDER     stops it
set -euo pipefail
here=$(dirname "$0")
# shellcheck source=scripts/common.sh
. "$here/common.sh"

usage="scripts/moto.sh start|stop FOLDER"
[ $# = 2 ] || fail "moto.sh takes two arguments" "$usage"
folder=$2
case "$1" in
start)
    port=$("$here/python.sh" moto -c \
        'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
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
    cat "$folder/log" >&2
    fail "moto did not start" "see the log above"
    ;;
stop)
    if [ -f "$folder/pid" ]; then kill "$(cat "$folder/pid")" 2>/dev/null || true; fi
    rm -f "$folder/pid"
    ;;
*) fail "unknown action \`$1\`" "$usage" ;;
esac
