"""Codes as CHAP passwords, for FreeRADIUS's rlm_python3 beside its own rlm_chap.

CHAP (RFC 2865 section 5.3) proves a password that the server knows in clear: here, the PIN followed
by the code of the present step, computed for each request. Each code is taken once: by the time
rlm_chap has found it right, it must not have been taken by another request.
"""

import csv
import hashlib
import hmac
import json
import struct
import threading
import time

import radiusd

lock = threading.Lock()
accounts = {}


class Account:
    def __init__(self, seed, period, pin):
        self.seed, self.period, self.pin, self.last = seed, period, pin, -1

    def step(self):
        return int(time.time()) // self.period

    def passcode(self, step):
        mac = hmac.new(self.seed, struct.pack(">Q", step), hashlib.sha1).digest()
        at = mac[-1] & 15
        return f"{self.pin}{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7FFFFFFF) % 1000000:06}"


def instantiate(_):
    config = radiusd.config
    keys = {key["serial"]: key for key in map(json.loads, open(config["keys"]))}
    for row in csv.DictReader(open(config["roster"])):
        key = keys[row["serial"]]
        accounts[row["user"]] = Account(bytes.fromhex(key["secret"]), key["period"], row["pin"])
    return 0


def authorize(request):
    account = accounts.get(dict(request).get("User-Name"))
    if account is None:
        return radiusd.RLM_MODULE_NOTFOUND
    step = account.step()
    if step <= account.last:
        return radiusd.RLM_MODULE_REJECT
    control = (("Cleartext-Password", account.passcode(step)), ("Tmp-Integer-0", str(step)))
    return (radiusd.RLM_MODULE_OK, (), control)


def post_auth(request):
    # The step that the password was computed for may be over by now.
    request = dict(request)
    account = accounts[request["User-Name"]]
    step = int(request["Tmp-Integer-0"])
    with lock:
        if step <= account.last:
            return radiusd.RLM_MODULE_REJECT
        account.last = step
    return radiusd.RLM_MODULE_OK
