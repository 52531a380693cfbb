#!/usr/bin/env python3
"""Checks tests/golden/v1/{log2,rendezvous,slot_table}.tsv against the Python implementation of docs/SPEC.md.

    python3 tests/spec/check_rendezvous_slots.py
"""

import decimal
import struct
import sys

from clockwise_spec import GOLDEN, M64, Rendezvous, SlotTable, cost, fingerprint, fmix64, hasher, lines, unhex, xxh3


def check_log():
    decimal.getcontext().prec = 60
    last, checked = None, 0
    for score_hex, cost_text, exact_text in lines("log2.tsv"):
        s = int(score_hex, 16)
        exact = -(decimal.Decimal(s + 1) / 2**64).ln() / decimal.Decimal(2).ln()
        assert int(cost_text) == cost(s), score_hex
        assert abs(int(exact_text) - exact * 2**77) <= 1, score_hex
        assert 0 <= cost(s) - exact * 2**57 + decimal.Decimal("1e-30") < decimal.Decimal("1.03"), score_hex
        assert last is None or (s > last[0] and cost(s) <= last[1])
        last, checked = (s, cost(s)), checked + 1
    return checked


def members(text):
    """Of a `set` line."""
    nodes = []
    for node in text.split(","):
        identity, _, weight = node.partition(":")
        nodes.append((bytes.fromhex(identity), int(weight.rstrip("d")), weight.endswith("d")))
    assert nodes == sorted(nodes)
    return nodes


def check_rendezvous():
    sets, made, checked = {}, {}, 0
    for what, *cells in lines("rendezvous.tsv"):
        if what == "set":
            sets[cells[0]] = members(cells[1])
            continue
        name, set_name, *cells = cells
        if (name, set_name) not in made:
            made[name, set_name] = Rendezvous(hasher(name), {}, sets[set_name])
        nodes = made[name, set_name]
        if what == "fingerprint":
            assert f"{fingerprint(nodes.kind, {}, nodes.hash, nodes.members):016x}" == cells[0], (name, set_name)
        else:
            token = nodes.hash(unhex(cells[0]))
            assert [f"{token:016x}", ",".join(map(str, nodes.preference(token, 3)))] == cells[1:], (name, set_name, cells)
        checked += 1
    return checked


def check_tables():
    sets, checked = {}, 0
    for what, *cells in lines("slot_table.tsv"):
        if what == "set":
            sets[cells[0]] = members(cells[1])
            continue
        name, set_name, slots, load, expected = cells
        parameters = {"slots": int(slots), "max_load": 0 if load == "-" else int(load)}
        if what == "fingerprint":
            computed = f"{fingerprint(SlotTable.kind, parameters, hasher(name), sets[set_name]):016x}"
        else:
            owners = SlotTable(hasher(name), parameters, sets[set_name]).owners
            if len(owners) <= 256:
                computed = ",".join(map(str, owners))
            else:
                computed = f"{xxh3(struct.pack(f'<{len(owners)}I', *owners)):016x}"
        assert computed == expected, (what, cells, computed)
        checked += 1
    return checked


def write_log():
    """Writes log2.tsv, once: scores of every magnitude, with their exact logarithms by decimal arithmetic."""
    decimal.getcontext().prec = 60
    scores = {0, M64} | {2**n + d & M64 for n in range(65) for d in (-2, -1, 0, 1)}
    scores |= {fmix64(i) >> i % 64 for i in range(1, 1200)} | {M64 - (fmix64(i) >> i % 64) for i in range(1, 1200)}
    with open(GOLDEN / "log2.tsv", "x", encoding="utf-8") as file:
        file.write("# The fixed-point logarithm, layout V1. Append-only.\n")
        file.write("# score in hex, cost in units of 2^-57, exact -log2((score + 1) / 2^64) in units of 2^-77, to the nearest\n")
        for s in sorted(scores):
            exact = -(decimal.Decimal(s + 1) / 2**64).ln() / decimal.Decimal(2).ln()
            nearest = int((exact * 2**77).to_integral_value()) + 0
            file.write(f"{s:016x}\t{cost(s)}\t{nearest}\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["--write-log"]:
        write_log()
    print(check_log(), "logarithms,", check_rendezvous(), "lines of rendezvous,", check_tables(), "of slot tables: as recorded")
