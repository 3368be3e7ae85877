# Shared by the scripts with real servers: a folder with a batch, a roster and a shared secret, a FreeRADIUS on
# a loopback port, and a count of what held. Sourced, not run.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=${TROUSSEAU_BIN:-$here/../../../target/release/trousseau}
bin=$(realpath "$bin")
work=$(mktemp -d)
passed=0
failed=0
servers=()

finish() {
    for pid in "${servers[@]}"; do kill "$pid" 2>/dev/null || true; done
    if [ "$failed" -ne 0 ] || [ -n "${KEEP:-}" ]; then
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

# refuses COMMAND…: whether it fails.
refuses() {
    ! "$@" >/dev/null 2>&1
}

need() {
    local missing=""
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            missing="$missing $package"
    done
    [ -z "$missing" ] && return
    local sudo=""
    [ "$(id -u)" -eq 0 ] || sudo=sudo
    $sudo apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq $missing >/dev/null
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

# freeradius CONFIG: starts it, with @WORK@, @SECRET@, @HERE@ and @PORT@ filled in; sets $url.
freeradius_start() {
    local port
    port=$(python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    sed -e "s|@WORK@|$work|g" -e "s|@SECRET@|$(cat "$work/radius.secret")|g" \
        -e "s|@HERE@|$here|g" -e "s|@PORT@|$port|g" "$here/$1" >"$work/radiusd.conf"
    freeradius -d "$work" -D /usr/share/freeradius -f -l stdout >"$work/freeradius.log" 2>&1 &
    servers+=($!)
    for _ in $(seq 50); do
        grep -q 'Ready to process requests' "$work/freeradius.log" && break
        sleep 0.1
    done
    grep -q 'Ready to process requests' "$work/freeradius.log" ||
        { cat "$work/freeradius.log"; return 1; }
    url="radius://127.0.0.1:$port"
}

radius_version() {
    freeradius -v 2>/dev/null | sed -n '1s/.*Version \([0-9.]*\).*/\1/p'
}

# simulate TARGET OUT [options]: a population; its exit code is in $code, its report in OUT.txt.
simulate() {
    local target=$1 out=$2
    shift 2
    code=0
    "$bin" simulate --scenario "$here/quick.toml" --target "$target" --url "$url" \
        --radius-secret-file "$work/radius.secret" --keys "$work/batch.pskcxml" \
        --transport-key-file "$work/transport.key" --roster "$work/roster.csv" \
        --out "$work/$out" "$@" >"$work/$out.txt" 2>"$work/$out.err" || code=$?
    head -n 12 "$work/$out.txt"
    tail -n 4 "$work/$out.err"
    echo "exit code $code"
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
