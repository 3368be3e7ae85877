"""privacyIDEA's own import of a PSKC file written for it. Arguments: URL, folder (with
admin.password), file, transport key, what it does about a wrong MAC (check_fail_hard: no key of the
file is taken; check_fail_soft: no such key), the serial numbers that it must have afterwards with a
comma between them, then serial numbers and users to assign, in pairs."""

import sys

from admin import Admin

url, folder, batch, key, about_macs, wanted, *pairs = sys.argv[1:]
wanted = sorted(filter(None, wanted.split(",")))
admin = Admin(url, folder)
taken = admin.load(
    open(batch).read(), type="pskc", psk=open(key).read().strip(), pskcValidateMAC=about_macs
)
print(f"{batch.rsplit('/', 1)[-1]}: {taken} keys taken")
assert taken == len(wanted), f"{taken} keys taken, not {len(wanted)}"
prefix = batch.rsplit("/", 1)[-1].removesuffix(".pskcxml")
there = sorted(token["serial"] for token in admin.call(f"/token/?serial={prefix}*")["tokens"])
assert there == wanted, f"{there} are there, not {wanted}"
for serial, user in zip(pairs[::2], pairs[1::2]):
    assert admin.call("/token/assign", {"serial": serial, "user": user, "realm": "otp"})
