"""Prepares a running privacyIDEA: users, the keys from our import file, and the policies under which
a person chooses the PIN at the first login. Arguments: URL, folder (with users.db, admin.password
and import.csv). Standard library only."""

import json
import sys
import urllib.request
import uuid

url, folder = sys.argv[1:3]
headers = {}


def call(path, data=None, method=None, kind="application/json"):
    body = data if data is None or isinstance(data, bytes) else json.dumps(data).encode()
    request = urllib.request.Request(url + path, body, headers, method=method)
    if body is not None:
        request.add_header("Content-Type", kind)
    with urllib.request.urlopen(request, timeout=120) as answer:
        result = json.load(answer)["result"]
    assert result["status"] is True, (path, result)
    return result["value"]


password = open(f"{folder}/admin.password").read().strip()
token = call("/auth", {"username": "admin", "password": password})["token"]
headers["PI-Authorization"] = token

call(
    "/resolver/pw",
    {
        "type": "sqlresolver",
        "Driver": "sqlite",
        "Server": "",
        "Database": f"{folder}/users.db",
        "Table": "users",
        "Map": json.dumps({k: k for k in ("userid", "username", "givenname", "surname", "email")}),
    },
)
call("/realm/otp", {"resolvers": "pw"})
call("/defaultrealm/otp", {})

# Our import file, in portions: one request with all would run into the server's time limit.
head, *rows = open(f"{folder}/import.csv").read().splitlines()
serials = [row.split(",")[3].strip() for row in rows]
imported = 0
for start in range(0, len(rows), 50):
    mark = uuid.uuid4().hex
    portion = "\r\n".join([head, *rows[start : start + 50]])
    body = (
        f'--{mark}\r\nContent-Disposition: form-data; name="type"\r\n\r\noathcsv\r\n'
        f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="import.csv"\r\n'
        f"Content-Type: text/csv\r\n\r\n{portion}\r\n--{mark}--\r\n"
    )
    value = call(
        "/token/load/tokens.csv", body.encode(), "POST", f"multipart/form-data; boundary={mark}"
    )
    imported += value["n_imported"]

for name, policy in {
    "firstuse": {"scope": "enrollment", "action": "change_pin_on_first_use"},
    "newpin": {
        "scope": "authentication",
        "action": "change_pin_via_validate, reset_all_user_tokens",
    },
    "pinlen": {"scope": "user", "action": "otp_pin_minlength=4, otp_pin_maxlength=6, setpin"},
}.items():
    call(f"/policy/{name}", {"active": True, "realm": "otp", **policy})
# The mark "choose a PIN at the first login" is set with a PIN, an import alone does not set it.
for serial in serials:
    call(f"/token/setpin/{serial}", {"otppin": ""})

owned = call("/token/?pagesize=1000")["tokens"]
assigned = sum(1 for token in owned if token["username"])
print(f"privacyIDEA: {imported} keys imported from our file, {assigned} of them with their user")
assert imported == assigned == len(rows), (imported, assigned, len(rows))
