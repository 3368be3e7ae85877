#!/usr/bin/env bash
# What one simulated attempt costs the client: processor time, all included (code, expectation,
# request, verdict, recording), and peak memory, against a server that does next to nothing.
#
#   tests/bench/attempt.sh [USERS] [RATE]
set -euo pipefail
cd "$(dirname "$0")/../.."
users=${1:-20000}
rate=${2:-360}

cargo build --release --quiet --bin trousseau --example plain_server
trousseau=$PWD/target/release/trousseau
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
origin=$(date +%s)
coproc SERVER { exec target/release/examples/plain_server "$rate" "$origin"; }
read -r url <&"${SERVER[0]}"

cd "$work"
"$trousseau" mint --count "$users" --serial-prefix B --serial-width 8 \
    --new-transport-key transport.key --out batch.pskcxml >/dev/null 2>&1
{
    echo user,serial
    seq -f '%08.0f' "$users" | sed 's/.*/user&,B&/'
} >users.csv
# No mistakes and no impatience: this server would say yes to them.
"$trousseau" simulate --scenario rentree --target portal-json --url "$url" \
    --keys batch.pskcxml --transport-key-file transport.key --roster users.csv --out run \
    --clock-rate "$rate" --clock-origin "$origin" \
    --set people.impatient=0 --set people.typo=0 --set people.double_click=0 \
    >report.txt || { tail -n 40 report.txt; exit 1; }
python3 - <<'PYTHON'
import json
run = json.load(open("run/run.json"))
attempts = sum(1 for _ in open("run/attempts.csv")) - 1
used = run["generator"]
print(f"{run['users']} users, {attempts} attempts in "
      f"{used['cpu_seconds']:.2f} s of processor time: "
      f"{used['cpu_seconds'] / attempts * 1e6:.1f} us an attempt; "
      f"peak memory {used['peak_rss_kib'] / 1024:.0f} MiB, {used['connections']} connections")
PYTHON
