#!/usr/bin/env bash
# Resolves each NAME.in of this folder into NAME.txt: every transitive dependency with its version and
# the checksums of all its files, for Python 3.11 and later on any platform. Needs uv (`pip install uv`).
# Versions in NAME.txt are kept where they still fit; `scripts/python/lock.sh --upgrade` takes newer ones.
set -euo pipefail
cd "$(dirname "$0")"
for input in *.in; do
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
        --custom-compile-command scripts/python/lock.sh "$@" "$input" --output-file "${input%.in}.txt"
done
