#!/usr/bin/env bash
# Sends the two FEBRL4 files to a running waymarkd as two agencies, in three different orders, and
# compares the participants.
#
# usage: benches/febrl_orders.sh DATA_DIR      (febrl4a.csv and febrl4b.csv; binaries on the PATH)
set -euo pipefail
command -v waymark waymarkd > /dev/null || { echo "put target/release on the PATH first"; exit 2; }
data=$(realpath "${1:?name the folder with febrl4a.csv and febrl4b.csv}")
root=$(realpath "$(dirname "$0")/..")
schema="$root/config/examples/febrl.linkage.toml"
mapping="$root/config/examples/febrl.mapping.toml"
work=$(mktemp -d)
daemon=
trap '[ -z "$daemon" ] || kill "$daemon"; rm -r "$work"' EXIT
cd "$work"

waymark keygen --schema "$schema" --out linkage.key > keygen.txt 2>&1
waymark train --schema "$schema" --mapping "$mapping" --rejected-dir . --key linkage.key \
    --out model.toml "$data/febrl4a.csv" "$data/febrl4b.csv" > train.txt 2>&1
for agency in febrl4a febrl4b; do
    tail -n +2 "$data/$agency.csv" | split -l 1250 - "$agency-"
    for part in "$agency"-a?; do
        { head -n 1 "$data/$agency.csv"; cat "$part"; } > "$part.csv"
    done
done

# Starts a service with an empty database and registers both agencies.
start() {
    rm -rf data log.txt ./*.token
    printf '%s\n' 'listen = "127.0.0.1:0"' 'data_dir = "data"' 'time_zone = "UTC"' \
        '[linkage]' "schema = \"$schema\"" 'model = "model.toml"' > waymarkd.toml
    waymarkd --config waymarkd.toml 2> log.txt &
    daemon=$!
    until grep -qs listening log.txt; do kill -0 "$daemon"; sleep 0.1; done
    export WAYMARK_SERVER WAYMARK_TOKEN_FILE=data/operator.token
    WAYMARK_SERVER=$(grep -o 'http://[0-9.:]*' log.txt | head -n 1)
    for agency in febrl4a febrl4b; do
        waymark admin agency add "$agency" --title "$agency"
        waymark admin token issue "$agency" --role agency --subject "$agency" --out "$agency.token"
    done > setup.txt 2>&1
}

submit() { # FILE AGENCY
    waymark submit "$1" --agency "$2" --key linkage.key --token-file "$2.token" --wait \
        --schema "$schema" --mapping "$mapping" --rejected-dir . > submit.txt 2>&1
}

# The participants as sorted lists of their records.
partition() {
    awk -F, 'NR > 1 { group[$3] = group[$3] " " $1 "/" $2 } END { for (p in group) print group[p] }' \
        "$1" | sort | sha256sum
}

for order in ab ba interleaved; do
    start
    case $order in
        ab) submit "$data/febrl4a.csv" febrl4a; submit "$data/febrl4b.csv" febrl4b ;;
        ba) submit "$data/febrl4b.csv" febrl4b; submit "$data/febrl4a.csv" febrl4a ;;
        interleaved)
            for part in aa ab ac ad; do
                submit "febrl4b-$part.csv" febrl4b
                submit "febrl4a-$part.csv" febrl4a
            done ;;
    esac
    waymark admin memberships --out "$order.csv" > count.txt 2>&1
    echo "$order: $(tail -n 1 count.txt | awk '{ print $1 " records, " $2 " participants" }')" \
        "$(partition "$order.csv")"
    kill "$daemon"
    wait "$daemon" || true
    daemon=
done
[ "$(for order in ab ba interleaved; do partition "$order.csv"; done | sort -u | wc -l)" = 1 ] ||
    { echo "the participants differ"; exit 1; }
echo "the same participants in every order"
