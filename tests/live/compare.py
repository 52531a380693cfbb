#!/usr/bin/env python3
"""Compares clockwise::compat with the real programs on loopback. Servers, weights, options and keys
are drawn.

    compare.py OWNERS [--seed N] [--cases N] [--keys N] [SYSTEM ...]

OWNERS is the built example `owners`. Systems: envoy, grpc, nginx, haproxy, twemproxy, libmemcached,
guava; all of them by default. A system that is not installed prints a line `SKIP`. The exit status
is 1 if an answer differs, or if fewer than 9 of 10 keys have an answer. The seed is printed, so that
a run can be repeated.
"""

import argparse
import random
import subprocess
import sys
import tempfile

import programs


def key(rng, forbidden=b""):
    """A key: a word, a number, a path, or any bytes, none of them forbidden."""
    kind = rng.randrange(6)
    if kind == 0:
        made = b"user:%d" % rng.randrange(10**6)
    elif kind == 1:
        made = b"%d" % rng.randrange(10**9)
    elif kind == 2:
        made = ("/straße/{%d}/данные" % rng.randrange(10**4)).encode()
    elif kind == 3:
        made = b"a{" + b"%d" % rng.randrange(100) + b"}b{c}"
    else:
        made = bytes(rng.randrange(256) for _ in range(rng.choice([1, 2, 3, 7, 8, 16, 40, 200])))
    made = bytes(byte for byte in made if byte not in forbidden)
    if forbidden:
        made = made.strip(b" \t")
    return made or b"k"


def weights(rng, count, greatest):
    kind = rng.randrange(4)
    if kind == 0:
        return [1] * count
    if kind == 1:
        return [rng.randint(1, min(greatest, 10)) for _ in range(count)]
    if kind == 2:
        return [rng.choice([1, min(greatest, 100)]) for _ in range(count)]
    return [rng.randint(1, greatest) for _ in range(count)]


def ours(owners, cases):
    """The orders of preference that the crate gives, per case and key."""
    lines = []
    for case in cases:
        lines.append("case\t" + case["system"])
        lines += ["option\t%s\t%s" % option for option in case.get("options", {}).items()]
        for server in case["servers"]:
            lines.append(
                "server\t%s\t%d%s"
                % (server["text"], server["weight"], "\tdown" if server.get("down") else "")
            )
        lines += ["key\t" + key.hex() for key in case["keys"]]
    done = subprocess.run(
        [owners], input="\n".join(lines) + "\n", capture_output=True, text=True, check=True
    )
    answers = iter(done.stdout.splitlines())
    return [[next(answers).split("\t") for _ in case["keys"]] for case in cases]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("owners")
    parser.add_argument("systems", nargs="*")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--cases", type=int, default=20)
    parser.add_argument("--keys", type=int, default=200)
    args = parser.parse_intermixed_args()
    print("seed", args.seed)
    failed = False
    for name in args.systems or programs.ALL:
        system = programs.ALL[name]()
        missing = system.missing()
        if missing:
            print(f"SKIP {name}: {missing}")
            continue
        rng = random.Random(f"{args.seed}/{name}")
        cases = [system.draw(rng, number, weights) for number in range(args.cases)]
        for case in cases:
            case["keys"] = [key(rng, system.forbidden) for _ in range(args.keys)]
        with tempfile.TemporaryDirectory() as folder:
            theirs = system.answers(folder, cases)
        asked, compared, differ = 0, 0, 0
        for case, orders, answers in zip(cases, ours(args.owners, cases), theirs):
            shown = {field: value for field, value in case.items() if field != "keys"}
            for key_, order, answer in zip(case["keys"], orders, answers):
                asked += 1
                if answer is None:  # the program refused the key
                    continue
                compared += 1
                if order[: len(answer)] != answer:
                    differ += 1
                    if differ <= 5:
                        print(f"DIFFERS {name} key {key_.hex()}")
                        print(f"  program {answer}, clockwise {order}\n  {shown}")
        bad = differ > 0 or compared < 0.9 * asked
        print(
            f"{'FAIL' if bad else 'OK'} {name} {system.version()}: {len(cases)} cases, "
            f"{compared} answers to {asked} keys, {differ} differ"
        )
        failed |= bad
    sys.exit(failed)


if __name__ == "__main__":
    main()
