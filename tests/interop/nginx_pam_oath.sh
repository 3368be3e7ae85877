#!/usr/bin/env bash
# pam_oath behind Debian's nginx: PIN and code as the password of HTTP Basic, checked against the users
# file that `export --format pam-oath` writes. Needs root or sudo: PAM reads its services from
# /etc/pam.d.
# shellcheck source=tests/interop/radius/lib.sh
. "$(dirname "$0")/radius/lib.sh"

need nginx libnginx-mod-http-auth-pam libpam-oath curl
batch 40 30 pins
"$bin" export "$work/batch.pskcxml" --format pam-oath --roster "$work/roster.csv" \
    --transport-key-file "$work/transport.key" --out "$work/users.oath"
pam_service
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
mkdir "$work/www"
echo welcome >"$work/www/private.txt"
module=$(ls /usr/lib/nginx/modules/ngx_http_auth_pam_module.so)
cat >"$work/nginx.conf" <<CONF
# The workers rewrite the users file, in a folder that is root's alone.
user root;
load_module $module;
worker_processes 2;
daemon off;
pid $work/nginx.pid;
error_log $work/nginx.log;
events {}
http {
    access_log off;
    client_body_temp_path $work/t1;
    proxy_temp_path $work/t2;
    fastcgi_temp_path $work/t3;
    uwsgi_temp_path $work/t4;
    scgi_temp_path $work/t5;
    server {
        listen 127.0.0.1:$port;
        root $work/www;
        location / {
            auth_pam "otp";
            auth_pam_service_name $service;
        }
    }
}
CONF
nginx -c "$work/nginx.conf" -e "$work/nginx.log" >/dev/null 2>"$work/nginx.err" &
servers+=($!)
url="http://127.0.0.1:$port"
asks_for_a_password() {
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/private.txt")" = 401 ]
}
eventually $! "$work/nginx.err" asks_for_a_password

code=0
"$bin" simulate --scenario "$here/quick.toml" --target pam-oath-nginx --url "$url" \
    --keys "$work/batch.pskcxml" --transport-key-file "$work/transport.key" \
    --roster "$work/roster.csv" --set scenario.duration=180s --unused-keys --out "$work/nginx" \
    >"$work/nginx.txt" 2>"$work/nginx.run" || code=$?
head -n 12 "$work/nginx.txt"
outcome nginx "pam_oath behind nginx $(nginx -v 2>&1 | sed 's|.*/||'), real time"
check "everybody logged in" grep -q '40 logged in' "$work/nginx.txt"
check "replays were sent" test "$(figure nginx replays/sent)" -gt 0
tell_race nginx

conclude
