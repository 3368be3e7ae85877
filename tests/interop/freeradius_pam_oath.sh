#!/usr/bin/env bash
# pam_oath behind Debian's FreeRADIUS: PIN and code in one password, checked against the users file
# that `export --format pam-oath` writes. Needs root: PAM reads its services from /etc/pam.d.
# shellcheck source=tests/interop/radius/lib.sh
. "$(dirname "$0")/radius/lib.sh"

need freeradius freeradius-utils libpam-oath
batch 40 30 pins
"$bin" export "$work/batch.pskcxml" --format pam-oath --roster "$work/roster.csv" \
    --transport-key-file "$work/transport.key" --out "$work/users.oath"
echo "auth requisite pam_oath.so usersfile=$work/users.oath window=3 digits=6
account required pam_permit.so" >/etc/pam.d/trousseau-interop
freeradius_start radiusd-pam.conf

simulate pam-oath pam-oath --set scenario.duration=180s --unused-keys
outcome pam-oath "pam_oath behind FreeRADIUS $(radius_version) rlm_pam, real time"
check "everybody logged in" grep -q '40 logged in' "$work/pam-oath.txt"
check "replays were sent" test "$(figure pam-oath replays/sent)" -gt 0
check "no code was accepted twice, one after the other" \
    test "$(figure pam-oath replays/sequential/accepted)" -eq 0
check "the verdict is no fault of the generator" test "$code" -eq 0 -o "$code" -eq 3
rm -f /etc/pam.d/trousseau-interop

conclude
