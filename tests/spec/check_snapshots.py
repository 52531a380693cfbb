#!/usr/bin/env python3
"""Reads snapshots of every kind as docs/SPEC.md says, under the default hasher.

    check_snapshots.py                       checks the golden snapshots, their owners, and those that must be refused
    check_snapshots.py FILE                  one snapshot a line: checks each, prints "ok FINGERPRINT" for each
    check_snapshots.py FILE KEYS             also prints, for each line of the file KEYS, "FINGERPRINT<tab>KEY<tab>OWNER" ("-": no
                                             owner); keys (their first 32 bytes) and owners in hexadecimal
    check_snapshots.py FILE KEYS OWNERS      compares these lines with those of the file OWNERS instead
    check_snapshots.py --write-refused       creates snapshots_refused.tsv if it is missing

Exits with 1 and a line that names what is wrong.
"""

import copy
import itertools
import json
import sys

from clockwise_spec import GOLDEN, Rendezvous, Ring, SlotTable, fingerprint_of, lines, xxh3

BUDGET = 1 << 24
U32, U64 = 1 << 32, 1 << 64


class Refused(Exception):
    """Which check failed, by the names of snapshots_refused.tsv, and what it found."""

    def __init__(self, check, what):
        super().__init__(f"{check}: {what}")
        self.check = check


# ---- the shape ---------------------------------------------------------------------------------------------------------

class Object(dict):
    """An object of JSON, and the names that it has twice."""

    def __init__(self, pairs):
        super().__init__(pairs)
        names = [name for name, _ in pairs]
        self.pairs, self.twice = len(pairs), {name for name in names if names.count(name) > 1}


def shape(right, what):
    if not right:
        raise Refused("shape", what)


def number(value, limit, what):
    # In Python `True` is an integer too, and 1.0 equals 1.
    shape(type(value) is int and 0 <= value < limit, f"{what} {value!r}")
    return value


def digits(text, count=None):
    shape(isinstance(text, str) and not set(text) - set("0123456789abcdef") and len(text) % 2 == 0, f"digits {text!r}")
    shape(count is None or len(text) == count, f"not {count} digits: {text!r}")
    return bytes.fromhex(text)


def fields(value, *names):
    shape(isinstance(value, Object) and not set(names) - set(value) and not value.twice & set(names), f"fields of {value!r}")
    return [value[name] for name in names]


def parse(text, text_nodes):
    """The fields of a document that has the right shape."""
    document = json.loads(text, object_pairs_hook=Object)
    names = ("format", "kind", "layout", "parameters", "probe", "fingerprint", "members")
    number_of_format, kind, layout, parameters, probe, fingerprint, listed = fields(document, *names)
    number(number_of_format, U32, "format")
    shape(isinstance(kind, str), f"kind {kind!r}")
    number(layout, 1 << 8, "layout")
    shape(isinstance(parameters, Object) and parameters.pairs <= 8, f"parameters {parameters!r}")
    for name, value in parameters.items():
        number(value, U64, name)
    probe, fingerprint = (int.from_bytes(digits(word, 16), "big") for word in (probe, fingerprint))
    shape(isinstance(listed, list), f"members {listed!r}")
    members = []
    for member in listed:
        identity, node, weight, drained = fields(member, "identity", "node", "weight", "drained")
        shape(not text_nodes or isinstance(node, str), f"node {node!r}")
        shape(isinstance(drained, bool), f"drained {drained!r}")
        members.append((digits(identity), node, number(weight, U32, "weight"), drained))
    return number_of_format, kind, layout, parameters, probe, fingerprint, members


# ---- the checks, in order ----------------------------------------------------------------------------------------------

def check_ring(parameters):
    virtual_nodes = parameters["virtual_nodes"]
    return 1 <= virtual_nodes <= BUDGET


