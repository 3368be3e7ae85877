"""New PIN Mode for FreeRADIUS's rlm_python3, written apart from the embedded server.

One process, one lock, everything in memory: a code is accepted once, a first code asks for a PIN,
the PIN is typed twice, and becomes effective with the next code.
"""

import csv
import hashlib
import hmac
import json
import secrets
import struct
import threading
import time

import radiusd

WINDOW = 1
LOCK_AFTER = 10

lock = threading.Lock()
accounts = {}
challenges = {}


class Account:
    def __init__(self, seed, period):
        self.seed, self.period = seed, period
        self.pin, self.last, self.failures = None, -1, 0

    def code(self, step):
        mac = hmac.new(self.seed, struct.pack(">Q", step), hashlib.sha1).digest()
        at = mac[-1] & 15
        return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7FFFFFFF) % 1000000:06}"

    def burn(self, typed):
        """Whether the code is good; it is not a second time."""
        now = int(time.time()) // self.period
        for step in range(now - WINDOW, now + WINDOW + 1):
            if step > self.last and hmac.compare_digest(self.code(step), typed):
                self.last = step
                return True
        return False


def instantiate(_):
    config = radiusd.config
    keys = {key["serial"]: key for key in map(json.loads, open(config["keys"]))}
    for row in csv.DictReader(open(config["roster"])):
        key = keys[row["serial"]]
        accounts[row["user"]] = Account(bytes.fromhex(key["secret"]), key["period"])
    return 0


def challenge(account, stage, message, pin=None):
    state = secrets.token_hex(16)
    challenges[state] = (account, stage, pin)
    return (
        radiusd.RLM_MODULE_OK,
        (("Reply-Message", message), ("State", "0x" + state.encode().hex())),
        (("Response-Packet-Type", "Access-Challenge"),),
    )


def refuse(account):
    if account is not None:
        account.failures += 1
    return radiusd.RLM_MODULE_REJECT


def accept(account):
    account.failures = 0
    return radiusd.RLM_MODULE_OK


def authenticate(request):
    request = dict(request)
    account = accounts.get(request.get("User-Name"))
    password = request.get("User-Password", "")
    with lock:
        if account is None or account.failures >= LOCK_AFTER:
            return refuse(account)
        if "State" in request:
            state = request["State"]
            if state.startswith("0x"):
                state = bytes.fromhex(state[2:]).decode("ascii", "replace")
            return proceed(account, state, password)
        pin, code = password[:-6], password[-6:]
        if pin != (account.pin or "") or not account.burn(code):
            return refuse(account)
        if account.pin is None:
            return challenge(account, "choose", "Enter a new PIN of 4 to 6 characters:")
        return accept(account)


def proceed(account, state, password):
    owner, stage, pin = challenges.get(state, (None, None, None))
    if owner is not account:
        return refuse(account)
    if stage == "confirm":
        if account.pin is None and password[:-6] == pin and account.burn(password[-6:]):
            account.pin = pin
            del challenges[state]
            return accept(account)
        return refuse(account)
    del challenges[state]
    if stage == "choose":
        if not 4 <= len(password) <= 6:
            return challenge(account, "choose", "PIN must have 4 to 6 characters. Enter a new PIN:")
        return challenge(account, "again", "Please re-enter new PIN:", password)
    if password != pin:
        return challenge(account, "choose", "PINs do not match. Enter a new PIN:")
    message = "PIN accepted. Wait for the token code to change, then enter the new PASSCODE:"
    return challenge(account, "confirm", message, pin)
