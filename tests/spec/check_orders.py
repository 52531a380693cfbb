#!/usr/bin/env python3
"""Checks whole orders of preference against the Python implementation of docs/SPEC.md: those over domains
(tests/golden/v1/domains.tsv) and those of slot tables (slot_table_preference.tsv).

    check_orders.py            checks both files
    check_orders.py --write    creates those that are missing
"""

import random
import sys

from clockwise_spec import GOLDEN, Rendezvous, Ring, SlotTable, hasher, lines, over_domains, unhex, xxh3

KINDS = {kind.kind: kind for kind in (Ring, Rendezvous, SlotTable)}
NAMES = {"ring": ["virtual_nodes"], "rendezvous": [], "slot_table": ["max_load", "slots"]}
ALL = 1 << 32


def members(text):
    """The members of a `set` line, and the domain of each, if the line has them."""
    nodes, domains = [], []
    for node in text.split(","):
        node, _, domain = node.partition("@")
        identity, _, weight = node.partition(":")
        nodes.append((bytes.fromhex(identity), int(weight.rstrip("d")), weight.endswith("d")))
        domains.append(domain)
    assert nodes == sorted(nodes)
    return nodes, domains


def written(order):
    return ",".join(map(str, order))


# ---- over domains ------------------------------------------------------------------------------------------------------

def order_over_domains(kind, parameters, nodes, domains, key):
    values = [] if parameters == "-" else map(int, parameters.split(","))
    strategy = KINDS[kind](xxh3, dict(zip(NAMES[kind], values)), nodes)
    return over_domains(strategy.preference(xxh3(key), ALL), domains)


def domain_sets():
    """Name and nodes: identity, weight, drained, domain."""
    name = "cache-{}".format
    yield "three-in-two", [(name(i), 1, False, i % 2) for i in range(3)]
    yield "nine-in-three", [(name(i), 1, False, i % 3) for i in range(9)]
    yield "six-three-one", [(name(i), 1, False, 0 if i < 6 else 1 if i < 9 else 2) for i in range(10)]
    yield "each-alone", [(name(i), 1, False, i) for i in range(7)]
    yield "one-domain", [(name(i), 1, False, 4) for i in range(7)]
    yield "drained", [(name(i), 1 + i % 3, i % 3 == 0 or i % 4 == 1, i % 4) for i in range(12)]
    yield "all-drained", [(name(i), 1, True, i % 2) for i in range(4)]
    yield "weighted", [(name(i), 1 + i * i, False, i // 2 % 3) for i in range(12)]
    # The last domain has one node of sixty, behind which many wait.
    yield "sixty", [(name(i), 1, i % 7 == 3, 4 if i == 59 else i % 4) for i in range(60)]


def domain_lines():
    sets = {}
    for name, nodes in domain_sets():
        nodes = sorted((identity.encode(), weight, drained, domain) for identity, weight, drained, domain in nodes)
        cells = ",".join(
            f"{identity.hex()}:{weight}{'d' if drained else ''}@{domain}" for identity, weight, drained, domain in nodes
        )
        sets[name] = cells
        yield "set", name, cells
    keys = [b"", b"a", *(b"user:%d" % i for i in range(10))]
    for kind, parameters in (
        ("ring", "40"),
        ("rendezvous", "-"),
        ("slot_table", "0,256"),
        ("slot_table", f"{5 << 30},64"),
    ):
        for name, cells in sets.items():
            for key in keys:
                order = order_over_domains(kind, parameters, *members(cells), key)
                yield "domains", kind, parameters, name, key.hex(), written(order)


def check_domains():
    sets, checked = {}, 0
    for what, *cells in lines("domains.tsv"):
        if what == "set":
            sets[cells[0]] = members(cells[1])
            continue
        kind, parameters, name, key, order = cells
        assert written(order_over_domains(kind, parameters, *sets[name], unhex(key))) == order, cells
        checked += 1
    return checked


# ---- slot tables -------------------------------------------------------------------------------------------------------

def table(name, nodes, slots, load):
    return SlotTable(hasher(name), {"slots": int(slots), "max_load": 0 if load == "-" else int(load)}, nodes)


def table_sets():
    """Name and nodes: identity, weight, drained."""
    name = "cache-{}".format
    yield "one", [(name(0), 1, False)]
    yield "ten", [(name(i), 1, False) for i in range(10)]
    yield "ten-of-1-to-10", [(name(i), 1 + i, False) for i in range(10)]
    yield "twelve-drained", [(name(i), 1 + i % 3, i % 4 == 1) for i in range(12)]
    yield "heavy", [(name(i), 2**32 - 1 if i < 2 else 1 << 4 * i, False) for i in range(8)]
    yield "all-drained", [(name(i), 2, True) for i in range(3)]


def table_tokens(slots):
    """The ends of slots, and some tokens between."""
    random.seed(slots)
    width = 2**64 // slots
    yield from {slot * width + end for slot in {0, slots // 3, slots - 1} for end in (0, width - 1)}
    yield from (random.getrandbits(64) for _ in range(8))


def table_lines():
    sets = {}
    for name, nodes in table_sets():
        nodes = sorted((identity.encode(), weight, drained) for identity, weight, drained in nodes)
        sets[name] = nodes
        cells = (f"{identity.hex()}:{weight}{'d' if drained else ''}" for identity, weight, drained in nodes)
        yield "set", name, ",".join(cells)
    for hash_name in ("xxh3", "sip13:key=000102030405060708090a0b0c0d0e0f", "mixed:constant=7"):
        for name, nodes in sets.items():
            for slots in (1, 16, 256):
                for load in ("-", str(2**32), str(5 << 30)):
                    made = table(hash_name, nodes, slots, load)
                    for token in sorted(table_tokens(slots)):
                        order = written(made.preference(token, ALL))
                        yield "preference", hash_name, name, str(slots), load, f"{token:016x}", order


def check_tables():
    sets, made, checked = {}, {}, 0
    for what, *cells in lines("slot_table_preference.tsv"):
        if what == "set":
            sets[cells[0]], _ = members(cells[1])
            continue
        name, set_name, slots, load, token, order = cells
        config = (name, set_name, slots, load)
        if config not in made:
            made[config] = table(name, sets[set_name], slots, load)
        assert written(made[config].preference(int(token, 16), ALL)) == order, cells
        checked += 1
    return checked


def write(name, head, content):
    if not (GOLDEN / name).exists():
        with open(GOLDEN / name, "x", encoding="utf-8") as file:
            file.write(f"# {head} Append-only.\n")
            file.writelines("\t".join(cells) + "\n" for cells in content)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write("domains.tsv", "Orders over domains (docs/SPEC.md, section 3).", domain_lines())
        write("slot_table_preference.tsv", "Whole orders of slot tables (docs/SPEC.md, section 6).", table_lines())
    print(check_domains(), "orders over domains,", check_tables(), "of slot tables: as recorded")
