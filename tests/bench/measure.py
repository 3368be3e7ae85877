"""Runs a command and prints its keys per CPU second (user and system), wall time and peak memory.

    measure.py NAME KEYS COMMAND... [--feeds COMMAND...]

With --feeds, the first command's output is the second's input, and the second is measured. If
BENCH_LOG names a file, `NAME<TAB>CPU seconds per key<TAB>KEYS<TAB>MiB` is added to it.
"""

import os
import subprocess
import sys
import time

name, keys, *command = sys.argv[1:]
start = time.monotonic()
feeder = None
if "--feeds" in command:
    at = command.index("--feeds")
    feeder = subprocess.Popen(command[:at], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    command = command[at + 1 :]
measured = subprocess.Popen(
    command,
    stdin=feeder.stdout if feeder else subprocess.DEVNULL,
    stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
)
if feeder:
    feeder.stdout.close()
_, status, used = os.wait4(measured.pid, 0)
wall = time.monotonic() - start
if status or (feeder and feeder.wait()):
    sys.exit(f"{name}: a command failed")
cpu = used.ru_utime + used.ru_stime
print(
    f"{name:<30} {int(keys):>10} keys {cpu:8.2f} CPU s {wall:8.2f} s wall "
    f"{int(keys) / max(cpu, 0.001):>12,.0f} keys/CPU s {used.ru_maxrss / 1024:8.1f} MiB"
)
if log := os.environ.get("BENCH_LOG"):
    with open(log, "a") as out:
        print(f"{name}\t{cpu / int(keys):.12f}\t{keys}\t{used.ru_maxrss / 1024:.1f}", file=out)
