#!/usr/bin/env bash
# Codes and import files against programs that nobody here wrote: oathtool (codes of every hash and
# both algorithms), liboath (the users file of pam_oath), pyotp (otpauth URIs).
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${TROUSSEAU_BIN:?the trousseau binary}" "${TROUSSEAU_VENV:?a virtual environment with pyotp}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
check() { # what, wanted, got
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $1: wanted $2, got $3"
    fi
}

# --- oathtool: three hashes, two lengths, both periods, times from 1970 to beyond 2106.
times="0 59 60 1111111109 1234567890 1788249599 1788249600 2147483648 4294967296 20000000000"
for case in "sha1 20 6 60" "sha1 20 8 30" "sha256 32 6 60" "sha256 20 8 60" "sha512 64 6 60" \
    "sha512 64 8 30"; do
    read -r hash bytes digits period <<<"$case"
    name="$work/$hash-$bytes-$digits-$period"
    "$TROUSSEAU_BIN" mint --count 3 --serial-prefix T --algorithm totp --hash "$hash" \
        --secret-bytes "$bytes" --digits "$digits" --period "$period" \
        --new-transport-key "$name.key" --out "$name.pskcxml" 2>/dev/null
    "$TROUSSEAU_BIN" inspect "$name.pskcxml" --transport-key-file "$name.key" --json \
        --reveal-secrets >"$name.json"
    while read -r serial secret; do
        for at in $times; do
            wanted=$(oathtool "--totp=$hash" -s "${period}s" -d "$digits" -N "@$at" "$secret")
            got=$("$TROUSSEAU_BIN" code "$name.pskcxml" --transport-key-file "$name.key" \
                --serial "$serial" --at "$at")
            got=${got%%  *}
            check "totp $case $serial at $at" "$wanted" "${got// /}"
        done
    done < <(python3 -c 'import json,sys
for line in sys.stdin:
    key = json.loads(line); print(key["serial"], key["secret"])' <"$name.json")
done

name="$work/hotp"
"$TROUSSEAU_BIN" mint --count 2 --serial-prefix H --algorithm hotp --digits 8 \
    --new-transport-key "$name.key" --out "$name.pskcxml" 2>/dev/null
"$TROUSSEAU_BIN" inspect "$name.pskcxml" --transport-key-file "$name.key" --json \
    --reveal-secrets >"$name.json"
while read -r serial secret; do
    for counter in 0 1 9 1000000; do
        wanted=$(oathtool --hotp -c "$counter" -d 8 "$secret")
        got=$("$TROUSSEAU_BIN" code "$name.pskcxml" --transport-key-file "$name.key" \
            --serial "$serial" --counter "$counter")
        got=${got%%  *}
        check "hotp $serial at $counter" "$wanted" "${got// /}"
    done
done < <(python3 -c 'import json,sys
for line in sys.stdin:
    key = json.loads(line); print(key["serial"], key["secret"])' <"$name.json")

# --- liboath reads the users file, accepts each user's code once, and rewrites the file.
cat >"$work/authenticate.c" <<'C'
#include <liboath/oath.h>
#include <stdio.h>
/* FILE USER CODE [PIN]: prints what liboath says, with a window of 0. */
int main(int argc, char **argv)
{
    time_t last = 0;
    int rc;
    if (argc < 4 || oath_init() != OATH_OK)
        return 2;
    rc = oath_authenticate_usersfile(argv[1], argv[2], argv[3], 0, argc > 4 ? argv[4] : NULL, &last);
    puts(oath_strerror_name(rc));
    return 0;
}
C
cc -o "$work/authenticate" "$work/authenticate.c" -loath
for case in "totp 6 60" "totp 8 30" "hotp 6 60" "hotp 8 60"; do
    read -r algorithm digits period <<<"$case"
    name="$work/pam-$algorithm-$digits"
    "$TROUSSEAU_BIN" mint --count 2 --serial-prefix P --algorithm "$algorithm" --digits "$digits" \
        --period "$period" --new-transport-key "$name.key" --out "$name.pskcxml" 2>/dev/null
    printf 'user,serial,pin\nalice,P1,\nbob,P2,4711\n' >"$name.csv"
    "$TROUSSEAU_BIN" export "$name.pskcxml" --transport-key-file "$name.key" --format pam-oath \
        --roster "$name.csv" --out "$name.users" 2>/dev/null
    for holder in "alice P1" "bob P2 4711"; do
        read -r user serial pin <<<"$holder"
        # liboath looks at the clock itself: not at the very end of a step.
        while [ "$algorithm" = totp ] && [ $(($(date +%s) % period)) -gt $((period - 3)) ]; do
            sleep 0.5
        done
        code=$("$TROUSSEAU_BIN" code "$name.pskcxml" --transport-key-file "$name.key" \
            --serial "$serial")
        code=${code%%  *}
        code=${code// /}
        # shellcheck disable=SC2086
        check "pam_oath $case $user" OATH_OK "$("$work/authenticate" "$name.users" "$user" "$code" $pin)"
        # shellcheck disable=SC2086
        check "pam_oath $case $user, the same code again" OATH_REPLAYED_OTP \
            "$("$work/authenticate" "$name.users" "$user" "$code" $pin)"
    done
    check "pam_oath $case, wrong PIN" OATH_BAD_PASSWORD \
        "$("$work/authenticate" "$name.users" bob "$(printf "%0${digits}d" 0)" 9999)"
done

# --- pyotp reads the URIs: same codes, user, issuer and period.
for case in "totp sha1 20 6 60" "totp sha256 32 8 30" "totp sha512 64 6 60" "hotp sha1 20 6 60"; do
    read -r algorithm hash bytes digits period <<<"$case"
    name="$work/uri-$algorithm-$hash"
    "$TROUSSEAU_BIN" mint --count 2 --serial-prefix U --algorithm "$algorithm" --hash "$hash" \
        --secret-bytes "$bytes" --digits "$digits" --period "$period" --issuer "Acme & Söhne" \
        --new-transport-key "$name.key" --out "$name.pskcxml" 2>/dev/null
    printf 'user,serial\ncarol+x@example.com,U1\nchloé,U2\n' >"$name.csv"
    "$TROUSSEAU_BIN" export "$name.pskcxml" --transport-key-file "$name.key" --format otpauth-uri \
        --roster "$name.csv" --out "$name.txt" 2>/dev/null
    got=$("$TROUSSEAU_VENV/bin/python" - "$name.txt" <<'PY'
import sys, pyotp
for line in open(sys.argv[1], encoding="utf-8"):
    otp = pyotp.parse_uri(line.strip())
    code = otp.at(1788249600) if isinstance(otp, pyotp.TOTP) else otp.at(otp.initial_count)
    print(otp.name, otp.issuer, getattr(otp, "interval", "-"), code, sep="|")
PY
    )
    wanted=""
    for holder in "carol+x@example.com U1" "chloé U2"; do
        read -r user serial <<<"$holder"
        at="--at 1788249600"
        shown_period=$period
        if [ "$algorithm" = hotp ]; then
            at="--counter 0"
            shown_period=-
        fi
        # shellcheck disable=SC2086
        code=$("$TROUSSEAU_BIN" code "$name.pskcxml" --transport-key-file "$name.key" \
            --serial "$serial" $at)
        code=${code%%  *}
        wanted+="$user|Acme & Söhne|$shown_period|${code// /}"$'\n'
    done
    check "otpauth $case" "${wanted%$'\n'}" "$got"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
