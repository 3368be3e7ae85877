#!/usr/bin/env bash
# Keys in a PKCS #11 token: SoftHSM 2, with pkcs11-tool and OpenSSL as the other side. Builds the
# program with the feature, unoptimised (SoftHSM and OpenSSL do the work that is compared), holds
# that build to the linter, and runs its tests in tests/pkcs11.rs first.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
module=/usr/lib/softhsm/libsofthsm2.so
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
done_well() { # NAME COMMAND...
    local name=$1 said
    shift
    if said=$("$@" 2>&1); then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $name: $said"
    fi
}

cd "$root" || exit 1
for program in softhsm2-util pkcs11-tool openssl pskctool; do
    done_well "$program is installed" command -v "$program"
done
done_well "the linter on the feature" \
    cargo clippy --quiet --locked --features pkcs11 --all-targets -- -D warnings
done_well "the unit tests of the feature" cargo test --quiet --locked --features pkcs11 --lib pkcs11
done_well "tests/pkcs11.rs" cargo test --quiet --locked --features pkcs11 --test pkcs11

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
# The name of the program is that of the documents.
done_well "the build" cargo build --quiet --locked --features pkcs11
mkdir "$dir/bin" "$dir/tokens" && cp target/debug/trousseau "$dir/bin/" && PATH=$dir/bin:$PATH
cd "$dir" || exit 1
umask 077
export SOFTHSM2_CONF=$dir/conf
printf 'directories.tokendir = %s/tokens\nlog.level = ERROR\n' "$dir" >conf
printf '1234\n' >pin
softhsm2-util --init-token --free --label factory --so-pin 87654321 --pin 1234 >/dev/null
tool() { pkcs11-tool --module "$module" --token-label factory --login --pin 1234 "$@" 2>&1; }
uri() { echo "pkcs11:token=factory;object=$1?module-path=$module"; }

# The ceremony of the documents, as it stands there.
awk '$0 == "<!-- ceremony: pkcs11 -->" { found = 1; next }
    found && /^```/ { if (inside) exit; inside = 1; next }
    found && inside { print }' "$root/docs/custody.md" >ceremony.sh
check "the ceremony has six commands" 6 "$(grep -cE "^(key=|trousseau)" ceremony.sh)"
done_well "the ceremony of docs/custody.md" bash -eu ceremony.sh
check "its import file has a line for each key" 1000 "$(grep -c ACME import.csv)"
done_well "pskctool accepts its batch" pskctool --validate batch.pskcxml
check "pkcs11-tool finds its key where it was made" 1 \
    "$(tool --list-objects --type secrkey | grep -c 'label:      batch-2026')"
check "pkcs11-tool finds that it can never leave" 1 \
    "$(tool --list-objects --type secrkey | grep -c 'sensitive, always sensitive, never extractable')"

# A known key in the token: OpenSSL is the other side.
hex=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
printf '%s' "$hex" >key.hex
python3 -c "import sys; sys.stdout.buffer.write(bytes.fromhex('$hex'))" >key.bin
tool --write-object key.bin --type secrkey --key-type AES:32 --label known --id 07 --sensitive >/dev/null
pin="--pkcs11-pin-file pin"
theirs=$(head -c16 /dev/zero | openssl mac -cipher AES-256-CBC -macopt "hexkey:$hex" CMAC)
# shellcheck disable=SC2086
ours=$(trousseau transport-key show-kcv --pkcs11-key "$(uri known)" $pin | cut -d' ' -f1)
check "the KCV made in the token is that of openssl" "${theirs:0:6}" "$ours"
# shellcheck disable=SC2086
trousseau mint --count 3 --serial-prefix W --pkcs11-key "$(uri known)" $pin --out w.xml 2>/dev/null
# The key of the file, unwrapped by openssl, opens the first secret, decrypted by openssl.
values=$(grep -o '<xenc:CipherValue>[^<]*' w.xml | cut -d'>' -f2)
content=$(sed -n 1p <<<"$values" | openssl base64 -d -A |
    openssl enc -d -id-aes256-wrap -K "$hex" -iv A6A6A6A6A6A6A6A6 | od -An -tx1 -v | tr -d ' \n')
check "openssl unwraps the key of a file" 64 "${#content}"
sed -n 3p <<<"$values" | openssl base64 -d -A >sealed
secret=$(tail -c +17 sealed | openssl enc -d -aes-256-cbc -K "$content" \
    -iv "$(head -c16 sealed | od -An -tx1 -v | tr -d ' \n')" | od -An -tx1 -v | tr -d ' \n')
# shellcheck disable=SC2086
ours=$(trousseau inspect w.xml --pkcs11-key "$(uri known)" $pin --json --reveal-secrets |
    head -n 1 | sed 's/.*"secret":"\([0-9a-f]*\)".*/\1/')
check "the secret that openssl finds in it is the one that the token gives" "$secret" "$ours"
check "the holder of the same key as a file reads the same" \
    "$(trousseau inspect w.xml --transport-key-file key.hex --json --reveal-secrets | sha256sum)" \
    "$(trousseau inspect w.xml --pkcs11-key "$(uri known)" --pkcs11-pin-file pin --json --reveal-secrets | sha256sum)"

# The PIN, wrong: once, and SoftHSM counts it; then right again.
printf '0000\n' >wrong
said=$(trousseau inspect w.xml --pkcs11-key "$(uri known)" --pkcs11-pin-file wrong 2>&1)
check "a wrong PIN is exit code 2" 2 "$?"
check "and is named, with the token" 1 "$(grep -c 'the token factory refuses the PIN' <<<"$said")"
done_well "the right PIN by a descriptor" trousseau inspect w.xml --pkcs11-key "$(uri known)" --pkcs11-pin-fd 7 7<pin

# How long a value at a time takes, against a key of the file's own.
for way in "" --pkcs11-each-value; do
    # shellcheck disable=SC2086
    trousseau mint --count 20000 --serial-prefix S --pkcs11-key "$(uri known)" $pin $way --out "s$way.xml" 2>/dev/null
    done_well "pskctool accepts s$way.xml" pskctool --validate "s$way.xml"
    start=$(date +%s%N)
    # shellcheck disable=SC2086
    done_well "20,000 keys are read ${way:-under a key of their own}" \
        trousseau inspect "s$way.xml" --pkcs11-key "$(uri known)" $pin
    echo "reading 20,000 keys ${way:-under a key of their own}: $((($(date +%s%N) - start) / 1000000)) ms (unoptimised, SoftHSM)"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
