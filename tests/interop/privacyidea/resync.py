"""An administrator resynchronises a key by two codes in a row; then a later code logs its holder in.
Arguments: URL, folder (with admin.password), serial number, user, the three codes."""

import json
import sys
import urllib.parse
import urllib.request

from admin import Admin

url, folder, serial, user, first, second, later = sys.argv[1:]


def check(code):
    form = urllib.parse.urlencode({"user": user, "pass": code}).encode()
    with urllib.request.urlopen(f"{url}/validate/check", form, timeout=60) as answer:
        return json.load(answer)["result"]["authentication"]


admin = Admin(url, folder)
assert admin.call("/token/resync", {"serial": serial, "otp1": first, "otp2": second}) is True
# The first code of this key: a PIN is to be chosen next.
assert check(later) in ("ACCEPT", "CHALLENGE"), "the later code is refused"
assert check(second) == "REJECT", "a code of the resynchronisation is taken"
