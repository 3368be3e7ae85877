#!/usr/bin/env bash
# Debian's FreeRADIUS with CHAP: its own rlm_chap compares, a module in Python tells it the password
# of the moment and takes each code once.
# shellcheck source=tests/interop/radius/lib.sh
. "$(dirname "$0")/radius/lib.sh"

need freeradius freeradius-utils freeradius-python3
batch 40 10 pins
freeradius_start radiusd-chap.conf

refuses_pap() {
    sed 's/^chap = /password = /' <("$bin" targets show freeradius-chap) >"$work/pap.toml"
    simulate "$work/pap.toml" pap --unused-keys >/dev/null
    [ "$(figure pap people/logins)" -eq 0 ]
}

simulate freeradius-chap chap --unused-keys
outcome chap "FreeRADIUS $(radius_version), rlm_chap (CHAP), real time"
check "the run finds no contradiction" test "$code" -eq 0
check "everybody logged in" grep -q '40 logged in' "$work/chap.txt"
check "replays were sent" test "$(figure chap replays/sent)" -gt 0
check "and none was accepted" test "$(figure chap replays/accepted)" -eq 0
# The configuration refuses every request with a User-Password.
check "the same by PAP is refused" refuses_pap
check "no answer was lost or dropped" \
    sh -c '! grep -q "given up\|dropped" "$1"' _ "$work/chap.err"

conclude
