# Shared by the scripts with real servers: a folder with a batch, a roster and a shared secret, a
# FreeRADIUS on a loopback port, and a count of what held. Sourced, not run.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=${TROUSSEAU_BIN:-$here/../../../target/release/trousseau}
bin=$(realpath "$bin")
work=$(mktemp -d)
passed=0
failed=0
servers=()
pam_file=""

finish() {
    local code=$?
    # Also what still runs in the background when a script ends early.
    for pid in "${servers[@]}" $(jobs -p); do kill "$pid" 2>/dev/null || true; done
    [ -z "$pam_file" ] || as_root rm -f "$pam_file"
    if [ "$code" -ne 0 ] || [ -n "${KEEP:-}" ]; then
        echo "files are kept in $work"
    else
        rm -rf "$work"
    fi
}
trap finish EXIT

conclude() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}

# check WHAT COMMAND…: counts whether the command succeeds.
check() {
    local what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
        echo "ok: $what"
    else
        failed=$((failed + 1))
        echo "FAILED: $what"
    fi
}

# eventually PID LOG COMMAND…: waits until the command succeeds, for a minute at most, which a busy
# machine may need; ends badly, with the log, when it does not or when the server has gone.
eventually() {
    local pid=$1 log=$2 end=$((SECONDS + 60))
    shift 2
    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$end" ] || ! kill -0 "$pid" 2>/dev/null; then
            echo "no server within a minute, or it has ended: $*"
            tail -n 40 "$log"
            return 1
        fi
        sleep 0.1
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

need() {
    local missing=""
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            missing="$missing $package"
    done
    [ -z "$missing" ] && return
    # One at a time: scripts run beside each other.
    (
        flock 9
        as_root apt-get update -qq
        # shellcheck disable=SC2086
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null
    ) 9<"$here"
}

# batch USERS PERIOD [pins]: keys, their roster (with a PIN each when asked), the same as JSON
# Lines with seeds, which the servers' own files are made from, and the shared secret.
batch() {
    local users=$1 period=$2 pins=${3:-}
    "$bin" mint --count "$users" --serial-prefix T --period "$period" \
        --new-transport-key "$work/transport.key" --out "$work/batch.pskcxml" 2>/dev/null
    {
        echo "user,serial${pins:+,pin}"
        for ((n = 1; n <= users; n++)); do
            printf 'u%05d,T%0*d%s\n' "$n" "${#users}" "$n" "${pins:+,$(printf 'p%04d' "$n")}"
        done
    } >"$work/roster.csv"
    (umask 077 && head -c 24 /dev/urandom | base64 >"$work/radius.secret")
    "$bin" inspect "$work/batch.pskcxml" --transport-key-file "$work/transport.key" \
        --json --reveal-secrets >"$work/keys.jsonl"
}

# pam_service: a PAM service of this run's own, which checks against $work/users.oath; sets $service.
pam_service() {
    service=trousseau-interop-$$
    pam_file=/etc/pam.d/$service
    as_root tee "$pam_file" >/dev/null <<PAM || {
auth requisite pam_oath.so usersfile=$work/users.oath window=3 digits=6
account required pam_permit.so
PAM
        echo "cannot write $pam_file: run this as root, or where sudo works"
        return 1
    }
}

# freeradius CONFIG: starts it, with @WORK@, @SECRET@, @HERE@, @PYTHON@, @SERVICE@ and @PORT@ filled in;
# sets $url.
freeradius_start() {
    local port python
    # rlm_python3 has the Python of the distribution in it, whatever else is in the path.
    python=$(/usr/bin/python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')
    port=$(python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    sed -e "s|@WORK@|$work|g" -e "s|@SECRET@|$(cat "$work/radius.secret")|g" \
        -e "s|@HERE@|$here|g" -e "s|@PORT@|$port|g" -e "s|@PYTHON@|$python|g" \
        -e "s|@SERVICE@|${service:-}|g" "$here/$1" >"$work/radiusd.conf"
    freeradius -d "$work" -D /usr/share/freeradius -f -l stdout >"$work/freeradius.log" 2>&1 &
    servers+=($!)
    eventually $! "$work/freeradius.log" grep -q 'Ready to process requests' "$work/freeradius.log"
    url="radius://127.0.0.1:$port"
}

radius_version() {
    freeradius -v 2>/dev/null | sed -n '1s/.*Version \([0-9.]*\).*/\1/p'
}

# simulate TARGET OUT [options]: a population, that of the file $roster if there is one; its exit code is
# in $code, its report in OUT.txt.
simulate() {
    local target=$1 out=$2
    shift 2
    code=0
    "$bin" simulate --scenario "$here/quick.toml" --target "$target" --url "$url" \
        --radius-secret-file "$work/radius.secret" --keys "$work/batch.pskcxml" \
        --transport-key-file "$work/transport.key" --roster "${roster:-$work/roster.csv}" \
        --out "$work/$out" "$@" >"$work/$out.txt" 2>"$work/$out.err" || code=$?
    head -n 12 "$work/$out.txt"
    tail -n 4 "$work/$out.err"
    echo "exit code $code"
}

# tell_race OUT: what pam_oath contradicted is its own race, or nothing; and the exit code says which.
tell_race() {
    check "no contradiction but by the race for the users file" \
        python3 "$here/pam_race.py" "$work/$1"
    if [ "$(figure "$1" contradictions)" -gt 0 ]; then
        check "the exit code says so" test "$code" -eq 3
    else
        # Without one, 1 is a threshold: a request lost on a busy machine.
        check "the exit code says so" test "$code" -le 1
    fi
}

# figure OUT POINTER: a number of the JSON report; of a list, how long it is.
figure() {
    python3 - "$work/$1/report.json" "$2" <<'PY'
import json, sys
value = json.load(open(sys.argv[1]))
for key in sys.argv[2].strip("/").split("/"):
    value = value[key]
print(len(value) if isinstance(value, list) else value)
PY
}

# outcome OUT SERVER: one line of what a run found, which run.sh collects into a table.
outcome() {
    python3 - "$work/$1/report.json" "$2" <<'PY'
import json, sys
report = json.load(open(sys.argv[1]))
people, replays = report["people"], report["replays"]
kinds = ", ".join(f'{kind["count"]} {kind["name"]}' for kind in report["kinds"])
verdict = f"contradictions: {kinds}" if report["contradictions"] else "as declared"
print(
    f'server: {sys.argv[2]} | {people["initialised"]} | {people["logins"]} | {replays["sent"]} '
    f'| {replays["accepted"]} | {verdict}'
)
PY
}
