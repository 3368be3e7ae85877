#!/usr/bin/env bash
# Debian's FreeRADIUS with New PIN Mode over Access-Challenges: the three steps, logins and replays
# over a RADIUS server that nobody here wrote; the rules come from a module in Python that shares
# nothing with the embedded server.
# shellcheck source=tests/interop/radius/lib.sh
. "$(dirname "$0")/radius/lib.sh"

need freeradius freeradius-utils freeradius-python3
batch 72 10
freeradius_start radiusd-new-pin.conf

# Twelve more try at the same time what the server must not take: among it, wrong codes until it locks
# the key, and a right one after that.
head -n 61 "$work/roster.csv" >"$work/people.csv"
{ head -n 1 "$work/roster.csv"; tail -n 12 "$work/roster.csv"; } >"$work/probing.csv"
probe() {
    local roster=$work/probing.csv
    simulate freeradius-new-pin probe --set people.probe=1 --set people.typo=0 \
        --set logins.per_person.uniform.0=1 --set logins.per_person.uniform.1=1
    echo "$code" >"$work/probe.code"
}
probe >"$work/probe.said" 2>&1 &
probing=$!
roster=$work/people.csv
simulate freeradius-new-pin new-pin
outcome new-pin "FreeRADIUS $(radius_version), New PIN module (Access-Challenge), real time"
check "the run finds no contradiction" test "$code" -eq 0
check "everybody was initialised" grep -q '60 initialised' "$work/new-pin.txt"
check "replays were sent" test "$(figure new-pin replays/sent)" -gt 0
check "and none was accepted" test "$(figure new-pin replays/accepted)" -eq 0
check "no answer was lost or dropped" \
    sh -c '! grep -q "given up\|dropped" "$1"' _ "$work/new-pin.err"

wait "$probing"
cat "$work/probe.said"
outcome probe "FreeRADIUS $(radius_version), New PIN module, people who probe, real time"
check "probing finds no contradiction" test "$(cat "$work/probe.code")" -eq 0
check "a right code was sent to a locked key" \
    grep -q ',login,probing,.*,rejected,locked,' "$work/probe/attempts.csv"
check "and a right code with a wrong PIN" \
    test "$(grep -cE ',rejected,wrong-pin,' "$work/probe/attempts.csv")" -gt 0

conclude
