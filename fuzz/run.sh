#!/usr/bin/env bash
# Builds and runs the fuzz targets: `fuzz/run.sh [SECONDS [TARGET …]]`, 60 s for each of them by
# default, two at a time. Ends with `N targets, M executions, K crashes`, and badly if K is not 0.
# FUZZ_SEED is the seed of the mutations, 1 unless set; how far a run gets is up to the machine.
#
# A stable toolchain and a C++ compiler are enough: libFuzzer comes with the crate libfuzzer-sys, and
# the options below are those with which cargo-fuzz instruments code for it. No sanitizer: no code
# here is unsafe, and what is allocated is bounded by the targets themselves (src/lib.rs). With
# cargo-fuzz and a nightly toolchain, `cargo fuzz run TARGET` adds AddressSanitizer for what is below.
set -euo pipefail
cd "$(dirname "$0")"
seconds=${1:-60}
shift || true
seed=${FUZZ_SEED:-1}
# The targets are looked for in target/.
unset CARGO_TARGET_DIR
host=$(rustc -vV | sed -n 's/^host: //p')
bin=target/$host/release

# The versions of the program's own dependencies, and those that Cargo.toml pins.
cp ../Cargo.lock Cargo.lock
cargo metadata --format-version 1 >/dev/null
packages() { sed -n '/^name = /{N;s/\n/ /;p}' "$1" | sort; }
news=$(comm -13 <(packages ../Cargo.lock) <(packages Cargo.lock) | cut -d'"' -f2 | paste -sd' ')
[ "$news" = "arbitrary cap libfuzzer-sys trousseau-fuzz" ] || {
    echo "fuzz/Cargo.toml does not pin all that ../Cargo.lock has not: $news" >&2
    exit 1
}
cargo fmt --check
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0"
# With --target, so that build scripts and macros are not instrumented.
cargo build --locked --release --bins --target "$host"

# Target, longest input, where its seeds are.
targets() {
    cat <<'EOF'
pskc 4096 seeds/pskc ../tests/vectors/rfc6030 ../tests/vectors/encryption ../tests/vectors/invalid ../tests/vectors/generated
pskc_value 512 seeds/pskc_value
pskc_keys 2048 seeds/pskc_keys
import 1024 seeds/import
definition 8192 ../formats ../scenarios ../examples
answer 2048 seeds/answer
radius 4200 seeds/radius
text 4096 seeds/text
record 2048 seeds/record
signature 8192 seeds/signature seeds/pskc
EOF
}

wanted() {
    test $# -eq 0 && { targets; return; }
    local name
    for name in "$@"; do
        targets | grep "^$name " || { echo "there is no target $name" >&2; exit 2; }
    done
}

one() {
    local target=$1 longest=$2 input
    shift 2
    mkdir -p "corpus/$target" artifacts log
    local dict=()
    test -f "$target.dict" && dict=(-dict="$target.dict")
    if "./$bin/$target" "corpus/$target" "$@" "${dict[@]}" -max_total_time="$seconds" \
        -seed="$seed" -max_len="$longest" -timeout=25 -rss_limit_mb=512 -print_final_stats=1 \
        -artifact_prefix="artifacts/$target-" >"log/$target" 2>&1; then
        echo "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "log/$target") executions"
    else
        echo "$target: CRASHED"
        grep -a -B 2 -A 12 'panicked at\|ERROR: libFuzzer' "log/$target" | tail -n 40
        input=$(sed -n 's/.*Test unit written to //p' "log/$target" | tail -n 1)
        echo "    reproduce: fuzz/$bin/$target fuzz/$input"
        # Where only this output is kept: what the file holds.
        ! test -f "$input" || base64 "$input"
    fi
}
export -f one
export bin seconds seed

list=$(wanted "$@")
summary=$(mktemp)
trap 'rm -f "$summary"' EXIT
xargs -P 2 -L 1 bash -c 'one "$@"' one <<<"$list" | tee "$summary"
awk -v targets="$(wc -l <<<"$list")" '
    / executions$/ { executions += $2 }
    /: CRASHED$/ { crashes++ }
    / executions$|: CRASHED$/ { seen++ }
    END {
        printf "%d targets, %d executions, %d crashes\n", targets, executions, crashes
        exit crashes > 0 || seen < targets
    }' "$summary"
