"""Ten thousand keys written or read with python-pskc, for comparison."""

import os
import sys

from pskc import PSKC

key = bytes.fromhex("00112233445566778899aabbccddeeff")
action, path = sys.argv[1:]
if action == "write":
    pskc = PSKC()
    for number in range(10_000):
        serial = f"ACME{number:08}"
        pskc.add_key(
            id=serial, serial=serial, manufacturer="oath.ACME", model="K60", time_interval=60,
            algorithm="urn:ietf:params:xml:ns:keyprov:pskc:totp", secret=os.urandom(20),
            response_length=6, response_encoding="DECIMAL",
        )
    pskc.encryption.setup_preshared_key(key=key, algorithm="aes128-cbc", key_name="key")
    pskc.write(path)
else:
    pskc = PSKC(path)
    pskc.encryption.key = key
    assert len([item.secret for item in pskc.keys]) == 10_000
