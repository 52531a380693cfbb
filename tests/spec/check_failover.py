#!/usr/bin/env python3
"""Checks tests/golden/v1/failover.tsv against the Python implementation of docs/SPEC.md; with --write makes it anew.

    python3 tests/spec/check_failover.py
"""

import random
import sys

from clockwise_spec import GOLDEN, home_group, lines, second_hash


def check():
    checked = 0
    for what, factor, groups, token, hashed, home in lines("failover.tsv"):
        assert what == "home"
        token = int(token, 16)
        assert second_hash(token) == int(hashed, 16), token
        weights = [tuple(map(int, group.split("/"))) for group in groups.split(",")]
        assert home_group(int(factor, 16), weights, token) == int(home), (groups, token)
        checked += 1
    return checked


def cases():
    """Factors in units of 2⁻³², and groups of (eligible weight, whole weight)."""
    factor = int(1.4 * 2**32)
    for healthy in (0, 1, 3, 5, 7, 8, 10):
        yield factor, [(healthy, 10), (10, 10)]
    yield factor, [(2, 10), (1, 10), (3, 10)]
    yield factor, [(1, 10), (0, 7), (1, 3)]
    yield factor, [(4, 10), (4, 10), (4, 10), (4, 10)]
    yield 2**32, [(1, 3), (1, 3), (1, 3)]
    yield 2**32, [(1, 3), (2, 7)]
    yield 2**32, [(0, 0), (1, 2), (9, 9)]
    yield 2**32 + 1, [(2**32 - 1, 2**33 - 2), (1, 2**32 - 1), (5, 11)]
    yield int(3.75 * 2**32), [(1, 8), (1, 9), (1, 2)]
    yield 2**53 - 1, [(1, 2**32 - 1), (1, 1)]


def tokens():
    yield from (0, 1, 2**63, 2**64 - 1)
    random.seed(7)
    for _ in range(40):
        yield random.getrandbits(64)


def write():
    with open(GOLDEN / "failover.tsv", "w", encoding="utf-8") as file:
        file.write("# Homes in overprovisioned groups (docs/SPEC.md, section 10). Append-only.\n")
        file.write("# home  factor in 2^-32, hex  eligible/whole weight of each group  token  second hash  home\n")
        for factor, groups in cases():
            text = ",".join(f"{eligible}/{whole}" for eligible, whole in groups)
            for token in tokens():
                home = home_group(factor, groups, token)
                file.write(f"home\t{factor:x}\t{text}\t{token:016x}\t{second_hash(token):016x}\t{home}\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    print(f"{check()} vectors agree with docs/SPEC.md")
