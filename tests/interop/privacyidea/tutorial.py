"""Does what the tutorial of docs/targets.md says: writes its files, types its commands, and holds
their exit codes and a line of their output against the page. A block that is part of it follows a
marker <!-- tutorial: file NAME -->, <!-- tutorial: run exit CODE, TEXT --> (a command of ours), or
<!-- tutorial: shell --> (any other, which has to succeed). Arguments: page, folder, URL, program,
and the clock options of the server, added to every command that takes them."""

import os
import re
import shlex
import subprocess
import sys

page, folder, url, program, *clock = sys.argv[1:]
text = open(page).read()
blocks = re.findall(r"<!-- tutorial: (.*?) -->\n```\w*\n(.*?)```", text, re.S)
assert len(blocks) >= 6, f"only {len(blocks)} blocks found"
faults = 0
for number, (marker, block) in enumerate(blocks, 1):
    kind, _, rest = marker.partition(" ")
    if kind == "file":
        with open(os.path.join(folder, rest), "w") as out:
            out.write(block)
        print(f"step {number}: {rest} written")
        continue
    if kind == "shell":
        print("$", block.strip())
        subprocess.run(["sh", "-euc", block], cwd=folder, check=True, timeout=60)
        continue
    wanted, told = re.fullmatch(r"exit (\d+), (.*)", rest).groups()
    line = block.replace("\\\n", " ").strip()
    words = shlex.split(line.replace("http://127.0.0.1:5000", url))
    assert words[0] == "trousseau" and "\n" not in line, line
    # The server's answers are what the page is about: a busy machine is no fault in them.
    late = ["--set", "thresholds.lateness_p99=30s"] if words[1] == "simulate" else []
    takes_clock = words[1:3] == ["targets", "probe"] or words[1] in ("doctor", "simulate")
    ran = subprocess.run(
        [program, *words[1:], *(clock if takes_clock else []), *late],
        cwd=folder, capture_output=True, text=True, timeout=300,
    )
    print("$", " ".join(words), "->", ran.returncode)
    print(ran.stdout + ran.stderr)
    if ran.returncode != int(wanted) or told not in ran.stdout:
        print(f"step {number} FAILED: exit {wanted} and {told!r} were announced")
        faults += 1
sys.exit(1 if faults else 0)
