#!/bin/sh
# Keys minted and read per CPU second, and peak memory, of the release build; at the end, how many
# times less CPU time a key takes than with the named tools, in the same run.
#
#   tests/bench/mint.sh [KEYS]       1,000,000 keys unless told otherwise
#   tests/bench/mint.sh --sweep      mint, inspect and export at 10^4 to 10^7 keys, through a pipe:
#                                    cost per key and memory must stay the same
#   TROUSSEAU_BIN    the program; built with `cargo build --release` when not given
#   TROUSSEAU_VENV   a Python environment with python-pskc 1.4, for comparison in the same run
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
if [ -n "$sweep" ]; then
    for count in 10000 100000 1000000 10000000; do
        # shellcheck disable=SC2086
        measure "trousseau mint" "$count" $mint --count "$count" --transport-key-file key --out -
        for use in inspect "export --format privacyidea-csv --out $count.csv" \
            "export --format privacyidea-csv --out -"; do
            what=${use%% *}
            [ "$what" = "$use" ] || what="$what, ${use##* }"
            # shellcheck disable=SC2086
            measure "trousseau $what" "$count" $mint --count "$count" \
                --transport-key-file key --out - --feeds "$TROUSSEAU_BIN" $use - --transport-key-file key
        done
    done
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
if command -v xmllint >/dev/null; then
    measure "xmllint --stream, scan only" "$keys" xmllint --stream --noout batch.xml
fi
if [ -n "${TROUSSEAU_VENV:-}" ]; then
    measure "python-pskc write" 10000 "$python" "$here/python_pskc.py" write their.xml
    measure "python-pskc read" 10000 "$python" "$here/python_pskc.py" read their.xml
fi
ratio "scanning" "xmllint --stream, scan only" "trousseau inspect, verified"
ratio "writing" "python-pskc write" "trousseau mint, to a file"
ratio "reading" "python-pskc read" "trousseau inspect, verified"
