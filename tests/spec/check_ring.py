#!/usr/bin/env python3
"""Checks tests/golden/v1/{keys,keys_signed_tuples,ring,own_points}.tsv against the Python implementation
of docs/SPEC.md; with --write makes them anew.

    python3 tests/spec/check_ring.py
"""

import random
import sys

from clockwise_spec import GOLDEN, Ring, fingerprint, hasher, key_bytes, lines, unhex


def ring_of(name, parameter, virtual_nodes, nodes):
    return Ring(hasher(name, bytes.fromhex(parameter)), {"virtual_nodes": int(virtual_nodes)}, nodes)


def first_three(ring, nodes, token):
    """By their numbers in the file, where nodes stand in any order."""
    identities = [identity for identity, _, _ in nodes]
    return ",".join(str(identities.index(ring.members[node][0])) for node in ring.preference(token, 3))


def check():
    checked = 0
    for kind, text, expected in [*lines("keys.tsv"), *lines("keys_signed_tuples.tsv")]:
        assert key_bytes(kind, text).hex() == expected, (kind, text)
        checked += 1
    nodes, ring, settings = [], None, None
    for what, *cells in [*lines("ring.tsv"), *lines("own_points.tsv")]:
        if what == "ring":
            settings, nodes, ring = cells, [], None
        elif what == "node":
            nodes.append((bytes.fromhex(cells[0]), int(cells[1]), cells[2] == "1"))
        elif what == "fingerprint":
            ring = ring_of(*settings, nodes)
            assert f"{fingerprint(ring.kind, ring.parameters, ring.hash, nodes):016x}" == cells[0], settings
        else:
            key = unhex(cells[0])
            token = ring.hash(key)
            assert [f"{token:016x}", first_three(ring, nodes, token)] == cells[1:], (settings, cells)
            checked += 1
    return checked


# ---- making the vectors ------------------------------------------------------------------------------------------------

TYPED = [
    ("text", ""), ("text", "user:42"), ("text", "grüße"), ("text", "a b"), ("bytes", "ff00fe"), ("bytes", "00"),
    *[(f"u{bits}", str(value)) for bits in (8, 16, 32, 64, 128) for value in (0, 1, 7, 2**bits - 1)],
    ("u16", "258"), ("u32", "16909060"), ("u64", "72623859790382856"),
    ("ip", "10.1.2.3"), ("ip", "0.0.0.0"), ("ip", "2001:db8::1"), ("ip", "::ffff:10.1.2.3"),
    ("socket", "10.1.2.3:8080"), ("socket", "[2001:db8::1]:11211"), ("socket", "127.0.0.1:0"),
    ("pair", "text=ab|text=c"), ("pair", "text=a|text=bc"), ("pair", "text=|text="), ("pair", "text=acme|u64=42"),
    ("pair", "u8=1|socket=10.1.2.3:80"), ("pair", "text=" + "x" * 100 + "|u16=1"),
]

SIGNED_AND_TUPLES = [
    *[(f"i{bits}", str(value)) for bits in (8, 16, 64, 128)
      for value in (0, 1, -1, -2, 7, 2 ** (bits - 1) - 1, -(2 ** (bits - 1)))],
    ("i16", "-258"), ("i64", "-72623859790382856"), ("i64", "1234567890123456789"),
    ("pair", "i64=-1|text=a"),
    ("triple", "text=ab|text=|text=c"), ("triple", "text=a|text=b|text=c"), ("triple", "text=|text=|text="),
    ("triple", "u64=42|text=acme|u32=7"), ("triple", "i64=-42|ip=10.1.2.3|bytes=00ff"),
    ("triple", "text=" + "x" * 100 + "|u8=1|i8=-1"),
    ("quadruple", "text=a|text=b|text=c|text=d"), ("quadruple", "text=|text=|text=|text="),
    ("quadruple", "u8=1|u16=2|u32=3|u64=4"), ("quadruple", "text=eu|i64=-1|socket=10.1.2.3:80|text=user:42"),
]

OWN_POINTS = ["index-last", "one", "none"]

