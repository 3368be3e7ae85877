#!/usr/bin/env bash
# Interop with programs that nobody here wrote. Installs them (Debian packages, and Python packages
# in a virtual environment), builds the release binary, and runs every script of this folder.
# A peer that cannot be installed is a failure: nothing here is skipped.
#
# The scripts are the *.sh and *.py of this folder, all executable; *_peer.py and the folders help them,
# and any other file is a failure. Each script reads TROUSSEAU_BIN (the binary), TROUSSEAU_VENV (the
# virtual environment), TROUSSEAU_REPORT (the folder of a finished demo run), TROUSSEAU_SHOTS (where
# screenshots go), says FAILED or FAIL at the start of a line for each check that does not hold, and
# ends with a line "N passed, M failed"; lines "server: …" are collected into a table.
set -euo pipefail
cd "$(dirname "$0")/../.."
# The binary is looked for in target/.
unset CARGO_TARGET_DIR

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
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null
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
    # Whether its attempts left in time (exit code 4) is nothing to those who only look at the report.
    "$TROUSSEAU_BIN" demo --users 500 --out "$TROUSSEAU_REPORT" >/dev/null || [ $? -eq 4 ]
fi

passed=0
failed=0
servers=$(mktemp)
logs=$(mktemp -d)
trap 'rm -rf "$servers" "$logs"' EXIT

# run SCRIPT: shown and into a log; beside it, the exit code and the seconds that it took. What hangs
# is ended after twenty minutes.
run() {
    local runner=bash code=0 begin=$SECONDS log
    log=$logs/$(basename "$1")
    case "$1" in *.py) runner="$TROUSSEAU_VENV/bin/python" ;; esac
    printf '\n--- %s\n' "$1"
    timeout --kill-after=30 1200 "$runner" "$1" 2>&1 | tee "$log" || code=$?
    echo "$code $((SECONDS - begin))" >"$log.ended"
}

# fail WORDS: one more that failed.
fail() {
    echo "FAILED: $1"
    failed=$((failed + 1))
}

# count SCRIPT: what came of it.
count() {
    local log code seconds line good bad
    log=$logs/$(basename "$1")
    read -r code seconds <"$log.ended"
    sed -n 's/^server: //p' "$log" >>"$servers"
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1 || true)
    if [ -n "$line" ]; then
        read -r good bad < <(sed 's/ passed,//; s/ failed//' <<<"$line")
        passed=$((passed + good))
        failed=$((failed + bad))
        # What the closing line may not say.
        [ "$((good + bad))" -gt 0 ] || fail "$1 checked nothing"
        if [ "$bad" -eq 0 ] && grep -qE '^FAIL(ED)?\b' "$log"; then
            fail "$1 has lines FAILED, which its closing line does not count"
        elif [ "$bad" -eq 0 ] && [ "$code" -ne 0 ]; then
            fail "$1 ended with exit code $code"
        elif [ "$bad" -gt 0 ] && [ "$code" -eq 0 ]; then
            fail "$1 ended with exit code 0 in spite of that"
        fi
    else
        fail "$1 printed no closing line (exit code $code)"
    fi
    printf -- '--- %s: %s s\n' "$1" "$seconds"
}

# Those that mostly wait for people in real time run beside each other, the rest one after the other.
waiting=()
scripts=()
for script in tests/interop/*; do
    case "$script" in
        */run.sh | *_peer.py) continue ;;
        */freeradius_*.sh | */nginx_*.sh | */privacyidea.sh) list=waiting ;;
        *.sh | *.py) list=scripts ;;
        *) [ -d "$script" ] || fail "$script is neither a script nor a helper"
           continue ;;
    esac
    if [ -x "$script" ]; then
        declare -n into=$list
        into+=("$script")
    else
        fail "$script is not executable, so nobody ran it: chmod +x"
    fi
done
printf '\n--- beside each other: %s\n' "${waiting[*]}"
for script in "${waiting[@]}"; do run "$script" >"$logs/$(basename "$script").shown" & done
wait
for script in "${waiting[@]}"; do
    cat "$logs/$(basename "$script").shown"
    count "$script"
done
for script in "${scripts[@]}"; do
    run "$script"
    count "$script"
done

# What each real server did, as the scripts' lines "server: …" say.
printf '\n%s\n' "real servers: which, how | initialised | logins accepted | replays sent | replays accepted | verdict"
cat "$servers"
printf '\ninterop: screenshots are in %s\n' "$TROUSSEAU_SHOTS"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
