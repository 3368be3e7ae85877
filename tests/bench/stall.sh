#!/usr/bin/env bash
# What the report says of a server that answers at once, but nobody for 1 s of every 10: one attempt
# in ten meets the stall, anywhere in it, so the truth is known: p50 nearly nothing, p95 500 ms,
# p99 900 ms, p99.9 990 ms. A generator that waits with its next attempt for the last answer, or
# counts from the moment it sent, shows p95 and p99 of a healthy server.
#
#   tests/bench/stall.sh [RATE]      attempts a second, for 60 s; builds and runs the release
set -euo pipefail
cd "$(dirname "$0")/../.."
rate=${1:-500}
seconds=60

cargo build --release --quiet --bin trousseau --example plain_server
trousseau=$PWD/target/release/trousseau
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
origin=$(date +%s)
coproc SERVER { exec target/release/examples/plain_server 60 "$origin" 1000 10000; }
read -r url <&"${SERVER[0]}"

cd "$work"
users=$((rate * seconds))
"$trousseau" mint --count "$users" --serial-prefix B --serial-width 8 \
    --new-transport-key transport.key --out batch.pskcxml >/dev/null 2>&1
{
    echo user,serial
    seq -f '%08.0f' "$users" | sed 's/.*/user&,B&/'
} >users.csv
# At rate 60, a minute of key time is a second. Everybody sends the first code a fixed time after
# coming, so that first codes are due as evenly as people come, whatever the server does.
cat >steady.toml <<SCENARIO
[scenario]
name = "steady"
title = "First codes at a steady rate"
duration = "$((seconds + 10))m"

[arrivals]
process = "poisson"
curve = [{ at = "0s", rate = 1 }, { at = "${seconds}m", rate = 1 }]

[people]
reaction = { constant = "1s" }
typing = { constant = "5s" }
new_pin = { constant = "15s" }
pin_length = { constant = 4 }
wait_at_one_bar = 0
impatient = 0
impatience = { constant = "1s" }
double_click = 0
typo = 0
tries = 1

[keys]
drift = { constant = "0s" }

[logins]
per_person = { constant = 0 }
gap = { constant = "1m" }
logout = 0

[thresholds]
contradictions = 0

[example]
people = 1000
seed = 1
impatient = [0, 0]
logins = [0, 0]
half_here_by = ["$((seconds / 2 - 2))m", "$((seconds / 2 + 2))m"]
SCENARIO
"$trousseau" simulate --scenario steady.toml --target portal-json --url "$url" \
    --keys batch.pskcxml --transport-key-file transport.key --roster users.csv --out run \
    --clock-rate 60 --clock-origin "$origin" --max-connections 4000 \
    >report.txt || { tail -n 40 report.txt; exit 1; }
python3 - <<'PYTHON'
import json
steps = {step["step"]: step for step in json.load(open("run/report.json"))["steps"]}
step = steps["first-code"]
print(f"first codes: {step['attempts']}, ms")
print(f"{'':26}{'p50':>9}{'p95':>9}{'p99':>9}{'p99.9':>9}")
print(f"{'truth':26}{0.1:9.2f}{500:9.1f}{900:9.1f}{990:9.1f}")
for name in ("latency", "service", "lateness"):
    at = step[name]
    print(f"{name:26}{at['p50_ms']:9.2f}{at['p95_ms']:9.1f}{at['p99_ms']:9.1f}{at['p999_ms']:9.1f}")
PYTHON
