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
done = admin.call("/token/resync", {"serial": serial, "otp1": first, "otp2": second})
assert done is True, f"/token/resync of {serial} by two codes in a row answers {done!r}"
# The first code of this key: a PIN is to be chosen next.
answer = check(later)
assert answer in ("ACCEPT", "CHALLENGE"), f"the later code is answered {answer}"
answer = check(second)
assert answer == "REJECT", f"a code of the resynchronisation is answered {answer}"
