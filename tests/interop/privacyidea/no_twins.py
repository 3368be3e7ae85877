"""Whether no key, from number FIRST of the batch on, shows a code twice between an hour ago and two hours
ahead. Argument: FIRST; the keys come as JSON Lines with their secrets."""

import hashlib
import hmac
import json
import struct
import sys
import time

first = int(sys.argv[1])
keys = [json.loads(line) for line in sys.stdin][first - 1 :]
assert keys, "there is no such key"
for key in keys:
    assert (key["algorithm"], key["hash"]) == ("totp", "sha1"), key["serial"]
    now, codes = int(time.time()) // key["period"], []
    for step in range(now - 3600 // key["period"], now + 7200 // key["period"]):
        mac = hmac.digest(bytes.fromhex(key["secret"]), struct.pack(">Q", step), hashlib.sha1)
        (word,) = struct.unpack_from(">I", mac, mac[-1] & 15)
        codes.append((word & 0x7FFFFFFF) % 10 ** key["digits"])
    if len(set(codes)) < len(codes):
        sys.exit(f'{key["serial"]} shows a code twice')
