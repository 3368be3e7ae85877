# A privacyIDEA on loopback, its keys imported from our own export. Sourced, not run.
# shellcheck source=tests/interop/radius/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../radius/lib.sh"
pi_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Its own virtual environment: it pins some 80 packages, which nothing else here should have to meet.
pi_venv=${PRIVACYIDEA_VENV:-$pi_here/../../../target/interop/privacyidea}

pi_install() {
    [ -x "$pi_venv/bin/python" ] || python3 -m venv "$pi_venv"
    # Whatever is there: an installation that broke off, or other versions.
    "$pi_venv/bin/pip" install --quiet --disable-pip-version-check \
        privacyidea==3.14 gunicorn==27.0.1
    pi_venv=$(realpath "$pi_venv")
    pi_python=$(echo "$pi_venv"/lib/python3.*/site-packages)
}

# pi_batch USERS FIRST: keys, roster, and the import file, all by this program. The keys from number
# FIRST on show no code twice in some hours: resynchronising one, privacyIDEA takes the earliest step
# of its window that has the code, and an accidental twin there would be its answer.
pi_batch() {
    local n tries=0
    until pi_mint "$1" && "$bin" inspect "$work/batch.pskcxml" --json --reveal-secrets \
        --transport-key-file "$work/transport.key" | python3 "$pi_here/no_twins.py" "$2"; do
        tries=$((tries + 1))
        [ "$tries" -lt 20 ] || return 1
    done
    {
        echo "user,serial"
        for ((n = 1; n <= $1; n++)); do printf 'u%05d,PI%06d\n' "$n" "$n"; done
    } >"$work/roster.csv"
    "$bin" export "$work/batch.pskcxml" --transport-key-file "$work/transport.key" \
        --format privacyidea-csv-users --set resolver=pw --set realm=otp \
        --roster "$work/roster.csv" --out "$work/import.csv"
    python3 - "$work" <<'PY'
import csv, sqlite3, sys
work = sys.argv[1]
with sqlite3.connect(f"{work}/users.db") as db:
    db.execute("create table users (userid text, username text, givenname text, surname text, email text)")
    users = [row["user"] for row in csv.DictReader(open(f"{work}/roster.csv"))]
    # Some without a key, who get theirs from other files.
    users += [f"x{number:05}" for number in range(1, 6)]
    for number, user in enumerate(users, 1):
        db.execute("insert into users values (?, ?, '', '', '')", (str(number), user))
PY
}

pi_mint() {
    rm -f "$work/transport.key" "$work/batch.pskcxml"
    "$bin" mint --count "$1" --serial-prefix PI --serial-width 6 --new-transport-key \
        "$work/transport.key" --out "$work/batch.pskcxml" 2>/dev/null
}

# pi_prepare NAME…: configuration, keys and tables of a new one, and the configurations of its copies;
# the first NAME is its own.
pi_prepare() {
    local secret name
    secret=$(head -c 18 /dev/urandom | base64)
    (umask 077 && head -c 18 /dev/urandom | base64 >"$work/admin.password")
    for name in "$@"; do (umask 077 && pi_config "$secret" "$name" >"$work/$name.cfg"); done
    # For these alone: a server follows this variable rather than what create_app is given.
    local manage=(env "PRIVACYIDEA_CONFIGFILE=$work/$1.cfg" "$pi_venv/bin/pi-manage")
    {
        "${manage[@]}" setup create_enckey
        "${manage[@]}" setup create_audit_keys
        "${manage[@]}" setup create_tables
        "${manage[@]}" admin add admin -p "$(cat "$work/admin.password")"
    } >"$work/setup.log" 2>&1 || { cat "$work/setup.log"; return 1; }
    python3 -c 'import sqlite3, sys
sqlite3.connect(sys.argv[1]).execute("pragma journal_mode = wal")' "$work/$1.db"
}

# pi_config SECRET NAME: a configuration whose database is NAME.db.
pi_config() {
    cat <<CFG
SQLALCHEMY_DATABASE_URI = "sqlite:///$work/$2.db"
SQLALCHEMY_ENGINE_OPTIONS = {"connect_args": {"timeout": 60}}
SECRET_KEY = "$1"
PI_PEPPER = "$1"
PI_ENCFILE = "$work/enckey"
PI_AUDIT_KEY_PRIVATE = "$work/private.pem"
PI_AUDIT_KEY_PUBLIC = "$work/public.pem"
PI_AUDIT_NO_SIGN = True
PI_NO_RESPONSE_SIGN = True
# What a PIN costs to check is the server's own choice; here the exchange is what is looked at.
PI_HASH_ALGO_PARAMS = {"argon2__rounds": 1, "argon2__memory_cost": 1024}
SUPERUSER_REALM = ["admins"]
PI_LOGFILE = "$work/privacyidea.log"
PI_LOGLEVEL = 30
CFG
}

# pi_start NAME RATE WORKERS: starts the one configured as NAME, with a clock RATE times as fast as
# ours since the second $origin; sets $url and $pi_pid.
pi_start() {
    local name=$1 rate=$2 workers=$3 port
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
    url="http://127.0.0.1:$port"
    local settings=("PRIVACYIDEA_CONFIGFILE=$work/$name.cfg")
    if [ "$rate" != 1 ]; then
        [ -f "$work/fastclock.so" ] ||
            gcc -shared -fPIC -O1 -o "$work/fastclock.so" "$pi_here/fastclock.c"
        settings+=("LD_PRELOAD=$work/fastclock.so" "FASTCLOCK_RATE=$rate"
            "FASTCLOCK_ORIGIN=$origin")
    fi
    env "${settings[@]}" "$pi_venv/bin/gunicorn" --workers "$workers" --timeout 300 \
        --bind "127.0.0.1:$port" "privacyidea.app:create_app(config_name='production', silent=True)" \
        >"$work/gunicorn-$name-$workers.log" 2>&1 &
    pi_pid=$!
    servers+=("$pi_pid")
    eventually "$pi_pid" "$work/gunicorn-$name-$workers.log" curl -fsS "$url/healthz/livez"
}

pi_stop() {
    kill "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

# pi_copy FROM TO: the database as it is now, under the configuration of TO.
pi_copy() {
    python3 -c 'import sqlite3, sys
sqlite3.connect(sys.argv[1]).backup(sqlite3.connect(sys.argv[2]))' "$work/$1.db" "$work/$2.db"
}

# pi_used NAME FROM TO: how many keys of these rows of the roster have given a code, says that server's
# own database.
pi_used() {
    python3 - "$work/$1.db" "$(printf 'PI%06d' "$2")" "$(printf 'PI%06d' "$3")" <<'PY'
import sqlite3, sys
query = "select count(*) from token where serial between ? and ? and count > 0"
print(sqlite3.connect(sys.argv[1]).execute(query, sys.argv[2:]).fetchone()[0])
PY
}