def check_slot_table(parameters):
    slots, load = parameters["slots"], parameters["max_load"]
    if not 1 <= slots <= BUDGET or slots & slots - 1:
        return False
    # A load factor that a floating-point number gives.
    return load == 0 or load >= U32 and min(int(float(load)), U64 - 1) == load


KINDS = {
    "ring": (Ring, {"virtual_nodes"}, check_ring),
    "rendezvous": (Rendezvous, set(), lambda _: True),
    "slot_table": (SlotTable, {"max_load", "slots"}, check_slot_table),
}


def check(right, check, what):
    if not right:
        raise Refused(check, what)


def read(text, text_nodes=False):
    """The strategy and its fingerprint."""
    number_of_format, kind, layout, parameters, probe, fingerprint, members = parse(text, text_nodes)
    check(number_of_format == 1, "format", number_of_format)
    check(kind in KINDS, "kind", kind)
    check(layout == 1, "layout", layout)
    strategy, names, in_range = KINDS[kind]
    right = set(parameters) == names and not parameters.twice and in_range(parameters)
    check(right, "parameters", parameters)
    check(xxh3(b"clockwise probe") == probe, "probe", "another hasher")
    for identity, node, _, _ in members:
        check(not text_nodes or node.encode() == identity, "node", node)
    total = 0
    for identity, _, weight, _ in members:
        check(identity, "identity", "empty")
        check(weight, "weight", 0)
        total += weight
        check(total * parameters.get("virtual_nodes", 0) <= BUDGET, "points", total)
    members = sorted((identity, weight, drained) for identity, _, weight, drained in members)
    identities = [identity for identity, _, _ in members]
    check(len(set(identities)) == len(identities), "twice", "an identity")
    found = fingerprint_of(kind, layout, parameters, probe, members)
    check(found == fingerprint, "fingerprint", f"that of the content is {found:016x}")
    return strategy(xxh3, parameters, members), found


# ---- documents that must be refused ------------------------------------------------------------------------------------

def refused_by(text):
    try:
        read(text, text_nodes=True)
    except Refused as refused:
        return refused.check
    raise AssertionError(f"not refused: {text}")


def document(kind, parameters):
    members = [(b"a", 1, False), (b"b", 2, True), (b"c", 3, False)]
    probe = xxh3(b"clockwise probe")
    fingerprint = fingerprint_of(kind, 1, parameters, probe, members)
    return {
        "format": 1,
        "kind": kind,
        "layout": 1,
        "parameters": dict(parameters),
        "probe": f"{probe:016x}",
        "fingerprint": f"{fingerprint:016x}",
        "members": [
            {"identity": identity.hex(), "node": identity.decode(), "weight": weight, "drained": drained}
            for identity, weight, drained in members
        ],
    }


def put(*path):
    *path, value = path

    def change(document):
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = value

    return change


def twice(document):
    document["members"].append(dict(document["members"][2]))


# Of these each is found before the next.
FAULTS = [
    put("format", 2),
    put("kind", "tree"),
    put("layout", 2),
    put("parameters", "virtual_nodes", 0),
    put("parameters", "slots", 8),
    put("probe", "0123456789abcdef"),
    put("members", 2, "node", "d"),
    put("members", 0, {"identity": "", "node": "", "weight": 1, "drained": False}),
    put("members", 1, "weight", 0),
    put("members", 2, "weight", U32 - 1),
    twice,
    put("fingerprint", "0123456789abcdef"),
]


