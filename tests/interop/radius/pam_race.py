"""Tells whether every contradiction of a run against pam_oath comes from its users file.

pam_oath (liboath 2.6) reads the file before it locks it, and writes it anew after each login. Two at the
same time may both find a code unused; the second to write takes back what the first wrote, so that
the first code is good once more; and one may fail for the other's file. So a contradiction is the
server's race when it is
  - a code taken twice at once,
  - a code taken again whose first login overlapped another in time,
  - a refusal that overlapped another login in time;
any other is not explained. Argument: the folder of the run. Ends badly when one is left over.
"""

import csv
import json
import sys

folder = sys.argv[1]
report = json.load(open(f"{folder}/report.json"))
attempts = [
    {**row, "from": int(row["sent_us"]), "to": int(row["answered_us"])}
    for row in csv.DictReader(open(f"{folder}/attempts.csv"))
]
run = json.load(open(f"{folder}/run.json"))
people = {user: number for number, (serial, user) in enumerate(run["people"])}


def beside(one):
    """Whether another attempt was under way at the same time."""
    return any(
        other is not one and other["from"] <= one["to"] and one["from"] <= other["to"]
        for other in attempts
    )


def of_the_person(found):
    return [one for one in attempts if int(one["person"]) == people[found["user"]]]


def itself(found):
    return [one for one in of_the_person(found) if one["attempt"] == str(found["attempt"])]


def first_login(found):
    """The attempts by which the code of a replay was taken before."""
    return [
        one
        for one in of_the_person(found)
        if one["counter"] == str(found["counter"])
        and one["attempt"] != str(found["attempt"])
        and one["verdict"] == "accepted"
    ]


def race(found):
    kind = found["kind"]
    if kind == "concurrent-replay-accepted":
        return "a code taken twice at once"
    if kind in ("replay-accepted", "accepted-twice"):
        if any(map(beside, first_login(found))):
            return "a code good once more: its first login overlapped another"
    if kind in ("wrongly-refused", "none-of-group-accepted"):
        if any(map(beside, itself(found))):
            return "a refusal that overlapped another login"
    return None


left = 0
for found in report["contradictions"]:
    why = race(found)
    print(f'{found["kind"]} of {found["user"]} at {found["sent_s"]} s: {why or "NOT EXPLAINED"}')
    left += why is None
count = len(report["contradictions"])
if count and not left:
    print(
        f"pam_oath contradicted itself {count} times, each time while two logins overlapped: it reads its\n"
        "users file before it locks it, and writes it anew after each login. Verdict: contradictions.\n"
        "A race in the server, which a script cannot demand to be lost, so both outcomes pass as long\n"
        "as they are told."
    )
sys.exit(left > 0)
