"""The other side of pskc_dialects.sh: one line per key, of all that makes its codes."""

import json
import sys

from pskc import PSKC


def algorithm(name):
    """The short name of HOTP and TOTP, which every dialect spells in its own way."""
    last = (name or "").replace("#", ":").rsplit(":", 1)[-1].lower()
    return last if last in ("hotp", "totp") else (name or "")


def show(number, key_id, serial, name, secret, digits, period, counter):
    name = algorithm(name)
    key_id = key_id or serial or f"key-{number}"
    moving = (period or 30) if name == "totp" else (counter or 0)
    print(key_id, serial or key_id, name, secret, digits or 6, moving)


def main(action, *args):
    if action == "normalise":
        for number, line in enumerate(sys.stdin, 1):
            key = json.loads(line)
            show(number, key["key_id"], key["serial"], key["algorithm"], key.get("secret", ""),
                 key["digits"], key["period"], key["counter"])
        return
    path, *rest = args
    pskc = PSKC(path)
    if rest:
        option, key_path = rest
        text = open(key_path, encoding="utf-8").read().strip()
        if option == "--passphrase-file":
            pskc.encryption.derive_key(text)
        else:
            pskc.encryption.key = bytes.fromhex(text)
    for number, key in enumerate(pskc.keys, 1):
        secret = key.secret or b""
        if isinstance(secret, str):
            secret = secret.encode()
        show(number, key.id, key.serial, key.algorithm, secret.hex(), key.response_length,
             key.time_interval, key.counter)


main(*sys.argv[1:])
