#!/usr/bin/env bash
# Interop with programs that nobody here wrote. Installs them (Debian packages, and Python packages
# in a virtual environment), builds the release binary, and runs every script of this folder.
# A peer that cannot be installed is a failure: nothing here is skipped.
#
# The scripts are the files marked executable; the others help them. Each script reads TROUSSEAU_BIN
# (the binary), TROUSSEAU_VENV (the virtual environment), TROUSSEAU_REPORT (the folder of a finished
# demo run), TROUSSEAU_SHOTS (where screenshots go), and ends with a line "N passed, M failed"; lines
# "server: …" are collected into a table.
set -euo pipefail
cd "$(dirname "$0")/../.."

packages="chromium chromium-driver openssl opensc softhsm2 oathtool pskctool xmlsec1 libxml2-utils"
packages="$packages liboath-dev gcc libc6-dev python3-venv"
missing=""
for package in $packages; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
        missing="$missing $package"
done
if [ -n "$missing" ]; then
    sudo=""
    [ "$(id -u)" -eq 0 ] || sudo=sudo
    $sudo apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq $missing >/dev/null
fi

export TROUSSEAU_VENV="${TROUSSEAU_VENV:-$PWD/target/interop/venv}"
if [ ! -x "$TROUSSEAU_VENV/bin/python" ]; then
    python3 -m venv "$TROUSSEAU_VENV"
fi
"$TROUSSEAU_VENV/bin/pip" install --quiet --disable-pip-version-check \
    python-pskc==1.4 signxml==5.2.0 selenium==4.51.0 pyotp==2.12.0 hdrhistogram==0.10.8

cargo build --release --locked
export TROUSSEAU_BIN="$PWD/target/release/trousseau"
export TROUSSEAU_SHOTS="${TROUSSEAU_SHOTS:-$PWD/target/interop/screenshots}"
mkdir -p "$TROUSSEAU_SHOTS" target/interop
if [ -z "${TROUSSEAU_REPORT:-}" ]; then
    export TROUSSEAU_REPORT="$PWD/target/interop/demo"
    rm -rf "$TROUSSEAU_REPORT"
    "$TROUSSEAU_BIN" demo --users 500 --out "$TROUSSEAU_REPORT" >/dev/null
fi

passed=0
failed=0
servers=$(mktemp)
for script in tests/interop/*; do
    case "$script" in
        tests/interop/run.sh) continue ;;
        *) [ -x "$script" ] && [ -f "$script" ] || continue ;;
    esac
    case "$script" in
        *.sh) runner=bash ;;
        *.py) runner="$TROUSSEAU_VENV/bin/python" ;;
        *) continue ;;
    esac
    printf '\n--- %s\n' "$script"
    log=$(mktemp)
    code=0
    "$runner" "$script" 2>&1 | tee "$log" || code=$?
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1 || true)
    sed -n 's/^server: //p' "$log" >>"$servers"
    rm -f "$log"
    if [ -z "$line" ]; then
        echo "$script printed no closing line"
        failed=$((failed + 1))
        continue
    fi
    passed=$((passed + $(echo "$line" | cut -d' ' -f1)))
    failed=$((failed + $(echo "$line" | cut -d' ' -f3)))
    if [ "$code" -ne 0 ] && [ "$(echo "$line" | cut -d' ' -f3)" -eq 0 ]; then
        failed=$((failed + 1))
    fi
done

# What each real server did, as the scripts' lines "server: …" say.
printf '\n%s\n' "real servers: which, how | initialised | logins accepted | replays sent | replays accepted | verdict"
cat "$servers"
rm -f "$servers"
printf '\ninterop: screenshots are in %s\n' "$TROUSSEAU_SHOTS"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
