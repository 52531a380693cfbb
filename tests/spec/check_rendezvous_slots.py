#!/usr/bin/env python3
"""Computes the golden owners of rendezvous and of slot tables from the written spec (docs/spec-rendezvous.md, docs/spec-slot-table.md), sharing no code
with the crate. Needs the package `xxhash`. Usage: python3 tests/spec/check_rendezvous_slots.py"""

import decimal
import fractions
import heapq
import pathlib
import struct
import sys

import xxhash

MASK = 2**64 - 1
GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden" / "v1"


# ---- hashes ------------------------------------------------------------------------------------------------------------


def fmix64(h):
    h ^= h >> 33
    h = h * 0xFF51AFD7ED558CCD & MASK
    h ^= h >> 33
    h = h * 0xC4CEB9FE1A85EC53 & MASK
    return h ^ h >> 33


def fnv1a(data):
    h = 0xCBF29CE484222325
    for byte in data:
        h = (h ^ byte) * 0x100000001B3 & MASK
    return h


def siphash13(key, data):
    def rotl(x, n):
        return (x << n | x >> 64 - n) & MASK

    k0, k1 = struct.unpack("<QQ", key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def rounds(n):
        for _ in range(n):
            v[0] = v[0] + v[1] & MASK
            v[1] = rotl(v[1], 13) ^ v[0]
            v[0] = rotl(v[0], 32)
            v[2] = v[2] + v[3] & MASK
            v[3] = rotl(v[3], 16) ^ v[2]
            v[0] = v[0] + v[3] & MASK
            v[3] = rotl(v[3], 21) ^ v[0]
            v[2] = v[2] + v[1] & MASK
            v[1] = rotl(v[1], 17) ^ v[2]
            v[2] = rotl(v[2], 32)

    whole = len(data) // 8 * 8
    words = [w for (w,) in struct.iter_unpack("<Q", data[:whole])]
    words.append(int.from_bytes(data[whole:], "little") | (len(data) & 0xFF) << 56)
    for word in words:
        v[3] ^= word
        rounds(1)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(3)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def hasher(name):
    kind, _, option = name.partition(":")
    if kind == "xxh3":
        seed = int(option.removeprefix("seed="), 16) if option else 0
        return lambda data: xxhash.xxh3_64_intdigest(data, seed)
    if kind == "sip13":
        return lambda data: siphash13(bytes.fromhex(option.removeprefix("key=")), data)
    if option == "fnv1a":
        return lambda data: fmix64(fnv1a(data))
    constant = int(option.removeprefix("constant="))
    return lambda data: fmix64(constant)


# ---- rendezvous ----------------------------------------------------------------------------------------------------------


def score(token, node_hash):
    y = token ^ node_hash
    y = (y ^ y >> 33) * 0xFF51AFD7ED558CCD & MASK
    return (y ^ y >> 33) * 0xC4CEB9FE1A85EC53 & MASK


def cost(score):
    x = score + 1
    if x == 2**64:
        return 0
    n = 64 - x.bit_length()
    m, f = x << n, 0
    for _ in range(57):
        square = m * m
        bit = square >> 127
        m = square >> 63 + bit
        f = 2 * f + bit
    return (1 + n) * 2**57 - f


def fingerprint(head, text, hash_bytes):
    data = head + struct.pack("<Q", hash_bytes(b"clockwise probe"))
    for node in text.split(","):
        identity, _, weight = node.partition(":")
        identity = bytes.fromhex(identity)
        data += struct.pack("<Q", len(identity)) + identity
        data += struct.pack("<IB", int(weight.rstrip("d")), weight.endswith("d"))
    return f"{xxhash.xxh3_64_intdigest(data):016x}"


class Nodes:
    """A set of nodes under a hash: the eligible ones as (index, hash, weight)."""

    def __init__(self, text, hash_bytes):
        self.eligible = []
        for index, node in enumerate(text.split(",")):
            identity, _, weight = node.partition(":")
            if not weight.endswith("d"):
                node_hash = hash_bytes(b"\0\0\0\0" + bytes.fromhex(identity))
                self.eligible.append((index, node_hash, int(weight)))
        self.one_weight = len({weight for _, _, weight in self.eligible}) <= 1

    def claim(self, token, node):
        """Smaller is better."""
        index, node_hash, weight = node
        s = score(token, node_hash)
        if self.one_weight:
            # Costs never increase with the score, so they decide nothing here (and are checked below).
            return (-s, index)
        return (fractions.Fraction(cost(s), weight), -s, index)

    def order(self, token):
        return sorted(self.claim(token, node) for node in self.eligible)


# ---- slot tables -----------------------------------------------------------------------------------------------------------


def capacities(nodes, slots, load):
    total = sum(weight for _, _, weight in nodes.eligible)
    parts = [(index, fractions.Fraction(load * slots * weight, 2**32 * total)) for index, _, weight in nodes.eligible]
    capacity = {index: int(part) for index, part in parts}
    up = -(-load * slots // 2**32) - sum(capacity.values())
    by_remainder = sorted(parts, key=lambda item: (int(item[1]) - item[1], item[0]))
    for index, _ in by_remainder[:up]:
        capacity[index] += 1
    return capacity


def table(nodes, slots, load):
    if not nodes.eligible:
        return []
    if load is None:
        return [min(nodes.claim(slot, node) for node in nodes.eligible)[-1] for slot in range(slots)]
    capacity = capacities(nodes, slots, load)
    proposals = [iter(nodes.order(slot)) for slot in range(slots)]
    held = {index: [] for index in capacity}
    free = list(range(slots))
    while free:
        slot = free.pop()
        claim = next(proposals[slot])
        node = held[claim[-1]]
        # The least score on top.
        heapq.heappush(node, (-claim[-2], slot))
        if len(node) > capacity[claim[-1]]:
            free.append(heapq.heappop(node)[1])
    owners = [None] * slots
    for index, node in held.items():
        for _, slot in node:
            owners[slot] = index
    return owners


# ---- the files -------------------------------------------------------------------------------------------------------------


def lines(file):
    for line in (GOLDEN / file).read_text().splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


def key_bytes(text):
    if "*" in text:
        byte, count = text.split("*")
        return bytes.fromhex(byte) * int(count)
    return bytes.fromhex(text)


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


def check_rendezvous():
    sets, cache, checked = {}, {}, 0
    for kind, *rest in lines("rendezvous.tsv"):
        if kind == "set":
            sets[rest[0]] = rest[1]
            continue
        if kind == "fingerprint":
            hash_name, set_name, value = rest
            head = b"clockwise rendezvous\0\1"
            assert fingerprint(head, sets[set_name], hasher(hash_name)) == value, rest
            checked += 1
            continue
        hash_name, set_name, key, token, first = rest
        hash_bytes = hasher(hash_name)
        nodes = cache.setdefault((hash_name, set_name), Nodes(sets[set_name], hash_bytes))
        computed = hash_bytes(key_bytes(key))
        assert f"{computed:016x}" == token, rest
        order = [str(claim[-1]) for claim in nodes.order(computed)[:3]]
        assert ",".join(order) == first, rest
        checked += 1
    return checked


def check_tables():
    sets, checked = {}, 0
    for kind, *rest in lines("slot_table.tsv"):
        if kind == "set":
            sets[rest[0]] = rest[1]
            continue
        hash_name, set_name, slots, load, expected = rest
        if kind == "fingerprint":
            head = b"clockwise slot table\0\1" + struct.pack("<QQ", int(slots), 0 if load == "-" else int(load))
            assert fingerprint(head, sets[set_name], hasher(hash_name)) == expected, rest
            checked += 1
            continue
        nodes = Nodes(sets[set_name], hasher(hash_name))
        owners = table(nodes, int(slots), None if load == "-" else int(load))
        if len(owners) <= 256:
            computed = ",".join(map(str, owners))
        else:
            array = b"".join(struct.pack("<I", owner) for owner in owners)
            computed = f"{xxhash.xxh3_64_intdigest(array):016x}"
        assert computed == expected, rest[:4]
        checked += 1
    return checked


def write_log():
    """Writes log2.tsv, once: scores of every magnitude, with their exact logarithms by decimal arithmetic."""
    decimal.getcontext().prec = 60
    scores = {0, MASK} | {2**n + d & MASK for n in range(65) for d in (-2, -1, 0, 1)}
    scores |= {fmix64(i) >> i % 64 for i in range(1, 1200)} | {MASK - (fmix64(i) >> i % 64) for i in range(1, 1200)}
    with open(GOLDEN / "log2.tsv", "x") as file:
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
