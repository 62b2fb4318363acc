#!/usr/bin/env python3
"""Runs an interop driver: one JSON line for each request that a vendor's SDK signs. See README.md.

    run.py DRIVER --count 300 --seed 1      requests that the SDK signs
    run.py DRIVER --fixed [--write]         the positive cases of vectors/SCHEME/sdk.jsonl
    run.py DRIVER --unsigned --count 300    requests for us to sign
    run.py DRIVER --verify < LINES          whether the SDK accepts them: {"id": …, "accepted": …}
    run.py DRIVER --base < LINES            what the SDK signs of them, where it tells: {"id": …, "base": …}
    run.py --list                           all drivers, from their text: no SDK is needed

Nothing is read but the driver and, with --verify and --base, standard input. `run.mjs` is the same for npm's SDKs.
"""

import argparse
import ast
import importlib.util
import json
import random
import re
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
VECTORS = HERE.parent / "vectors"
FUNCTIONS = ("sign", "verify", "fixed", "base")
sys.path.insert(0, str(HERE))
import hostile  # noqa: E402  (found through the line above)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("driver", nargs="?")
    parser.add_argument("--scheme", help="only this one of the driver's schemes")
    parser.add_argument("--count", type=int, default=10, help="requests for each scheme")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--at", type=int, help="only the request of this number")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--fixed", action="store_true")
    mode.add_argument("--unsigned", action="store_true")
    mode.add_argument("--verify", action="store_true")
    mode.add_argument("--base", action="store_true")
    mode.add_argument("--list", action="store_true")
    parser.add_argument("--write", action="store_true", help="with --fixed: into vectors/, by id")
    arguments = parser.parse_args()
    if arguments.list:
        for described in drivers():
            show(described)
        return
    if not arguments.driver:
        parser.error("which driver?")
    driver = load(arguments.driver)
    if arguments.verify or arguments.base:
        for text in sys.stdin:
            line = json.loads(text)
            scheme = line.pop("scheme")
            if arguments.verify:
                show({"id": line["id"], "accepted": bool(driver.verify(scheme, line))})
            else:
                show({"id": line["id"], "base": driver.base(scheme, line)})
        return
    for scheme in driver.SCHEMES:
        if arguments.scheme not in (None, scheme):
            continue
        if arguments.fixed:
            lines = list(driver.fixed(scheme))
            if arguments.write:
                write(scheme, lines)
            else:
                for line in lines:
                    show(line)
            continue
        make = driver.unsigned if arguments.unsigned else driver.sign
        for index in range(arguments.count) if arguments.at is None else [arguments.at]:
            name = f"{arguments.driver}/{scheme}/{arguments.seed}/{index}"
            made = make(scheme, random.Random(name), hostile)
            if made is None:
                continue
            line = {"id": name, "scheme": scheme, **made}
            if arguments.unsigned:
                # A verifier whose clock the driver does not set has this time.
                line.setdefault("now", int(time.time()))
            show(line)


def show(line):
    print(json.dumps(line, ensure_ascii=False))


def load(name):
    file = HERE / "drivers" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"driver_{re.sub(r'[^a-z0-9]', '_', name)}", file)
    driver = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(driver)
    return driver


def drivers():
    """What each driver says of itself."""
    for file in sorted((HERE / "drivers").glob("*.*")):
        if file.suffix == ".py":
            found = described_python(file.read_text())
        elif file.suffix == ".mjs":
            found = described_node(file.read_text())
        else:
            continue
        if not isinstance(found.get("sdk"), str) or not isinstance(found.get("schemes"), list):
            sys.exit(f"{file}: SDK and SCHEMES must be literals")
        language = {".py": "python", ".mjs": "node"}[file.suffix]
        # A driver in Python, and its SDK a crate.
        language = "rust" if found.pop("cargo", False) else language
        yield {"driver": file.stem, "language": language, **found}


def described_python(text):
    found = {"sdk": None, "schemes": None, "also": [], "quick": False}
    functions = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in ("SDK", "SCHEMES", "ALSO", "QUICK", "CARGO"):
            found[node.targets[0].id.lower()] = ast.literal_eval(node.value)
        if isinstance(node, ast.FunctionDef):
            functions.add(node.name)
    return {**found, "functions": [name for name in FUNCTIONS if name in functions]}


def described_node(text):
    found = {"also": [], "quick": False}
    for name in ("SDK", "SCHEMES", "ALSO", "QUICK"):
        literal = re.search(rf"^export const {name} = (.*?);?$", text, re.M)
        if literal:
            found[name.lower()] = json.loads(literal[1].replace("'", '"'))
    functions = [name for name in FUNCTIONS if re.search(rf"^export (async )?function {name}\(", text, re.M)]
    return {**found, "functions": functions}


def write(scheme, lines):
    """Puts the lines into the scheme's file: in the place of those with their ids, else behind."""
    file = VECTORS / scheme / "sdk.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    known = [json.loads(text) for text in file.read_text().splitlines()] if file.exists() else []
    merged = {line["id"]: line for line in known + lines}
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in merged.values()))


if __name__ == "__main__":
    main()
