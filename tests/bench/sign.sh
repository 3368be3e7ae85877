#!/bin/sh
# What a signature costs: minting with and without one, verifying and reading, against xmlsec1
# verifying the same file, in the same run, with its memory.
#
#   tests/bench/sign.sh [KEYS]       300,000 keys unless told otherwise
#   TROUSSEAU_BIN    the program; built with `cargo build --release` when not given
# and xmlsec1 and openssl in the path.
set -eu
keys=${1:-300000}
here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${TROUSSEAU_BIN:-}" ]; then
    (cd "$here/../.." && cargo build --release --quiet)
    TROUSSEAU_BIN=$here/../../target/release/trousseau
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
umask 077
export BENCH_LOG=$folder/log
measure() { # name, keys, command...: user and system time of the child, its peak memory
    python3 "$here/measure.py" "$@"
}
printf 00112233445566778899aabbccddeeff >key
openssl req -x509 -newkey rsa:2048 -nodes -keyout signer.key -out signer.crt -days 30 \
    -subj "/CN=Signer" 2>/dev/null
mint="$TROUSSEAU_BIN mint --count $keys --serial-prefix ACME --serial-width 8 --manufacturer oath.ACME
    --transport-key-file key"
# shellcheck disable=SC2086
measure "mint" "$keys" $mint --out plain.xml
# shellcheck disable=SC2086
measure "mint, signed" "$keys" $mint --sign-key-file signer.key --sign-cert signer.crt --out signed.xml
measure "read" "$keys" "$TROUSSEAU_BIN" inspect plain.xml --transport-key-file key
measure "read, signature verified" "$keys" "$TROUSSEAU_BIN" inspect signed.xml \
    --transport-key-file key --require-signature signer.crt
measure "xmlsec1 verifies" "$keys" xmlsec1 --verify --trusted-pem signer.crt signed.xml
awk -F '\t' '{ cpu[$1] = $2 }
    END {
        printf "a signature while minting: %.2f us a key\n", 1e6 * (cpu["mint, signed"] - cpu["mint"])
        printf "xmlsec1, verifying alone: %.2f times the CPU time of ours for verifying and reading\n",
            cpu["xmlsec1 verifies"] / cpu["read, signature verified"]
    }' "$BENCH_LOG"
