# A privacyIDEA on loopback, its keys imported from our own export. Sourced, not run.
# shellcheck source=tests/interop/radius/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../radius/lib.sh"
pi_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# Its own virtual environment: it pins some 80 packages, which nothing else here should have to meet.
pi_venv=${PRIVACYIDEA_VENV:-$pi_here/../../../target/interop/privacyidea}

pi_install() {
    [ -x "$pi_venv/bin/gunicorn" ] || {
        python3 -m venv "$pi_venv"
        "$pi_venv/bin/pip" install --quiet --disable-pip-version-check \
            privacyidea==3.14 gunicorn==27.0.1
    }
    pi_venv=$(realpath "$pi_venv")
    pi_python=$(echo "$pi_venv"/lib/python3.*/site-packages)
}

# pi_batch USERS: keys, roster, and the import file, all by this program.
pi_batch() {
    local n
    "$bin" mint --count "$1" --serial-prefix PI --serial-width 6 --new-transport-key \
        "$work/transport.key" --out "$work/batch.pskcxml" 2>/dev/null
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
    for number, row in enumerate(csv.DictReader(open(f"{work}/roster.csv")), 1):
        db.execute("insert into users values (?, ?, '', '', '')", (str(number), row["user"]))
PY
}

# pi_start RATE WORKERS: starts it with a clock RATE times as fast as ours; sets $url, $origin:
# what --clock-rate and --clock-origin then want.
pi_start() {
    local rate=$1 workers=$2 port secret
    secret=$(head -c 18 /dev/urandom | base64)
    (umask 077 && head -c 18 /dev/urandom | base64 >"$work/admin.password")
    (umask 077 && cat >"$work/pi.cfg" <<CFG
SQLALCHEMY_DATABASE_URI = "sqlite:///$work/pi.db"
SQLALCHEMY_ENGINE_OPTIONS = {"connect_args": {"timeout": 60}}
SECRET_KEY = "$secret"
PI_PEPPER = "$secret"
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
    )
    export PRIVACYIDEA_CONFIGFILE=$work/pi.cfg
    {
        "$pi_venv/bin/pi-manage" setup create_enckey
        "$pi_venv/bin/pi-manage" setup create_audit_keys
        "$pi_venv/bin/pi-manage" setup create_tables
        "$pi_venv/bin/pi-manage" admin add admin -p "$(cat "$work/admin.password")"
    } >"$work/setup.log" 2>&1 || { cat "$work/setup.log"; return 1; }
    # Checks of the same code in two processes at once are only kept apart by the database.
    sqlite3 "$work/pi.db" 'pragma journal_mode = wal' >/dev/null
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
    url="http://127.0.0.1:$port"
    local faster=()
    origin=$(date +%s)
    if [ "$rate" != 1 ]; then
        gcc -shared -fPIC -O1 -o "$work/fastclock.so" "$pi_here/fastclock.c"
        faster=(env "LD_PRELOAD=$work/fastclock.so" "FASTCLOCK_RATE=$rate"
            "FASTCLOCK_ORIGIN=$origin")
    fi
    "${faster[@]}" "$pi_venv/bin/gunicorn" --workers "$workers" --timeout 300 \
        --bind "127.0.0.1:$port" \
        "privacyidea.app:create_app(config_name='production', config_file='$work/pi.cfg', silent=True)" \
        >"$work/gunicorn.log" 2>&1 &
    servers+=($!)
    for _ in $(seq 300); do
        curl -fsS "$url/healthz/livez" >/dev/null 2>&1 && break
        sleep 0.2
    done
    curl -fsS "$url/healthz/livez" >/dev/null || { tail -n 30 "$work/gunicorn.log"; return 1; }
    python3 "$pi_here/provision.py" "$url" "$work"
}
