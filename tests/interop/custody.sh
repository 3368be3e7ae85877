#!/usr/bin/env bash
# Check values, envelopes and digests against openssl, parts against plain Python.
set -uo pipefail
bin=$TROUSSEAU_BIN
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
passed=0
failed=0

check() { # NAME EXPECTED FOUND
    if [ -n "$2" ] && [ "$2" = "$3" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $1: expected '$2', found '$3'"
    fi
}

openssl req -x509 -newkey rsa:3072 -nodes -keyout me.key -out me.crt -subj /CN=Interop -days 30 \
    -addext keyUsage=critical,keyEncipherment 2>/dev/null
oaep="-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_mgf1_md:sha256"

for bits in 128 192 256; do
    "$bin" transport-key new --bits "$bits" --out "$bits.hex" 2>/dev/null
    key=$(cat "$bits.hex")

    theirs=$(head -c16 /dev/zero | openssl mac -cipher "AES-$bits-CBC" -macopt "hexkey:$key" CMAC)
    ours=$("$bin" transport-key show-kcv "$bits.hex" | cut -d' ' -f1)
    check "KCV of AES-$bits as openssl mac has it" "${theirs:0:6}" "$ours"

    "$bin" transport-key wrap "$bits.hex" --recipient me.crt --out "$bits.envelope" 2>/dev/null
    # shellcheck disable=SC2086
    opened=$(sed -n 's/^data: //p' "$bits.envelope" | openssl base64 -d -A |
        openssl pkeyutl -decrypt -inkey me.key $oaep | od -An -tx1 -v | tr -d ' \n')
    check "openssl opens an envelope with an AES-$bits key" "$key" "$opened"

    {
        sed '/^data: /d' "$bits.envelope"
        # shellcheck disable=SC2086
        printf 'data: %s\n' "$(python3 -c "import sys; sys.stdout.buffer.write(bytes.fromhex('$key'))" |
            openssl pkeyutl -encrypt -certin -inkey me.crt $oaep | openssl base64 -A)"
    } >"$bits.theirs"
    "$bin" transport-key unwrap "$bits.theirs" --private-key-file me.key --out "$bits.back" 2>/dev/null
    check "an AES-$bits key sealed by openssl is opened" "$key" "$(cat "$bits.back" 2>/dev/null)"

    "$bin" transport-key split "$bits.hex" --components 3 --out-prefix "x$bits" 2>/dev/null
    "$bin" transport-key split "$bits.hex" --threshold 2 --shares 4 --out-prefix "s$bits" 2>/dev/null
    for parts in "x$bits-1.part x$bits-2.part x$bits-3.part" "s$bits-2.part s$bits-4.part"; do
        # shellcheck disable=SC2086
        made=$(python3 - $parts <<'PYTHON'
import sys
def times(a, b):
    product = 0
    while b:
        if b & 1: product ^= a
        a = (a << 1) ^ (0x11b if a & 0x80 else 0)
        b >>= 1
    return product
parts, scheme = {}, None
for name in sys.argv[1:]:
    fields = dict(l.strip().split(": ", 1) for l in open(name) if ": " in l and l[0] != "#")
    scheme = fields["scheme"]
    parts[int(fields["part"].split()[0])] = bytes.fromhex(fields["data"].replace(" ", ""))
key = bytes(len(next(iter(parts.values()))))
for x, data in parts.items():
    weight = 1
    if scheme == "threshold":
        for other in parts:
            if other != x:
                inverse = next(i for i in range(256) if times(other ^ x, i) == 1)
                weight = times(weight, times(other, inverse))
    key = bytes(k ^ times(weight, d) for k, d in zip(key, data))
print(key.hex())
PYTHON
        )
        check "Python makes the AES-$bits key of $parts" "$key" "$made"
    done
done

"$bin" mint --count 100 --serial-prefix I --inventory inv --transport-key-file 128.hex --out batch 2>/dev/null
theirs=$(sha256sum batch | cut -d' ' -f1)
ours=$("$bin" inventory list --inventory inv --json |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["files"][0]["sha256"])')
check "the recorded digest is sha256sum's" "$theirs" "$ours"
check "Python's SQLite reads the inventory" "ok complete" "$(python3 -c '
import sqlite3
db = sqlite3.connect("inv")
print(db.execute("PRAGMA integrity_check").fetchone()[0], db.execute("SELECT state FROM batch").fetchone()[0])')"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