HASHERS = [
    ("xxh3", "00" * 8), ("xxh3", "00" * 7 + "01"), ("xxh3", "deadbeefcafef00d"),
    ("siphash13", bytes(range(16)).hex()), ("siphash13", "ff" * 16),
    ("mixed-fnv1a", ""), ("mixed-crc32", ""), ("top8", ""), ("constant", ""),
]


def topologies():
    yield 160, [(f"10.0.0.{i}:11211".encode(), 1, False) for i in range(1, 6)]
    yield 512, [(f"cache-{i:02}".encode(), 1, False) for i in range(1, 13)]
    yield 40, [(f"shard-{i}".encode(), i, i in (3, 6)) for i in range(1, 9)]
    yield 64, [(name, 1, False) for name in
               (b"node1", b"node11", b"node111", b"node", b"Node1", b"node1 ", b"node1\0", b"\xff\x00\xfe", b"x" * 300)]
    yield 1, [(f"pod-{i:x}".encode(), 1 + i % 3, i % 5 == 0) for i in range(40)]
    yield 160, [(b"the only one", 3, False)]
    yield 16, [(i.to_bytes(8, "little"), 1, False) for i in range(100)]


def keys():
    yield ""
    for byte in (0, 1, 10, 0x41, 0x7F, 0x80, 0xFF):
        yield f"{byte:02x}"
    for length in (63, 64, 65, 128, 129, 240, 241, 1024, 65536):
        yield f"61*{length}"
    yield bytes(range(256)).hex()
    for i in range(80):
        yield f"user:{i}".encode().hex()
    for i in range(30):
        yield i.to_bytes(8, "little").hex()
    random.seed(1)
    for _ in range(50):
        yield random.randbytes(random.randrange(2, 40)).hex()


def write():
    with open(GOLDEN / "keys.tsv", "w", encoding="utf-8") as file:
        file.write("# type, value, bytes in hexadecimal (docs/SPEC.md, section 1)\n")
        for kind, text in TYPED:
            file.write(f"{kind}\t{text}\t{key_bytes(kind, text).hex()}\n")
    with open(GOLDEN / "keys_signed_tuples.tsv", "w", encoding="utf-8") as file:
        file.write("# type, value, bytes in hexadecimal (docs/SPEC.md, section 1)\n")
        for kind, text in SIGNED_AND_TUPLES:
            file.write(f"{kind}\t{text}\t{key_bytes(kind, text).hex()}\n")
    with open(GOLDEN / "own_points.tsv", "w", encoding="utf-8") as file:
        file.write("# rings under hashers with points of their own (docs/SPEC.md, sections 4 and 9)\n")
        for rule in OWN_POINTS:
            for virtual_nodes, nodes in list(topologies())[2:5]:
                write_ring(file, f"xxh3-{rule}", "", virtual_nodes, nodes)
    with open(GOLDEN / "ring.tsv", "w", encoding="utf-8") as file:
        file.write("# rings, their nodes, fingerprints and owners (docs/SPEC.md, section 9)\n")
        for name, parameter in HASHERS:
            for virtual_nodes, nodes in topologies():
                write_ring(file, name, parameter, virtual_nodes, nodes)


def write_ring(file, name, parameter, virtual_nodes, nodes):
    ring = ring_of(name, parameter, virtual_nodes, nodes)
    file.write(f"ring\t{name}\t{parameter}\t{virtual_nodes}\n")
    for identity, weight, drained in nodes:
        file.write(f"node\t{identity.hex()}\t{weight}\t{int(drained)}\n")
    file.write(f"fingerprint\t{fingerprint(ring.kind, ring.parameters, ring.hash, nodes):016x}\n")
    # Points themselves are keys too: a token that is exactly a point's belongs to that point.
    points = [(i.to_bytes(4, "little") + identity).hex() for identity, _, _ in nodes[:3] for i in (0, 1)]
    some = list(keys()) if name != "constant" else ["", "61", "62"]
    for key in some + points:
        if name == "siphash13" and key == "61*65536" and virtual_nodes == 1:
            continue  # 64 KiB in pure Python takes its time; the other rings have it
        token = ring.hash(unhex(key))
        file.write(f"key\t{key}\t{token:016x}\t{first_three(ring, nodes, token)}\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    print(f"{check()} vectors agree with docs/SPEC.md")
