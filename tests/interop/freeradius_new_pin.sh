#!/usr/bin/env bash
# Debian's FreeRADIUS with New PIN Mode over Access-Challenges: the three steps, logins and replays
# over a RADIUS server that nobody here wrote; the rules come from a module in Python that shares
# nothing with the embedded server.
# shellcheck source=tests/interop/radius/lib.sh
. "$(dirname "$0")/radius/lib.sh"

need freeradius freeradius-utils freeradius-python3
batch 60 10
freeradius_start radiusd-new-pin.conf

simulate freeradius-new-pin new-pin
outcome new-pin "FreeRADIUS $(radius_version), New PIN module (Access-Challenge), real time"
check "the run finds no contradiction" test "$code" -eq 0
check "everybody was initialised" grep -q '60 initialised' "$work/new-pin.txt"
check "replays were sent" test "$(figure new-pin replays/sent)" -gt 0
check "and none was accepted" test "$(figure new-pin replays/accepted)" -eq 0
check "no answer was lost or dropped" \
    sh -c '! grep -q "given up\|dropped" "$1"' _ "$work/new-pin.err"

conclude
