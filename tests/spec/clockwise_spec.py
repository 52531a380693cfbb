"""The ring of docs/SPEC.md in Python: a second implementation, from the words alone, sharing no code with the crate.

Needs the package `xxhash`. Used by check_ring.py.
"""

import binascii
import bisect
import ipaddress
import struct

import xxhash

M64 = (1 << 64) - 1


# ---- 1. keys are bytes -------------------------------------------------------------------------------------------------

def key_bytes(kind, text):
    """The bytes of a value that is written as text, as in keys.tsv."""
    if kind == "text":
        return text.encode()
    if kind == "bytes":
        return bytes.fromhex(text)
    if kind[0] == "u" and kind[1:].isdigit():
        return int(text).to_bytes(int(kind[1:]) // 8, "little")
    if kind == "ip":
        return ipaddress.ip_address(text).packed
    if kind == "socket":
        host, port = text.rsplit(":", 1)
        return ipaddress.ip_address(host.strip("[]")).packed + int(port).to_bytes(2, "big")
    if kind == "pair":
        (kind_a, a), (kind_b, b) = (part.split("=", 1) for part in text.split("|"))
        a, b = key_bytes(kind_a, a), key_bytes(kind_b, b)
        return struct.pack("<Q", len(a)) + a + b
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


def hasher(name, parameter):
    """A function from bytes to 64 bits; the parameter as bytes."""
    if name == "xxh3":
        seed = int.from_bytes(parameter, "big")
        return lambda data: xxhash.xxh3_64_intdigest(data, seed)
    if name == "siphash13":
        return lambda data: siphash13(parameter, data)
    if name == "mixed-fnv1a":
        return lambda data: fmix64(fnv1a(data))
    if name == "mixed-crc32":
        return lambda data: fmix64(binascii.crc32(data))
    if name == "top8":
        return lambda data: xxhash.xxh3_64_intdigest(data, 0) & 0xFF << 56
    if name == "constant":
        return lambda data: 0x123456789ABCDEF0
    raise ValueError(name)


# ---- 3. the ring -------------------------------------------------------------------------------------------------------

class Ring:
    """Members are (identity, weight, drained)."""

    def __init__(self, hash_bytes, virtual_nodes, members):
        self.hash, self.virtual_nodes = hash_bytes, virtual_nodes
        self.members = sorted(members)
        self.points = sorted(
            (hash_bytes(struct.pack("<I", i) + identity), identity)
            for identity, weight, drained in members
            if not drained
            for i in range(virtual_nodes * weight)
        )
        self.eligible = sum(not drained for _, _, drained in members)

    def preference(self, key, n):
        """The first n identities in the key's order."""
        start = bisect.bisect_left(self.points, (self.hash(key), b""))
        nodes = []
        for step in range(len(self.points)):
            if len(nodes) == min(n, self.eligible):
                break
            identity = self.points[(start + step) % len(self.points)][1]
            if identity not in nodes:
                nodes.append(identity)
        return nodes

    # ---- 4. the fingerprint --------------------------------------------------------------------------------------------

    def fingerprint(self):
        data = b"clockwise ring\0\x01" + struct.pack("<QQ", self.virtual_nodes, self.hash(b"clockwise probe"))
        for identity, weight, drained in self.members:
            data += struct.pack("<Q", len(identity)) + identity + struct.pack("<IB", weight, drained)
        return xxhash.xxh3_64_intdigest(data, 0)
