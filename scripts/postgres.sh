#!/usr/bin/env bash
# A PostgreSQL server for the tests, on 127.0.0.1, with its own data, certificate and port. It does not
# sync to disk, as its data are temporary. Commits still survive if the server is killed.
#
#   scripts/postgres.sh start FOLDER    starts a server in FOLDER, and writes `url` (with a password),
#                                       `ca.pem` and `bin` (the folder of its programs) to it
#   scripts/postgres.sh stop FOLDER     stops it immediately, like a crash
#   scripts/postgres.sh resume FOLDER   starts a stopped server again
#
# ca.pem signs the certificate for `localhost`. SPARKIFY_POSTGRES_BIN is the folder of the server's
# programs, if it is not in a usual place.
set -euo pipefail

fail() { printf 'error: %s\nhint: %s\n' "$1" "$2" >&2; exit 2; }

programs() {
    local found
    for found in "${SPARKIFY_POSTGRES_BIN:-}" /usr/lib/postgresql/*/bin "$(dirname "$(command -v initdb || echo /none/none)")"; do
        if [ -n "$found" ] && [ -x "$found/initdb" ] && [ -x "$found/pg_ctl" ] && [ -x "$found/postgres" ]; then best=$found; fi
        [ -n "${SPARKIFY_POSTGRES_BIN:-}" ] && break
    done
    [ -n "${best:-}" ]
}

install() {
    as_root=(); [ "$(id -u)" = 0 ] || as_root=(sudo)
    command -v apt-get >/dev/null || fail "the tests need a PostgreSQL server" "install one, and set SPARKIFY_POSTGRES_BIN to the folder of its programs"
    echo "installing PostgreSQL" >&2
    # Without a cluster of the system, as the tests start their own server.
    "${as_root[@]}" mkdir -p /etc/postgresql-common
    [ -e /etc/postgresql-common/createcluster.conf ] ||
        echo 'create_main_cluster = false' | "${as_root[@]}" tee /etc/postgresql-common/createcluster.conf >/dev/null
    "${as_root[@]}" apt-get update -qq && "${as_root[@]}" apt-get install -y -qq --no-install-recommends postgresql openssl >&2
}

# The server refuses to run as root.
as_server() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --init-groups env -u BASH_ENV HOME="$folder" "$@"; else "$@"; fi; }

certificate() {
    local days=(-days 30) subject="$folder/subject"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "${days[@]}" -subj "/CN=sparkify tests" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign -keyout "$folder/ca.key" -out "$folder/ca.pem" 2>/dev/null
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout "$folder/server.key" -out "$folder/server.csr" 2>/dev/null
    printf 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n' >"$subject"
    openssl x509 -req -in "$folder/server.csr" -CA "$folder/ca.pem" -CAkey "$folder/ca.key" -CAcreateserial "${days[@]}" -extfile "$subject" \
        -out "$folder/server.pem" 2>/dev/null
    chmod 600 "$folder/server.key"
}

start() {
    mkdir -p "$folder"
    folder=$(realpath "$folder")
    programs || { install; programs; } || fail "no PostgreSQL server found" "set SPARKIFY_POSTGRES_BIN to the folder of its programs"
    command -v openssl >/dev/null || fail "the tests need \`openssl\`" "install it"
    certificate
    local password; password=$(openssl rand -hex 16)
    printf '%s' "$password" >"$folder/password"
    if [ "$(id -u)" = 0 ]; then chown -R postgres "$folder"; fi
    as_server "$best/initdb" --pgdata="$folder/data" --username=postgres --pwfile="$folder/password" --auth=scram-sha-256 \
        --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$folder/initdb.log" 2>&1 || { cat "$folder/initdb.log" >&2; fail "initdb failed" "see the log above"; }
    local port
    for _ in 1 2 3 4 5; do
        port=$((20000 + RANDOM % 12000))
        cat >"$folder/data/postgresql.auto.conf" <<CONF
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = '$folder'
max_connections = 200
ssl = on
ssl_cert_file = '$folder/server.pem'
ssl_key_file = '$folder/server.key'
fsync = off
synchronous_commit = on
full_page_writes = off
shared_buffers = 256MB
max_wal_size = 4GB
CONF
        if as_server "$best/pg_ctl" --pgdata="$folder/data" --log="$folder/server.log" --wait start >/dev/null 2>&1; then
            printf 'postgres://postgres:%s@localhost:%s/postgres' "$password" "$port" >"$folder/url"
            printf '%s' "$best" >"$folder/bin"
            return
        fi
    done
    cat "$folder/server.log" >&2
    fail "the PostgreSQL server of the tests did not start" "see the log above"
}

stop() {
    folder=$(realpath "$folder")
    [ -f "$folder/data/postmaster.pid" ] || return 0
    programs && as_server "$best/pg_ctl" --pgdata="$folder/data" --mode=immediate stop >/dev/null
}

resume() {
    folder=$(realpath "$folder")
    programs && as_server "$best/pg_ctl" --pgdata="$folder/data" --log="$folder/server.log" --wait start >/dev/null
}

folder=${2:-}
[ -n "$folder" ] || fail "no folder given" "scripts/postgres.sh start FOLDER"
case "$1" in
    start) start ;;
    stop) stop ;;
    resume) resume ;;
    *) fail "unknown action \`$1\`" "scripts/postgres.sh start|stop|resume FOLDER" ;;
esac
