# What the checks of PSKC begin with; sourced by them, from anywhere.
#
#   TROUSSEAU_BIN   the program
#   TROUSSEAU_VENV  a Python environment with python-pskc 1.4
# and pskctool (Debian package pskctool) in the path.
# shellcheck shell=sh
set -u
: "${TROUSSEAU_BIN:?}" "${TROUSSEAU_VENV:?}"
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
umask 077
passed=0 failed=0
check() { # what, command...
    label=$1
    shift
    if "$@" >log 2>&1; then
        passed=$((passed + 1))
        echo "ok      $label"
    else
        failed=$((failed + 1))
        echo "FAILED  $label"
        sed 's/^/        /' log | cut -c1-400
    fi
}
python() { "$TROUSSEAU_VENV/bin/python" "$here/pskc_peer.py" "$@"; }
ours() { "$TROUSSEAU_BIN" inspect --json --reveal-secrets "$@"; }
same() { # key option, key file, batch: both readers give the same serials and secrets
    ours "$3" "$1" "$2" | python normalise >ours.txt &&
        python read "$3" "$1" "$2" >theirs.txt &&
        test -s ours.txt && diff ours.txt theirs.txt
}
valid() { # pskctool also complains that it cannot decrypt; its verdict is what counts
    test "$(pskctool --validate "$1" 2>/dev/null)" = OK
}
closing() { # the line that the runner counts, and the exit code
    echo "$passed passed, $failed failed"
    test "$failed" -eq 0
}
