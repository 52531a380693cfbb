#!/usr/bin/env python3
"""Reads snapshots of every kind as docs/SPEC.md says, under the default hasher.

    check_snapshots.py                       checks the golden snapshots and their owners
    check_snapshots.py FILE                  one snapshot a line: checks each, prints "ok FINGERPRINT" for each
    check_snapshots.py FILE KEYS             also prints, for each line of the file KEYS, "FINGERPRINT<tab>KEY<tab>OWNER" ("-": no
                                             owner); keys (their first 32 bytes) and owners in hexadecimal
    check_snapshots.py FILE KEYS OWNERS      compares these lines with those of the file OWNERS instead

Exits with 1 and a line that names what is wrong.
"""

import json
import sys

from clockwise_spec import GOLDEN, Rendezvous, Ring, SlotTable, fingerprint_of, xxh3


def refuse(what):
    raise SystemExit(f"refused: {what}")


def digits(text, count=None):
    if not isinstance(text, str) or set(text) - set("0123456789abcdef") or len(text) % 2:
        refuse(f"not lower-case hexadecimal digits: {text!r}")
    if count is not None and len(text) != count:
        refuse(f"not {count} digits: {text!r}")
    return bytes.fromhex(text)


def check_ring(virtual_nodes, weights, budget):
    if not 1 <= virtual_nodes < 1 << 32:
        refuse(f"{virtual_nodes} virtual nodes")
    if sum(weights) * virtual_nodes > budget:
        refuse("more points than the budget")


def check_slot_table(slots, max_load, budget):
    if not 1 <= slots <= min(budget, 1 << 28) or slots & slots - 1:
        refuse(f"{slots} slots")
    if max_load != 0 and max_load < 1 << 32:
        refuse(f"a load factor below 1: {max_load}")
    if min(int(float(max_load)), (1 << 64) - 1) != max_load:
        refuse(f"a load factor that no floating-point number gives: {max_load}")


KINDS = {"ring": (Ring, {"virtual_nodes"}), "rendezvous": (Rendezvous, set()), "slot_table": (SlotTable, {"max_load", "slots"})}


def read(text, hash=xxh3, budget=1 << 24):
    """The strategy and its fingerprint."""
    snapshot = json.loads(text)
    if snapshot["format"] != 1:
        refuse(f"format {snapshot['format']}")
    if snapshot["kind"] not in KINDS:
        refuse(f"kind {snapshot['kind']!r}")
    strategy, names = KINDS[snapshot["kind"]]
    if snapshot["layout"] != 1:
        refuse(f"layout {snapshot['layout']}")
    parameters = snapshot["parameters"]
    if set(parameters) != names:
        refuse(f"parameters {parameters}")
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
    if strategy is Ring:
        check_ring(parameters["virtual_nodes"], [weight for _, weight, _ in members], budget)
    if strategy is SlotTable:
        check_slot_table(parameters["slots"], parameters["max_load"], budget)
    found = fingerprint_of(snapshot["kind"], snapshot["layout"], parameters, probe, members)
    if found != int.from_bytes(digits(snapshot["fingerprint"], 16), "big"):
        refuse(f"the fingerprint of the content is {found:016x}")
    return strategy(hash, parameters, members), found


def main(file, keys=None, owners=None):
    snapshots = [read(line) for line in open(file, encoding="utf-8") if line.strip()]
    if keys is None:
        for _, found in snapshots:
            print(f"ok {found:016x}")
        return
    keys = [digits(line.strip()) for line in open(keys, encoding="ascii")]
    lines = []
    for strategy, found in snapshots:
        for key in keys:
            first = strategy.preference(xxh3(key), 1)
            owner = strategy.members[first[0]][0].hex() if first else "-"
            lines.append(f"{found:016x}\t{key.hex()[:64]}\t{owner}")
    if owners is None:
        print("\n".join(lines))
        return
    wanted = open(owners, encoding="ascii").read().splitlines()
    if len(wanted) != len(lines):
        refuse(f"{len(lines)} owners instead of {len(wanted)}")
    for line, want in zip(lines, wanted):
        if line != want:
            refuse(f"owner {line!r} instead of {want!r}")
    print(f"{len(lines)} owners of {len(snapshots)} snapshots: as recorded")


if __name__ == "__main__":
    golden = [GOLDEN / name for name in ("snapshots.jsonl", "snapshot_keys.txt", "snapshot_owners.tsv")]
    main(*(sys.argv[1:] or golden))
