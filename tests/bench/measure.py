"""Runs a command and prints its keys per CPU second (user and system), wall time and peak memory."""

import resource
import subprocess
import sys
import time

name, keys, *command = sys.argv[1:]
start = time.monotonic()
subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
wall = time.monotonic() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
cpu = used.ru_utime + used.ru_stime
print(
    f"{name:<30} {int(keys):>10} keys {cpu:8.2f} CPU s {wall:8.2f} s wall "
    f"{int(keys) / max(cpu, 0.001):>12,.0f} keys/CPU s {used.ru_maxrss / 1024:8.1f} MiB"
)
