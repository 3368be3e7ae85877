#!/usr/bin/env bash
# pam_oath behind Debian's FreeRADIUS: PIN and code in one password, checked against the users file
# that `export --format pam-oath` writes. Needs root or sudo: PAM reads its services from /etc/pam.d.
# shellcheck source=tests/interop/radius/lib.sh
. "$(dirname "$0")/radius/lib.sh"

need freeradius freeradius-utils libpam-oath
batch 40 30 pins
"$bin" export "$work/batch.pskcxml" --format pam-oath --roster "$work/roster.csv" \
    --transport-key-file "$work/transport.key" --out "$work/users.oath"
pam_service
freeradius_start radiusd-pam.conf

simulate pam-oath pam-oath --set scenario.duration=180s --unused-keys
outcome pam-oath "pam_oath behind FreeRADIUS $(radius_version) rlm_pam, real time"
check "everybody logged in" grep -q '40 logged in' "$work/pam-oath.txt"
check "replays were sent" test "$(figure pam-oath replays/sent)" -gt 0
tell_race pam-oath

conclude
