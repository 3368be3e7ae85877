#!/usr/bin/env python3
"""Processor time of the client per RADIUS authentication, against Debian's FreeRADIUS on loopback.

    tests/bench/radius.py [COUNT]

PAP, a users file, client and server on a core of their own; radclient at the concurrencies where it
is at its best and its worst, and this program's client, in the same run. Prints the ratio to
radclient's best. Needs freeradius and freeradius-utils; builds the release binary.
"""

import os
import resource
import socket
import subprocess
import sys
import tempfile
import time

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
SECRET = "testing123testing123"
CONF = """
prefix = /usr
raddbdir = {work}
libdir = /usr/lib/freeradius
logdir = {work}
run_dir = {work}
pidfile = {work}/pid
max_requests = 65536
cleanup_delay = 0
log {{
    destination = stdout
}}
security {{
    allow_vulnerable_openssl = yes
}}
client localhost {{
    ipaddr = 127.0.0.1
    secret = {secret}
}}
modules {{
    files {{
        filename = {work}/users
    }}
    pap {{
    }}
}}
server default {{
    listen {{
        type = auth
        ipaddr = 127.0.0.1
        port = {port}
    }}
    authorize {{
        files
        pap
    }}
    authenticate {{
        pap
    }}
}}
"""


def measure(command, given=""):
    """Processor seconds, user and system, and wall seconds of a command."""
    began = time.monotonic()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(["taskset", "-c", "1", *command], input=given, text=True,
                          capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{command[0]}: {done.stdout[-500:]}{done.stderr[-500:]}")
    used = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)
    return used, time.monotonic() - began


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../.."))
    subprocess.run(["cargo", "build", "--release", "--quiet", "--example", "radius_load"],
                   check=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as work:
        with open(f"{work}/radiusd.conf", "w") as out:
            out.write(CONF.format(work=work, secret=SECRET, port=port))
        with open(f"{work}/users", "w") as out:
            out.write('alice Cleartext-Password := "ab12159753"\n')
        server = subprocess.Popen(
            ["taskset", "-c", "0", "freeradius", "-f", "-d", work, "-D", "/usr/share/freeradius"],
            stdout=subprocess.DEVNULL)
        try:
            time.sleep(2)
            compare(port)
        finally:
            server.terminate()
            server.wait()


def compare(port):
    address = f"127.0.0.1:{port}"
    request = "User-Name=alice,User-Password=ab12159753,Message-Authenticator=0x00\n"
    best = {}

    def show(name, concurrency, command, given=""):
        # The better of two: other load on the machine only ever adds.
        used, wall = min(measure(command, given) for _ in range(2))
        each = used / COUNT * 1e6
        best[name] = min(best.get(name, each), each)
        print(f"{name:10} {concurrency:4} in flight: {each:6.1f} us of client CPU each, "
              f"{COUNT / wall:7.0f} a second", flush=True)

    for concurrency in (10, 50, 100):
        show("radclient", concurrency,
             ["radclient", "-q", "-c", str(COUNT), "-p", str(concurrency), address, "auth", SECRET],
             request)
    for concurrency in (1, 10, 50, 100, 200, 1000):
        show("trousseau", concurrency,
             ["target/release/examples/radius_load", address, SECRET, "alice", "ab12159753",
              str(COUNT), str(concurrency)])
    ratio = best["trousseau"] / best["radclient"]
    print(f"best against best: {best['trousseau']:.1f} us to {best['radclient']:.1f} us, "
          f"ratio {ratio:.2f}")


main()
