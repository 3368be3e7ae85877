#!/bin/sh
# Keys minted and read per CPU second, and peak memory, of the release build; at the end, how many
# times less CPU time a key takes than with the named tools, in the same run.
#
#   tests/bench/mint.sh [KEYS]       1,000,000 keys unless told otherwise
#   tests/bench/mint.sh --sweep [KEYS]   mint, inspect and export at 10^4 keys and ten times as many
#                                    until KEYS (10,000,000), through a pipe, with plain serials and
#                                    with check digits; at the end, by how much the CPU time per key
#                                    differs between the sizes, and the most memory that any took
#   TROUSSEAU_BIN    the program; built with `cargo build --release` when not given
#   TROUSSEAU_VENV   a Python environment with python-pskc 1.4, for comparison in the same run
# The other peers: `xmllint` (libxml2-utils), and a plain C writer on OpenSSL beside this script, which
# `cc` builds (libssl-dev). Of a peer that is missing it is said that it was not compared with.
set -eu
sweep=
[ "${1:-}" = --sweep ] && sweep=yes && shift
keys=${1:-1000000}
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${TROUSSEAU_BIN:-}" ]; then
    (cd "$here/../.." && cargo build --release --quiet)
    TROUSSEAU_BIN=$here/../../target/release/trousseau
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
umask 077
python=${TROUSSEAU_VENV:+$TROUSSEAU_VENV/bin/}python3
measure() { # name, keys, command...: user and system time of the child, its peak memory
    "$python" "$here/measure.py" "$@"
}
export BENCH_LOG=$folder/log
ratio() { # what, the tool, ours
    awk -F '\t' -v what="$1" -v tool="$2" -v ours="$3" '
        $1 == tool { t = $2 }
        $1 == ours { o = $2 }
        END { if (t && o) printf "%s: %.2f times the CPU time of ours (%s against %s)\n", what, t / o, tool, ours }
    ' "$BENCH_LOG"
}
mint="$TROUSSEAU_BIN mint --serial-prefix ACME --serial-width 8 --manufacturer oath.ACME --model K60"
printf 00112233445566778899aabbccddeeff >key
# sweep NAME KEYS COMMAND...: a batch on its way, by the command, into each use of it
sweep() {
    name=$1 count=$2
    shift 2
    read_with="--transport-key-file key"
    measure "mint$name" "$count" "$@"
    # shellcheck disable=SC2086
    measure "inspect$name" "$count" "$@" --feeds "$TROUSSEAU_BIN" inspect - $read_with
    for out in keys.csv -; do
        what="export to a file$name"
        [ "$out" = - ] && what="export to a pipe$name"
        # shellcheck disable=SC2086
        measure "$what" "$count" "$@" --feeds "$TROUSSEAU_BIN" export - $read_with \
            --format privacyidea-csv --out "$out"
        rm -f keys.csv
    done
}
if [ -n "$sweep" ]; then
    most=${1:-10000000}
    count=10000
    while [ "$count" -le "$most" ]; do
        # shellcheck disable=SC2086
        sweep "" "$count" $mint --count "$count" --transport-key-file key --out -
        # The same keys with check digits, so that their serials are no consecutive numbers.
        cat >order.toml <<EOF
[[lot]]
count = $count
manufacturer = "oath.ACME"
model = "K60"
serial = { prefix = "ACME", width = 8, check = "luhn" }
EOF
        sweep ", check digits" "$count" \
            "$TROUSSEAU_BIN" mint --spec order.toml --transport-key-file key --out -
        count=$((count * 10))
    done
    # 10^4 keys take some hundredths of a second, mostly the start: they are shown, not compared.
    awk -F '\t' '
        $4 > memory { memory = $4 }
        $3 >= 100000 && (!($1 in least) || $2 < least[$1]) { least[$1] = $2 }
        $3 >= 100000 && $2 > most[$1] { most[$1] = $2 }
        END {
            for (name in least)
                printf "%s: CPU time per key at its highest %.2f times its lowest\n", name, most[name] / least[name]
            printf "most memory of all: %.1f MiB\n", memory
        }' "$BENCH_LOG"
    exit
fi
# The words of $mint are split on purpose.
# shellcheck disable=SC2086
{
    measure "trousseau mint, to /dev/null" "$keys" $mint --count "$keys" --transport-key-file key --out -
    measure "trousseau mint, to a file" "$keys" $mint --count "$keys" --transport-key-file key --out batch.xml
    measure "trousseau mint, a tenth" "$((keys / 10))" $mint --count "$((keys / 10))" --transport-key-file key --out tenth.xml
    measure "trousseau mint, to .gz" "$keys" $mint --count "$keys" --transport-key-file key --out batch.xml.gz
    measure "trousseau mint, to .zst" "$keys" $mint --count "$keys" --transport-key-file key --out batch.xml.zst
    measure "trousseau inspect, of .gz" "$keys" "$TROUSSEAU_BIN" inspect batch.xml.gz --transport-key-file key
    measure "trousseau inspect, of .zst" "$keys" "$TROUSSEAU_BIN" inspect batch.xml.zst --transport-key-file key
    measure "trousseau inspect, verified" "$keys" "$TROUSSEAU_BIN" inspect batch.xml --transport-key-file key
    measure "trousseau inspect, a tenth" "$((keys / 10))" "$TROUSSEAU_BIN" inspect tenth.xml --transport-key-file key
}
absent() {
    echo "not compared with $1: $2"
}
# What the disk itself takes for the same bytes.
measure "dd, the same bytes to a file" "$keys" dd if=batch.xml of=copy.xml bs=1M conv=fsync
rm copy.xml
if cc -O2 -Wno-deprecated-declarations "$here/plain_writer.c" -lcrypto -o writer 2>/dev/null; then
    measure "plain C writer, to /dev/null" "$keys" ./writer "$keys" key
else
    absent "the plain C writer" "it needs cc and the headers of OpenSSL"
fi
if command -v xmllint >/dev/null; then
    measure "xmllint --stream, scan only" "$keys" xmllint --stream --noout batch.xml
else
    absent "xmllint" "it is not installed"
fi
if [ -z "${TROUSSEAU_VENV:-}" ]; then
    absent "python-pskc" "TROUSSEAU_VENV names no environment that has it"
else
    measure "python-pskc write" 10000 "$python" "$here/python_pskc.py" write their.xml
    measure "python-pskc read" 10000 "$python" "$here/python_pskc.py" read their.xml
fi
ratio "minting" "plain C writer, to /dev/null" "trousseau mint, to /dev/null"
ratio "scanning" "xmllint --stream, scan only" "trousseau inspect, verified"
ratio "writing" "python-pskc write" "trousseau mint, to a file"
ratio "reading" "python-pskc read" "trousseau inspect, verified"
