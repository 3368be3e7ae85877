"""privacyIDEA's own import of a PSKC file written for it. Arguments: URL, folder (with
admin.password), file, transport key, how many keys must be taken, then serial numbers and users to
assign, in pairs."""

import sys

from admin import Admin

url, folder, batch, key, wanted, *pairs = sys.argv[1:]
admin = Admin(url, folder)
taken = admin.load(open(batch).read(), type="pskc", psk=open(key).read().strip())
print(f"{batch.rsplit('/', 1)[-1]}: {taken} keys taken")
assert taken == int(wanted), taken
for serial, user in zip(pairs[::2], pairs[1::2]):
    assert admin.call("/token/assign", {"serial": serial, "user": user, "realm": "otp"})
