"""What the Python drivers of signed values share: random lines, and the contract of `countersign value --jsonl`.

A driver is run in one of two ways:

    python3 interop/values/DRIVER.py --count 1000 --seed 1     prints lines that ask for a value to be signed
    python3 interop/values/DRIVER.py --answer                  answers lines on standard input, by the framework

`PYTHONPATH` names where the framework is. A line's clock is its `now`.
"""

import argparse
import json
import random
import sys
import time

SCRIPTS = [
    "abcXYZ019", " \t", "éèüßñ", "ЖДЯщ", "αβγΩ", "עברית", "العربية", "हिन्दी", "日本語漢字", "한국어", "ไทย", "😀🏳️‍🌈𝒳", "̈̃",
    ":.-_=/+~*", "\"\\'`{}[]<>&;,", "\x00\x01\x1f\x7f", "\u2028\u2029\ufeff", "\r\n",
]
DIGESTS = ["md5", "sha1", "sha1", "sha224", "sha256", "sha256", "sha384", "sha512", "sha3_256", "sha3_512", "blake2b", "blake2s"]


def text(rng, longest=40):
    """A text of one script or of several; often empty, now and then very long."""
    kind = rng.random()
    if kind < 0.08:
        return ""
    if kind > 0.99:
        return "".join(rng.choice(SCRIPTS[rng.randrange(11)]) for _ in range(rng.randrange(2_000, 20_000)))
    scripts = SCRIPTS if kind < 0.4 else [rng.choice(SCRIPTS)]
    return "".join(rng.choice(rng.choice(scripts)) for _ in range(rng.randrange(1, longest)))


def key(rng):
    """A key that is not empty; keys longer than a block of the digest too."""
    return text(rng, rng.choice([20, 60, 300])) or "k"


def tree(rng, depth=4):
    """A JSON tree, with numbers that no 64 bits hold."""
    kind = rng.randrange(10 if depth else 7)
    if kind == 0:
        return None
    if kind == 1:
        return rng.random() < 0.5
    if kind == 2:
        return rng.choice([0, -1, 2**53, 2**53 + 1, -(2**63), 2**64, 10**40, rng.randrange(-(10**30), 10**30)])
    if kind == 3:
        return rng.choice([0.5, -0.0, 1e22, 1e-7, 5e-324, 1.7976931348623157e308, rng.random(), rng.uniform(-1e9, 1e9)])
    if kind < 7:
        return text(rng)
    if kind == 7 or kind == 8:
        return [tree(rng, depth - 1) for _ in range(rng.randrange(5))]
    return {text(rng, 12): tree(rng, depth - 1) for _ in range(rng.randrange(6))}


def separator(rng):
    """A separator that no signature can contain."""
    return rng.choice([":", ".", "/", "~", "|", "::", "*sep*", " ", "é", "a.b", "\u2028", "😀", "-:-", "!"])


class Malformed(Exception):
    """The framework fails on it, in whatever way: it is not accepted."""


def main(make, answer):
    """`make(rng, now)` makes a line without its id; `answer(line)` returns a value or raises."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--answer", action="store_true")
    options = parser.parse_args()
    if not options.answer:
        for index in range(options.count):
            rng = random.Random(f"{options.seed}/{index}")
            now = rng.choice([0, 1, 2**31, rng.randrange(0, 4_000_000_000)])
            print(json.dumps({"id": index, "now": now, **make(rng)}))
        return
    for text_of_line in sys.stdin:
        line = json.loads(text_of_line)
        time.time = lambda: line["now"]
        try:
            done = {"value": answer(line)}
        except Exception as error:  # What a framework raises on hostile input is no contract.
            done = {"rejected": type(error).__name__}
        print(json.dumps({"id": line["id"], **done}))
