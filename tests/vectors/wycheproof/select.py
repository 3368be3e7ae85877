#!/usr/bin/env python3
"""Selects from a checkout of C2SP/wycheproof the cases that concern what trousseau uses.

Usage: select.py CHECKOUT, in the folder that the files go to.
"""
import json
import pathlib
import sys

FIELDS = ["tcId", "comment", "flags", "key", "iv", "msg", "ct", "tag", "password", "salt",
          "iterationCount", "dkLen", "dk", "label", "result"]
GROUP = ["keySize", "ivSize", "tagSize", "sha", "mgfSha", "privateKeyPem"]


def relevant(group, test):
    # XML Encryption has no associated data, and no label in the files that are read; PBKDF2 of many
    # iterations says nothing more and takes its time.
    return not test.get("aad") and not test.get("label") \
        and test.get("iterationCount", 0) <= 10_000 and test.get("dkLen", 0) <= 1024


def fits(name, group):
    if name == "aes_gcm":
        return group["ivSize"] == 96 and group["tagSize"] == 128
    if name == "aes_cmac":
        return group["tagSize"] == 128
    if name == "rsa_pkcs1_2048":
        # The other groups try one key each with one message.
        return len(group["tests"]) > 1
    return True


NAMES = ["aes_cbc_pkcs5", "aes_gcm", "aes_wrap", "aes_kwp", "aes_cmac", "camellia_cbc_pkcs5",
         "camellia_wrap", "rsa_pkcs1_2048",
         *(f"hmac_sha{n}" for n in (1, 224, 256, 384, 512)),
         *(f"pbkdf2_hmacsha{n}" for n in (1, 224, 256, 384, 512)),
         *(f"rsa_oaep_2048_sha{n}_mgf1sha1" for n in (1, 224, 256, 384, 512)),
         *(f"rsa_oaep_2048_sha{n}_mgf1sha{n}" for n in (224, 256, 384, 512))]

source = pathlib.Path(sys.argv[1]) / "testvectors_v1"
for name in NAMES:
    whole = json.loads((source / f"{name}_test.json").read_text())
    lines = []
    for group in whole["testGroups"]:
        if not fits(name, group):
            continue
        tests = [{field: test[field] for field in FIELDS if field in test}
                 for test in group["tests"] if relevant(group, test)]
        if not tests:
            continue
        head = json.dumps({field: group[field] for field in GROUP if field in group})[:-1]
        comma = ", " if head != "{" else ""
        lines.append(head + comma + '"tests": [\n'
                     + ",\n".join(json.dumps(test, separators=(",", ":")) for test in tests)
                     + "\n]}")
    pathlib.Path(f"{name}.json").write_text(
        f'{{"algorithm": {json.dumps(whole["algorithm"])}, "groups": [\n' + ",\n".join(lines)
        + "\n]}\n")
