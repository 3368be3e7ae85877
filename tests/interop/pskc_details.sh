#!/bin/sh
# Policy, PIN policy, usages, formats and the other details of RFC 6030: python-pskc reads those that
# trousseau writes, trousseau reads those that python-pskc writes, and pskctool finds every file valid.
#
#   TROUSSEAU_BIN   the program
#   TROUSSEAU_VENV  a Python environment with python-pskc 1.4
# and pskctool (Debian package pskctool) in the path.
# shellcheck source=tests/interop/pskc/lib.sh
. "$(cd "$(dirname "$0")" && pwd)/pskc/lib.sh"
key=00112233445566778899aabbccddeeff
printf %s $key >key.hex
python() { "$TROUSSEAU_VENV/bin/python" "$here/pskc_details_peer.py" "$@"; }
same() { # batch: both readers see the same facts
    "$TROUSSEAU_BIN" inspect --json --reveal-secrets "$1" --transport-key-file key.hex |
        python ours >ours.txt &&
        python read "$1" $key >theirs.txt &&
        test -s ours.txt && diff ours.txt theirs.txt
}
has() { # words that their reading has
    grep -qx "$1" theirs.txt
}
shows() { # batch, words: what pskctool shows of it
    pskctool --info "$1" 2>/dev/null | grep -q "$2"
}
again() { # batch, new batch
    "$TROUSSEAU_BIN" export "$1" --transport-key-file key.hex --format pskc \
        --out-transport-key-file key.hex --out "$2"
}
refused() { # words, command...
    words=$1
    shift
    "$@" >out 2>&1
    test $? -eq 2 && grep -q "$words" out
}

check "python-pskc writes a batch with every detail it has" python write theirs.xml $key
check "  trousseau reads them" same theirs.xml
check "  the PIN policy is among them" has "D1 pin.usage Prepend"
check "  and a drift that was encrypted" has "O1 drift 4"
check "  trousseau writes them again" again theirs.xml again.xml
check "  python-pskc reads them all" same again.xml
check "  the key reference is among them" has "R1 key_reference a label"
python read theirs.xml $key >before.txt 2>&1
python read again.xml $key >after.txt 2>&1
check "  and nothing was lost or added" diff before.txt after.txt
check "  pskctool finds it valid" valid again.xml
check "  and shows the PIN policy" shows again.xml "Policy PIN Usage Mode: Prepend"
cat >order.toml <<'TOML'
[defaults]
start-date = 2026-01-01T00:00:00Z
expiry-date = 2036-01-01T00:00:00Z
key-profile = "profile"
crypto-module = "CM-2"
policy = { usages = ["OTP", "Verify"], transactions = 9, pin = { usage = "Append", min-length = 4, max-length = 6, max-failed-attempts = 5, encoding = "DECIMAL", key-id = "X" } }
[[lot]]
count = 20
serial = { prefix = "A", width = 4 }
friendly-name = "Portail"
issue-number = "7"
device-binding = "IMEI"
challenge-format = { encoding = "HEXADECIMAL", min = 4, max = 8 }
hash = "sha256"
secret-bytes = 32
[[lot]]
count = 20
serial = { prefix = "B", width = 4 }
algorithm = "hotp"
response-format = { check-digits = true }
[[lot]]
count = 1
serial = { prefix = "C" }
policy = { usages = ["Encrypt"] }
TOML
check "trousseau mints an order with details" "$TROUSSEAU_BIN" mint --spec order.toml \
    --transport-key-file key.hex --out minted.xml
check "  pskctool finds it valid" valid minted.xml
check "  python-pskc reads them" python read minted.xml $key
python read minted.xml $key >theirs.txt 2>&1
for fact in "A0001 pin.attempts 5" "A0001 pin.usage Append" "A0001 usages OTP,Verify" \
    "A0001 transactions 9" "A0001 friendly_name Portail" "A0001 issue_number 7" \
    "A0001 device_binding IMEI" "A0001 challenge.encoding HEXADECIMAL" "A0001 suite HMAC-SHA256" \
    "A0001 crypto_module CM-2" "A0001 permits_otp True" "B0020 response.check True" \
    "B0020 key_profile profile" "B0020 expiry_date 2036-01-01T00:00:00Z"; do
    check "  $fact" has "$fact"
done
check "  a key with a check digit gives no code" refused "a check digit" \
    "$TROUSSEAU_BIN" code minted.xml --transport-key-file key.hex --serial B0001 --ignore-policy
check "  nor does one that may only encrypt" refused "permits Encrypt, not one-time passwords" \
    "$TROUSSEAU_BIN" code minted.xml --transport-key-file key.hex --serial C1

closing
