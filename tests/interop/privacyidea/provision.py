"""Prepares a running privacyIDEA: users, the keys from our import file, and the policies under which
a person chooses the PIN at the first login. Arguments: URL, folder (with users.db, admin.password
and import.csv)."""

import json
import sys

from admin import Admin

url, folder = sys.argv[1:3]
admin = Admin(url, folder)

admin.call(
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
admin.call("/realm/otp", {"resolvers": "pw"})
admin.call("/defaultrealm/otp", {})

# How many steps either way a new key may be resynchronised. The default of 1000 finds many a code by
# accident, at another step than its own.
admin.call("/system/setConfig", {"DefaultSyncWindow": "30"})

# A challenge is good for two minutes of the server's clock, which a fast one makes twelve seconds.
admin.call("/system/setConfig", {"DefaultChallengeValidityTime": "1200"})

# Our import file, in portions: one request with all would run into the server's time limit.
head, *rows = open(f"{folder}/import.csv").read().splitlines()
serials = [row.split(",")[3].strip() for row in rows]
imported = 0
for start in range(0, len(rows), 50):
    portion = "\r\n".join([head, *rows[start : start + 50]])
    imported += admin.load(portion, type="oathcsv")

for name, policy in {
    "firstuse": {"scope": "enrollment", "action": "change_pin_on_first_use"},
    "newpin": {
        "scope": "authentication",
        "action": "change_pin_via_validate, reset_all_user_tokens",
    },
    "pinlen": {"scope": "user", "action": "otp_pin_minlength=4, otp_pin_maxlength=6, setpin"},
}.items():
    admin.call(f"/policy/{name}", {"active": True, "realm": "otp", **policy})
# A key too far out is asked for its next code.
admin.call("/system/setConfig", {"AutoResync": "1"})
admin.call(
    "/policy/resync",
    {
        "scope": "authentication",
        "active": True,
        "realm": "otp",
        "action": "resync_via_multichallenge",
    },
)
# The mark "choose a PIN at the first login" is set with a PIN, an import alone does not set it.
for serial in serials:
    admin.call(f"/token/setpin/{serial}", {"otppin": ""})

owned = admin.call("/token/?pagesize=1000")["tokens"]
assigned = sum(1 for token in owned if token["username"])
print(f"privacyIDEA: {imported} keys imported from our file, {assigned} of them with their user")
assert imported == assigned == len(rows), (imported, assigned, len(rows))
