"""The other side of pskc.sh: python-pskc reading and writing, one `serial secret` line per key."""

import json
import sys

from pskc import PSKC


def key_of(pskc, option, path):
    text = open(path, encoding="utf-8").read()
    if option == "--passphrase-file":
        pskc.encryption.derive_key(text.splitlines()[0])
    else:
        pskc.encryption.key = bytes.fromhex(text.strip())


def fill(pskc, length=20):
    for number in range(20):
        pskc.add_key(
            id=f"T{number:04}", serial=f"T{number:04}", manufacturer="oath.ACME",
            algorithm="totp", secret=bytes(range(number, number + length)), time_interval=60,
            response_length=6, response_encoding="DECIMAL",
        )


def main(action, *args):
    if action == "normalise":
        for line in sys.stdin:
            key = json.loads(line)
            print(key["serial"], key["secret"], key["digits"], key["period"] or key["counter"])
    elif action == "read":
        path, *key = args
        pskc = PSKC(path)
        if key:
            key_of(pskc, *key)
        for key in pskc.keys:
            assert key.check()
            moving = key.time_interval or key.counter or 0
            print(key.serial, key.secret.hex(), key.response_length, moving)
    elif action == "write":
        path, algorithm, key_path, *length = args
        pskc = PSKC()
        fill(pskc, *map(int, length))
        key = bytes.fromhex(open(key_path).read().strip())
        pskc.encryption.setup_preshared_key(key=key, algorithm=algorithm, key_name="theirs")
        pskc.write(path)
    elif action == "write-mac":
        path, mac, key_path = args
        pskc = PSKC()
        fill(pskc)
        key = bytes.fromhex(open(key_path).read().strip())
        pskc.encryption.setup_preshared_key(key=key, algorithm="aes128-cbc", key_name="theirs")
        pskc.mac.setup(algorithm=mac)
        pskc.write(path)
    elif action == "write-plain":
        (path,) = args
        pskc = PSKC()
        fill(pskc)
        pskc.write(path)
    elif action == "write-pbkdf2":
        path, words, *prf = args
        pskc = PSKC()
        fill(pskc)
        password = open(words, encoding="utf-8").read().splitlines()[0]
        pskc.encryption.setup_pbkdf2(
            password=password, iterations=20000, prf=prf[0] if prf else None
        )
        pskc.write(path)
    else:
        sys.exit(f"unknown action {action}")


main(*sys.argv[1:])
