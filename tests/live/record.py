#!/usr/bin/env python3
"""Records answers of the real programs in tables like those in tests/golden/compat.

    record.py FOLDER

Each table is a new file in FOLDER. The keys are those of an existing table that the program can
take. A cell is the position of the server that answered, from 1, or `-` if the program has no
answer.
"""

import os
import sys
import tempfile

import programs

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "compat")


def loopback(weights, first=9001):
    return [
        {"text": f"127.0.0.1:{port}", "weight": weight}
        for port, weight in enumerate(weights, first)
    ]


def haproxy(count, mark=None, at=0, **options):
    servers = [{"text": f"s{i}", "weight": 1} for i in range(count)]
    if mark:
        servers[at][mark] = True
    return {"servers": servers, "options": options}


def twemproxy(addresses, names=None, **options):
    servers = []
    for i, address in enumerate(addresses):
        text = address + ":" if address.startswith("/") else address
        servers.append({"text": names[i] if names else text, "address": address, "weight": 1})
    return {"servers": servers, "options": {"named": str(bool(names)).lower(), **options}}


def sized(system, weights, **options):
    return {"system": system, "servers": loopback(weights), "options": options}


def grpc(**options):
    servers = loopback([1] * 5, 9101)
    for server in servers:
        server["address"] = server["text"]
    return {"servers": servers, "options": options}


SOCKETS = [f"/tmp/clockwise-{name}.sock" for name in ("a", "b", "cc", "d")]
MEMCACHED = [f"127.0.0.{i}:11211" for i in range(2, 7)]

# For each file: the program, the table with the keys, and for each column what the head of the file
# says about it and the case.
TABLES = {
    "haproxy_ids.tsv": (
        programs.Haproxy(),
        "haproxy.tsv",
        {
            "id7_none": ("`server s0 id 7`, `server s1`, `server s2`", haproxy(3, ids="7,-,-")),
            "none_id1_none": (
                "`server s0`, `server s1 id 1`, `server s2`",
                haproxy(3, ids="-,1,-"),
            ),
            "id2_none_id3_none": (
                "`server s0 id 2`, `server s1`, `server s2 id 3`, `server s3`",
                haproxy(4, ids="2,-,3,-"),
            ),
            "backup_second": (
                "`server s0`, `server s1 backup`, `server s2`, `server s3`",
                haproxy(4, mark="backup", at=1),
            ),
            "added_id9": (
                "`server s0`, `server s1`, at run time `add server s2 id 9`",
                haproxy(3, mark="added", at=2, ids="-,-,9"),
            ),
            "added_none": (
                "`server s0`, `server s1`, at run time `add server s2`: placed as id 0, a bug",
                haproxy(3, mark="added", at=2),
            ),
            "djb2": ("hash-type consistent djb2, 5 servers", haproxy(5, hash="djb2")),
            "djb2_aval": (
                "hash-type consistent djb2 avalanche, 5 servers",
                haproxy(5, hash="djb2", avalanche="true"),
            ),
            "wt6": ("hash-type consistent wt6, 5 servers", haproxy(5, hash="wt6")),
            "wt6_aval": (
                "hash-type consistent wt6 avalanche, 5 servers",
                haproxy(5, hash="wt6", avalanche="true"),
            ),
        },
    ),
    "twemproxy_texts.tsv": (
        programs.Twemproxy(),
        "twemproxy.tsv",
        {
            "sockets": (
                f"hash md5, servers {SOCKETS}; their texts end in a colon",
                twemproxy(SOCKETS, hash="md5"),
            ),
            "port_11211": (
                f"hash md5, servers {MEMCACHED} without names",
                twemproxy(MEMCACHED, hash="md5"),
            ),
            "named_11211": (
                "hash md5, the same servers with their addresses as names",
                twemproxy(MEMCACHED, names=MEMCACHED, hash="md5"),
            ),
        },
    ),
    "envoy_sizes.tsv": (
        programs.Envoy(),
        "envoy.tsv",
        {
            "maglev_1009": (
                "MAGLEV, table_size 1009, weights 1 1 1 10",
                sized("envoy-maglev", [1, 1, 1, 10], table_size=1009),
            ),
            "ring_500_500": (
                "RING_HASH, minimum and maximum 500, weights 1 2 3 4 5",
                sized(
                    "envoy-ring",
                    [1, 2, 3, 4, 5],
                    minimum_ring_size=500,
                    maximum_ring_size=500,
                ),
            ),
        },
    ),
    "grpc_cap.tsv": (
        programs.Grpc(),
        "grpc.tsv",
        {
            "min_10000": (
                "minRingSize 10000, maxRingSize 20000, 127.0.0.1:9101..9105",
                grpc(minimum_ring_size=10_000, maximum_ring_size=20_000),
            ),
            "min_10000_cap_raised": (
                "the same with grpc.lb.ring_hash.ring_size_cap 8388608",
                grpc(
                    minimum_ring_size=10_000,
                    maximum_ring_size=20_000,
                    ring_size_cap=8_388_608,
                ),
            ),
        },
    ),
}


def keys_of(table, forbidden):
    with open(os.path.join(GOLDEN, table)) as f:
        lines = [line.rstrip("\n").split("\t") for line in f if not line.startswith("#")]
    keys = []
    for cells in lines[1:]:
        if cells[0] == "(empty)" or cells[1].startswith("-"):
            continue
        key = bytes.fromhex(cells[0])
        if not set(key) & set(forbidden):
            keys.append(key)
    return keys


def record(folder, name):
    program, table, columns = TABLES[name]
    keys = keys_of(table, program.forbidden)
    cases = [dict(case, keys=keys) for _, case in columns.values()]
    with tempfile.TemporaryDirectory() as scratch:
        answers = program.answers(scratch, cases)
    with open(os.path.join(folder, name), "x") as f:
        f.write(f"# system: {program.version()}, recorded by tests/live/record.py\n")
        for column, (text, _) in columns.items():
            f.write(f"# {column}: {text}\n")
        f.write("# a cell is the position of the server that answered, from 1\n")
        f.write("key_hex\t" + "\t".join(columns) + "\n")
        for i, key in enumerate(keys):
            cells = [key.hex()]
            for case, answer in zip(cases, answers):
                texts = [server["text"] for server in case["servers"]]
                cells.append(str(texts.index(answer[i][0]) + 1) if answer[i] else "-")
            f.write("\t".join(cells) + "\n")


if __name__ == "__main__":
    for name in TABLES:
        missing = TABLES[name][0].missing()
        if missing:
            print(f"SKIP {name}: {missing}")
        else:
            record(sys.argv[1], name)
    for path in SOCKETS:
        if os.path.exists(path):
            os.remove(path)