def refused_documents():
    ring = document("ring", {"virtual_nodes": 20})
    for faults in itertools.chain(((fault,) for fault in FAULTS), itertools.combinations(FAULTS, 2)):
        made = copy.deepcopy(ring)
        for fault in reversed(faults):
            fault(made)
        yield json.dumps(made, separators=(",", ":"))
    changes = [
        ("ring", "virtual_nodes", [BUDGET + 1, U32, U64 - 1]),
        ("slot_table", "slots", [0, 3, 1 << 25, U64 - 1]),
        ("slot_table", "max_load", [1, U32 - 1, (1 << 53) + 1, U64 - 2, U64 - 2049]),
    ]
    good = {"ring": {"virtual_nodes": 20}, "slot_table": {"max_load": 5 << 30, "slots": 8}}
    for kind, name, values in changes:
        for value in values:
            yield json.dumps(document(kind, {**good[kind], name: value}), separators=(",", ":"))
    # The sum of the weights passes the budget only with the drained member.
    full = document("ring", {"virtual_nodes": 1})
    full["members"][0]["weight"] = BUDGET - 4
    yield json.dumps(full, separators=(",", ":"))
    text = json.dumps(ring, separators=(",", ":"))
    for old, new in [
        ('"format":1', '"format":1.0'),
        ('"format":1', '"format":1e0'),
        ('"format":1', '"format":1,"format":1'),
        ('"layout":1', '"layout":256'),
        ('"virtual_nodes":20', '"virtual_nodes":20.0'),
        ('"virtual_nodes":20', '"virtual_nodes":2e1'),
        ('"virtual_nodes":20', '"virtual_nodes":20,"virtual_nodes":20'),
        ('"virtual_nodes":20', ",".join(f'"p{i}":0' for i in range(9))),
        ('"weight":1', '"weight":1.0'),
        ('"weight":1', '"weight":true'),
        ('"weight":1', '"weight":4294967296'),
        ('"weight":1', '"weight":1,"weight":1'),
        ('"drained":true', '"drained":1'),
        ('"identity":"61"', '"identity":"6"'),
        ('"identity":"63"', '"identity":"6A"'),
        ('"node":"a"', '"node":7'),
        (',"drained":false}]', "}]"),
        ('"kind":"ring",', ""),
    ]:
        assert old in text
        yield text.replace(old, new, 1)


def check_refused():
    checked = 0
    for reason, text in lines("snapshots_refused.tsv"):
        assert refused_by(text) == reason, (reason, text)
        checked += 1
    return checked


def write_refused():
    path = GOLDEN / "snapshots_refused.tsv"
    if not path.exists():
        with open(path, "x", encoding="utf-8") as file:
            file.write("# Documents that a reader refuses, and the check that fails first (docs/SPEC.md, section 8). Append-only.\n")
            file.writelines(f"{refused_by(text)}\t{text}\n" for text in refused_documents())


# ---- the program -------------------------------------------------------------------------------------------------------

def main(file, keys=None, owners=None, text_nodes=False):
    snapshots = [read(line, text_nodes) for line in open(file, encoding="utf-8") if line.strip()]
    if keys is None:
        for _, found in snapshots:
            print(f"ok {found:016x}")
        return
    keys = [digits(line.strip()) for line in open(keys, encoding="ascii")]
    answers = []
    for strategy, found in snapshots:
        for key in keys:
            first = strategy.preference(xxh3(key), 1)
            owner = strategy.members[first[0]][0].hex() if first else "-"
            answers.append(f"{found:016x}\t{key.hex()[:64]}\t{owner}")
    if owners is None:
        print("\n".join(answers))
        return
    wanted = open(owners, encoding="ascii").read().splitlines()
    if len(wanted) != len(answers):
        raise Refused("owners", f"{len(answers)} instead of {len(wanted)}")
    for answer, want in zip(answers, wanted):
        if answer != want:
            raise Refused("owners", f"{answer!r} instead of {want!r}")
    print(f"{len(answers)} owners of {len(snapshots)} snapshots: as recorded")


if __name__ == "__main__":
    if sys.argv[1:] == ["--write-refused"]:
        write_refused()
    try:
        if len(sys.argv) > 1 and not sys.argv[1].startswith("--"):
            main(*sys.argv[1:])
        else:
            main(*(GOLDEN / name for name in ("snapshots.jsonl", "snapshot_keys.txt", "snapshot_owners.tsv")), text_nodes=True)
            print(f"{check_refused()} documents are refused for the recorded reason")
    except Refused as refused:
        sys.exit(f"refused: {refused}")
