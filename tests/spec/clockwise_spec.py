"""docs/SPEC.md in Python: a second implementation, from the words alone, sharing no code with the crate.

Needs the package `xxhash`. Used by the programs beside it.
"""

import binascii
import bisect
import fractions
import heapq
import ipaddress
import math
import pathlib
import struct

import xxhash

M64 = (1 << 64) - 1


# ---- 1. keys are bytes -------------------------------------------------------------------------------------------------

def key_bytes(kind, text):
    """The bytes of a value that is written as text, as in keys.tsv and keys_signed_tuples.tsv."""
    if kind == "text":
        return text.encode()
    if kind == "bytes":
        return bytes.fromhex(text)
    if kind[0] == "u" and kind[1:].isdigit():
        return int(text).to_bytes(int(kind[1:]) // 8, "little")
    if kind[0] == "i" and kind[1:].isdigit():
        return int(text).to_bytes(int(kind[1:]) // 8, "little", signed=True)
    if kind == "ip":
        return ipaddress.ip_address(text).packed
    if kind == "socket":
        host, port = text.rsplit(":", 1)
        return ipaddress.ip_address(host.strip("[]")).packed + int(port).to_bytes(2, "big")
    if kind == "pair":
        (kind_a, a), (kind_b, b) = (part.split("=", 1) for part in text.split("|"))
        a, b = key_bytes(kind_a, a), key_bytes(kind_b, b)
        return struct.pack("<Q", len(a)) + a + b
    if kind in ("triple", "quadruple"):
        *parts, last = (key_bytes(*part.split("=", 1)) for part in text.split("|"))
        assert len(parts) == {"triple": 2, "quadruple": 3}[kind]
        return b"".join(struct.pack("<Q", len(part)) + part for part in parts) + last
    raise ValueError(kind)


# ---- 2. hashing --------------------------------------------------------------------------------------------------------

def fmix64(h):
    h ^= h >> 33
    h = h * 0xFF51AFD7ED558CCD & M64
    h ^= h >> 33
    h = h * 0xC4CEB9FE1A85EC53 & M64
    return h ^ h >> 33


def siphash13(key, data):
    k0, k1 = struct.unpack("<QQ", key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def rotl(x, b):
        return (x << b | x >> (64 - b)) & M64

    def rounds(n):
        a, b, c, d = v
        for _ in range(n):
            a = (a + b) & M64
            b = rotl(b, 13) ^ a
            a = rotl(a, 32)
            c = (c + d) & M64
            d = rotl(d, 16) ^ c
            a = (a + d) & M64
            d = rotl(d, 21) ^ a
            c = (c + b) & M64
            b = rotl(b, 17) ^ c
            c = rotl(c, 32)
        v[:] = a, b, c, d

    whole = len(data) // 8 * 8
    words = list(struct.unpack(f"<{whole // 8}Q", data[:whole]))
    words.append(int.from_bytes(data[whole:], "little") | (len(data) & 0xFF) << 56)
    for word in words:
        v[3] ^= word
        rounds(1)
        v[0] ^= word
    v[2] ^= 0xFF
    rounds(3)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def fnv1a(data):
    h = 0xCBF29CE484222325
    for byte in data:
        h = (h ^ byte) * 0x100000001B3 & M64
    return h


def xxh3(data, seed=0):
    return xxhash.xxh3_64_intdigest(data, seed)


def hasher(name, parameter=b""):
    """A function from bytes to 64 bits, by its name in the golden files; the parameter as bytes."""
    if ":" in name:
        return hasher_with_option(*name.split(":"))
    if name == "xxh3":
        seed = int.from_bytes(parameter, "big")
        return lambda data: xxh3(data, seed)
    if name == "siphash13":
        return lambda data: siphash13(parameter, data)
    if name == "mixed-fnv1a":
        return lambda data: fmix64(fnv1a(data))
    if name == "mixed-crc32":
        return lambda data: fmix64(binascii.crc32(data))
    if name == "top8":
        return lambda data: xxh3(data) & 0xFF << 56
    if name == "constant":
        return lambda data: 0x123456789ABCDEF0
    if name.startswith("xxh3-"):
        return OwnPoints(name.removeprefix("xxh3-"))
    raise ValueError(name)


class OwnPoints:
    """XXH3 with points of its own, as own_points.tsv has them."""

    def __init__(self, rule):
        self.rule = rule

    def __call__(self, data):
        return xxh3(data)

    def points(self, identity, count):
        if self.rule == "none":
            return []
        if self.rule == "one":
            return [xxh3(identity)]
        # One more than is asked for, which the ring does not take.
        return [xxh3(identity + struct.pack("<I", i)) for i in range(count + 1)]


def v1_points(hash_bytes, identity, count):
    return [hash_bytes(struct.pack("<I", i) + identity) for i in range(count)]


def points_of(hash_bytes, identity, count):
    """The points that a ring takes for a node."""
    if not hasattr(hash_bytes, "points"):
        return v1_points(hash_bytes, identity, count)
    return hash_bytes.points(identity, count)[:count] or [xxh3(identity)]


def hasher_with_option(name, option):
    """As rendezvous.tsv and slot_table.tsv write them."""
    option, _, value = option.partition("=")
    if (name, option) == ("mixed", "constant"):
        return lambda data: fmix64(int(value))
    known = {("xxh3", "seed"): "xxh3", ("sip13", "key"): "siphash13", ("mixed", "fnv1a"): "mixed-fnv1a"}
    return hasher(known[name, option], bytes.fromhex(value))


# ---- 3. members --------------------------------------------------------------------------------------------------------

# A member is (identity, weight, drained); a list of them is in order of identity. A node is named by its index there.


def over_domains(order, domains):
    """The order over domains: `order` is an order of preference, `domains` has the domain of every node."""
    met, numbers = {}, {}
    for node in order:
        numbers[node] = met[domains[node]] = met.get(domains[node], -1) + 1
    return sorted(order, key=numbers.get)


# ---- 4. the ring -------------------------------------------------------------------------------------------------------

class Ring:
    kind = "ring"

    def __init__(self, hash_bytes, parameters, members):
        self.hash, self.parameters, self.members = hash_bytes, parameters, sorted(members)
        self.points = sorted(
            (point, index)
            for index, (identity, weight, drained) in enumerate(self.members)
            if not drained
            for point in points_of(hash_bytes, identity, parameters["virtual_nodes"] * weight)
        )
        self.eligible = sum(not drained for _, _, drained in members)

    def preference(self, token, n):
        """The first n nodes in the token's order."""
        start = bisect.bisect_left(self.points, (token, -1))
        nodes = []
        for step in range(len(self.points)):
            if len(nodes) == min(n, self.eligible):
                break
            node = self.points[(start + step) % len(self.points)][1]
            if node not in nodes:
                nodes.append(node)
        return nodes


# ---- 5. rendezvous -----------------------------------------------------------------------------------------------------

def score(token, node_hash):
    y = token ^ node_hash
    y = (y ^ y >> 33) * 0xFF51AFD7ED558CCD & M64
    return (y ^ y >> 33) * 0xC4CEB9FE1A85EC53 & M64


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


class Rendezvous:
    kind = "rendezvous"

    def __init__(self, hash_bytes, parameters, members):
        self.hash, self.parameters, self.members = hash_bytes, parameters, sorted(members)
        self.eligible = [
            (index, hash_bytes(b"\0\0\0\0" + identity), weight)
            for index, (identity, weight, drained) in enumerate(self.members)
            if not drained
        ]
        self.one_weight = len({weight for _, _, weight in self.eligible}) <= 1

    def claim(self, token, node):
        """Smaller is better; ends with the score, negative, and the node."""
        index, node_hash, weight = node
        s = score(token, node_hash)
        if self.one_weight:
            # Costs never increase with the score, so they decide nothing here (check_rendezvous_slots.py checks that).
            return (-s, index)
        return (fractions.Fraction(cost(s), weight), -s, index)

    def order(self, token):
        return sorted(self.claim(token, node) for node in self.eligible)

    def best(self, token):
        return min(self.claim(token, node) for node in self.eligible)

    def preference(self, token, n):
        return [claim[-1] for claim in self.order(token)[:n]]


# ---- 6. slot tables ----------------------------------------------------------------------------------------------------

class SlotTable:
    kind = "slot_table"

    def __init__(self, hash_bytes, parameters, members):
        self.hash, self.parameters, self.members = hash_bytes, parameters, sorted(members)
        self.slots, self.load = parameters["slots"], parameters["max_load"]
        self.ranking = Rendezvous(hash_bytes, {}, members)
        if not self.ranking.eligible:
            self.owners = []
        elif self.load == 0:
            self.owners = [self.ranking.best(slot)[-1] for slot in range(self.slots)]
        else:
            self.owners = self.settled()

    def capacities(self):
        eligible = self.ranking.eligible
        total = sum(weight for _, _, weight in eligible)
        parts = [
            (index, fractions.Fraction(self.load * self.slots * weight, 2**32 * total)) for index, _, weight in eligible
        ]
        capacity = {index: int(part) for index, part in parts}
        up = -(-self.load * self.slots // 2**32) - sum(capacity.values())
        by_remainder = sorted(parts, key=lambda item: (int(item[1]) - item[1], item[0]))
        for index, _ in by_remainder[:up]:
            capacity[index] += 1
        return capacity

    def settled(self):
        """Deferred acceptance: slots propose, nodes keep their best scores."""
        capacity = self.capacities()
        proposals = [iter(self.ranking.order(slot)) for slot in range(self.slots)]
        held = {index: [] for index in capacity}
        free = list(range(self.slots))
        while free:
            slot = free.pop()
            claim = next(proposals[slot])
            node = held[claim[-1]]
            # The least score on top.
            heapq.heappush(node, (-claim[-2], slot))
            if len(node) > capacity[claim[-1]]:
                free.append(heapq.heappop(node)[1])
        owners = [None] * self.slots
        for index, node in held.items():
            for _, slot in node:
                owners[slot] = index
        return owners

    def preference(self, token, n):
        if not self.owners:
            return []
        slot = token * self.slots >> 64
        owner = self.owners[slot]
        return ([owner] + [node for node in self.ranking.preference(slot, n + 1) if node != owner])[:n]


# ---- 7. fingerprints ---------------------------------------------------------------------------------------------------

def fingerprint_of(kind, layout, parameters, probe, members):
    data = b"clockwise " + kind.encode("ascii") + struct.pack("<BB", 0, layout)
    for _, value in sorted(parameters.items()):
        data += struct.pack("<Q", value)
    data += struct.pack("<Q", probe)
    for identity, weight, drained in sorted(members):
        data += struct.pack("<Q", len(identity)) + identity + struct.pack("<IB", weight, drained)
    return xxh3(data)


def probe_of(hash_bytes):
    name = b"clockwise probe"
    token, points = hash_bytes(name), points_of(hash_bytes, name, 2)
    if points == v1_points(hash_bytes, name, 2):
        return token
    return xxh3(b"".join(struct.pack("<Q", word) for word in [token, *points]))


def fingerprint(kind, parameters, hash_bytes, members):
    return fingerprint_of(kind, 1, parameters, probe_of(hash_bytes), members)


# ---- 9. the golden files -----------------------------------------------------------------------------------------------

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden" / "v1"


def lines(name):
    """The cells of each line."""
    for line in (GOLDEN / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


def unhex(text):
    """Bytes as the files write them: in hexadecimal, or `hh*n`."""
    byte, star, times = text.partition("*")
    return bytes.fromhex(byte) * int(times) if star else bytes.fromhex(byte)


# ---- 10. overprovisioned groups ----------------------------------------------------------------------------------------

def second_hash(token):
    return xxh3(b"failover" + struct.pack("<Q", token))


def home_group(factor, groups, token):
    """The key's home; a group is (eligible weight, whole weight)."""
    shares = [
        min(2**64, math.ceil(fractions.Fraction(factor * eligible * 2**32, whole))) if whole else 0
        for eligible, whole in groups
    ]
    place = second_hash(token) * min(2**64, sum(shares)) // 2**64
    for group in range(len(groups)):
        if place < sum(shares[: group + 1]):
            return group
    return 0
