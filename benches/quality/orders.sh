#!/usr/bin/env bash
# Links the same records in several orders, offline and through a running waymarkd, with one model
# and with a model that the service trains, and compares the participants.
#
# usage: benches/quality/orders.sh DATA_DIR [SET...]   every set, or those named
#        benches/quality/orders.sh --quick             two small made-up sets, no data needed
#
# DATA_DIR and PEOPLE: see run.sh. `waymark` and `waymarkd` are those on the PATH, or those in
# target/release. OUT is where the files of each run go (target/orders).
set -euo pipefail
here=$(dirname "$(realpath "$0")")
export PATH="$PATH:$here/../../target/release" PYTHONDONTWRITEBYTECODE=1
exec python3 "$here/orders.py" "$@"
