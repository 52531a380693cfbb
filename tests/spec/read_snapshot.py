#!/usr/bin/env python3
"""Reads snapshots of rings from docs/spec-snapshot.md alone. Needs the package xxhash.

    read_snapshot.py FILE            one snapshot a line: checks each, prints "ok FINGERPRINT" for each
    read_snapshot.py FILE KEYS       also prints, for each line of the file KEYS, "FINGERPRINT<tab>KEY<tab>OWNER" ("-": no owner);
                                     keys (their first 32 bytes) and owners in hexadecimal
    read_snapshot.py FILE KEYS OWNERS    compares these lines with those of the file OWNERS instead

Exits with 1 and a line that names what is wrong.
"""

import bisect
import json
import struct
import sys

import xxhash


def refuse(what):
    raise SystemExit(f"refused: {what}")


def xxh3(data):
    return xxhash.xxh3_64_intdigest(data)


def digits(text, count=None):
    if not isinstance(text, str) or set(text) - set("0123456789abcdef") or len(text) % 2:
        refuse(f"not lower-case hexadecimal digits: {text!r}")
    if count is not None and len(text) != count:
        refuse(f"not {count} digits: {text!r}")
    return bytes.fromhex(text)


def fingerprint(snapshot, members):
    data = b"clockwise " + snapshot["kind"].encode("ascii") + b"\0"
    data += struct.pack("<B", snapshot["layout"])
    for _, value in sorted(snapshot["parameters"].items()):
        data += struct.pack("<Q", value)
    data += struct.pack("<Q", int(snapshot["probe"], 16))
    for identity, weight, drained in members:
        data += struct.pack("<Q", len(identity)) + identity + struct.pack("<IB", weight, drained)
    return xxh3(data)


def read(text, hash=xxh3, budget=1 << 24):
    """The points and their identities, both in order, and the fingerprint."""
    snapshot = json.loads(text)
    if snapshot["format"] != 1:
        refuse(f"format {snapshot['format']}")
    if snapshot["kind"] != "ring":
        refuse(f"kind {snapshot['kind']!r}")
    if snapshot["layout"] != 1:
        refuse(f"layout {snapshot['layout']}")
    if set(snapshot["parameters"]) != {"virtual_nodes"}:
        refuse(f"parameters {snapshot['parameters']}")
    virtual_nodes = snapshot["parameters"]["virtual_nodes"]
    if not 1 <= virtual_nodes < 1 << 32:
        refuse(f"{virtual_nodes} virtual nodes")
    probe = int.from_bytes(digits(snapshot["probe"], 16), "big")
    if hash(b"clockwise probe") != probe:
        refuse("another hasher")
    members = []
    for member in snapshot["members"]:
        identity = digits(member["identity"])
        if not identity or not 1 <= member["weight"] < 1 << 32:
            refuse(f"member {member}")
        members.append((identity, member["weight"], member["drained"]))
    members.sort()
    if any(a[0] == b[0] for a, b in zip(members, members[1:])):
        refuse("an identity twice")
    if sum(weight for _, weight, _ in members) * virtual_nodes > budget:
        refuse("more points than the budget")
    found = fingerprint(snapshot, members)
    if found != int.from_bytes(digits(snapshot["fingerprint"], 16), "big"):
        refuse(f"the fingerprint of the content is {found:016x}")
    points = sorted(
        (hash(struct.pack("<I", i) + identity), identity)
        for identity, weight, drained in members
        if not drained
        for i in range(virtual_nodes * weight)
    )
    return [token for token, _ in points], [identity for _, identity in points], found


def owner(tokens, identities, token):
    if not tokens:
        return None
    # The first of equal tokens, so `left`.
    return identities[bisect.bisect_left(tokens, token) % len(tokens)]


def main():
    snapshots = [read(line) for line in open(sys.argv[1], encoding="utf-8") if line.strip()]
    if len(sys.argv) == 2:
        for _, _, found in snapshots:
            print(f"ok {found:016x}")
        return
    keys = [digits(line.strip()) for line in open(sys.argv[2], encoding="ascii")]
    lines = []
    for tokens, identities, found in snapshots:
        for key in keys:
            node = owner(tokens, identities, xxh3(key))
            lines.append(f"{found:016x}\t{key.hex()[:64]}\t{'-' if node is None else node.hex()}")
    if len(sys.argv) == 3:
        print("\n".join(lines))
        return
    wanted = open(sys.argv[3], encoding="ascii").read().splitlines()
    if len(wanted) != len(lines):
        refuse(f"{len(lines)} owners instead of {len(wanted)}")
    for line, want in zip(lines, wanted):
        if line != want:
            refuse(f"owner {line!r} instead of {want!r}")
    print(f"ok {len(lines)} owners of {len(snapshots)} snapshots")


if __name__ == "__main__":
    main()
