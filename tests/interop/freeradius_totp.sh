#!/usr/bin/env bash
# Debian's FreeRADIUS with rlm_totp, a server that nobody here wrote and that accepts replays: the
# run must say so, with counts, and end with the exit code of a contradiction.
# shellcheck source=tests/interop/radius/lib.sh
. "$(dirname "$0")/radius/lib.sh"

need freeradius freeradius-utils
batch 60 30 pins
# rlm_totp wants the seed in Base32, and the PIN as the password that is left after the split.
python3 - "$work" <<'PY'
import base64, csv, json, sys
work = sys.argv[1]
keys = {key["serial"]: key["secret"] for key in map(json.loads, open(f"{work}/keys.jsonl"))}
with open(f"{work}/users", "w") as out:
    for row in csv.DictReader(open(f"{work}/roster.csv")):
        seed = base64.b32encode(bytes.fromhex(keys[row["serial"]])).decode().rstrip("=")
        out.write(f'{row["user"]} Cleartext-Password := "{row["pin"]}", TOTP-Secret := "{seed}"\n')
PY
freeradius_start radiusd-totp.conf

simulate freeradius-totp totp --unused-keys --set scenario.duration=180s
outcome totp "FreeRADIUS $(radius_version), rlm_totp (RADIUS PAP), real time"
check "the run ends with the exit code of a contradiction" test "$code" -eq 3
check "everybody logged in" grep -q '60 logged in' "$work/totp.txt"
check "replays were sent" test "$(figure totp replays/sent)" -gt 0
check "and replays were accepted" test "$(figure totp replays/accepted)" -gt 0
check "no other contradiction than those" \
    test "$(figure totp contradictions)" -eq "$(figure totp replays/accepted)"
check "each is listed" grep -q 'replayed-code' "$work/totp.txt"
check "no request was lost" test "$(grep -c 'given up' "$work/totp.err")" -eq 0

# The same server through a target that wants sealed answers: told before the first attempt.
sed 's/^require_message_authenticator = false/require_message_authenticator = true/' \
    <("$bin" targets show freeradius-totp) >"$work/sealed.toml"
simulate "$work/sealed.toml" sealed
check "unsealed answers are refused before the run" test "$code" -eq 6
check "and named" grep -q 'without Message-Authenticator was dropped' "$work/sealed.err"

# With another shared secret nothing the server says can be trusted.
echo "another secret" >"$work/radius.secret"
simulate freeradius-totp secret
check "another shared secret is noticed before the run" test "$code" -eq 6
check "with what to do" grep -q 'shared secret' "$work/secret.err"

conclude
