#!/usr/bin/env python3
"""Changes every covered component of positive vectors, one at a time and in several ways, and every open one.

    python3 vectors/change.py vectors/NAME/sdk.jsonl > vectors/NAME/changed.jsonl
    python3 vectors/change.py --check vectors/*/sdk.jsonl

`--check` says which `changed.jsonl` is not what comes of the file beside it.

Knows nothing of any scheme, and uses nothing of the engine: it edits text. README.md says what the components are.
"""

import base64
import json
import re
import sys
from pathlib import Path
from urllib.parse import quote, quote_plus, unquote_plus

KEYS = Path(__file__).resolve().parent / "keys"


def main(arguments):
    if arguments[:1] != ["--check"]:
        for file in arguments:
            for text in changed_lines(Path(file)):
                print(text)
        return
    stale = []
    for file in map(Path, arguments[1:]):
        beside = file.with_name("changed.jsonl")
        found = beside.read_text() if beside.exists() else ""
        if found != "".join(f"{text}\n" for text in changed_lines(file)):
            stale.append(str(beside))
    if stale:
        sys.exit(f"stale, made anew by change.py: {' '.join(stale)}")


def changed_lines(file):
    """The lines that are made of a file's, as text."""
    for number, text in enumerate(file.read_text().splitlines(), 1):
        if not text.strip():
            continue
        line = json.loads(text)
        if line.get("expect") != "verified":
            sys.exit(f"{file}:{number}: only positive lines can be changed")
        try:
            for changed in changes(line):
                yield json.dumps(changed, ensure_ascii=False)
        except Unchangeable as error:
            sys.exit(f"{file}:{number}: {error}")


class Unchangeable(Exception):
    """A component that the line does not have, or of which nothing is known."""


def changes(line):
    """All changed lines of a positive one."""
    covered, opened = line.get("covered", []), line.get("open", [])
    if not covered:
        raise Unchangeable("nothing is covered")
    both = set(covered) & set(opened)
    if both:
        raise Unchangeable(f"covered and open: {sorted(both)}")
    bare = {key: value for key, value in line.items() if key not in ("covered", "open", "expect", "source")}
    for component in covered + opened:
        component, _, only = component.partition(":")
        found = 0
        for way, changed in ways(bare, component):
            if only and way != only:
                continue
            # One way of changing a component may be open where the component is not.
            is_open = component in opened or f"{component}:{way}" in opened
            if is_open and not only and component not in opened or changed == bare:
                continue
            found += 1
            yield {
                **changed,
                "id": f"{line['id']}: {component} {way}",
                "of": line["id"],
                "changed": component,
                "expect": "verified" if is_open else "refused",
            }
        if not found:
            raise Unchangeable(f"nothing of `{component}` can be changed")


def ways(line, component):
    """Names of ways to change a component, and the changed lines."""
    if component.startswith("request."):
        for way, changed in ways(line["request"], component.removeprefix("request.")):
            yield way, {**line, "request": changed}
        return
    kind, _, name = component.partition(".")
    if name:
        yield from NAMED[kind](line, name) if kind in NAMED else unknown(component)
    else:
        yield from WHOLE[kind](line) if kind in WHOLE else unknown(component)


def unknown(component):
    raise Unchangeable(f"`{component}` is no component")


# --- text ---


def flipped(text):
    """The text with a character near its middle replaced by another of its kind, so that it is the value that is
    wrong and not its form."""
    order = sorted(range(len(text)), key=lambda at: abs(at - len(text) // 2))
    for at in order:
        char = text[at]
        # Not a digit of an escape.
        if "%" in text[max(0, at - 2) : at + 1]:
            continue
        for kind in ("0123456789", "abcdef", "ghijklmnopqrstuvwxyz", "ABCDEF", "GHIJKLMNOPQRSTUVWXYZ"):
            if char in kind:
                other = kind[(kind.index(char) + 1) % len(kind)]
                return text[:at] + other + text[at + 1 :]
    return text + "x"


def values(text):
    """Ways to change a value that stays where it is."""
    yield "flipped", flipped(text)
    yield "longer", text + "x"
    if len(text) > 1:
        yield "shorter", text[:-1]


# --- the URL ---


def split(url):
    scheme, rest = url.split("://", 1)
    at = re.search(r"[/?]|$", rest).start()
    path, mark, query = rest[at:].partition("?")
    return scheme, rest[:at], path or "/", query if mark else None


def joined(scheme, host, path, query):
    return f"{scheme}://{host}{path}" + ("" if query is None else f"?{query}")


def with_query(line, query):
    scheme, host, path, _ = split(line["url"])
    return {**line, "url": joined(scheme, host, path, query)}


def method(line):
    for other in ("GET", "POST", "PUT", "DELETE"):
        if other != line["method"].upper():
            yield other, {**line, "method": other}


def scheme(line):
    old, host, path, query = split(line["url"])
    other = "http" if old == "https" else "https"
    yield other, {**line, "url": joined(other, host, path, query)}


def host(line):
    old_scheme, old, path, query = split(line["url"])
    for way, other in (("flipped", flipped(old)), ("longer", f"other.{old}")):
        # `Host`, where it is written, names the same authority.
        headers = [[n, flipped(v) if way == "flipped" else f"other.{v}"] if n.lower() == "host" else [n, v] for n, v in line.get("headers", [])]
        changed = {**line, "url": joined(old_scheme, other, path, query)}
        yield way, {**changed, "headers": headers} if "headers" in line else changed


def path(line):
    old_scheme, old_host, old, query = split(line["url"])
    found = [("longer", f"{old}x"), ("deeper", f"{old.rstrip('/')}/x/y"), ("other", "/changed/path")]
    if any(char.isalnum() for char in old):
        found.append(("flipped", flipped(old)))
    if len(old.rstrip("/")) > 1:
        found.append(("shorter", old.rstrip("/")[:-1].rsplit("%", 1)[0] if "%" in old[-4:] else old.rstrip("/")[:-1]))
    for way, other in found:
        yield way, {**line, "url": joined(old_scheme, old_host, other, query)}


def query(line):
    _, _, _, old = split(line["url"])
    yield "added", with_query(line, "zz-extra=1" if not old else f"{old}&zz-extra=1")
    yield "added in front", with_query(line, "aa-extra=1" if not old else f"aa-extra=1&{old}")


def parameters(text, name):
    """Ways to change the parameters of a name in a query or form."""
    parts = text.split("&") if text else []
    mine = [at for at, part in enumerate(parts) if unquote_plus(part.partition("=")[0]) == name]
    key = quote(name, safe="")
    if not mine:
        yield "added", "&".join([*parts, f"{key}=x"])
        return
    for count, at in enumerate(mine):
        key, equals, value = parts[at].partition("=")
        suffix = "" if len(mine) == 1 else f" {count + 1}"
        for way, other in values(unquote_plus(value)):
            # Another spelling of the same encoding, so that only the value differs.
            encode = quote_plus if "+" in value else quote
            other = other if other.isalnum() else encode(other, safe="")
            yield way + suffix, "&".join([*parts[:at], f"{key}={other}", *parts[at + 1 :]])
        if value:
            yield "emptied" + suffix, "&".join([*parts[:at], f"{key}=", *parts[at + 1 :]])
        yield "removed" + suffix, "&".join(parts[:at] + parts[at + 1 :])
    last = parts[mine[-1]].partition("=")[2]
    yield "a second", "&".join([*parts, f"{key}={flipped(last) or 'x'}"])
    yield "a second in front", "&".join([f"{key}={flipped(last) or 'x'}", *parts])


def query_parameter(line, name):
    for way, changed in parameters(split(line["url"])[3] or "", name):
        yield way, with_query(line, changed or None)


# --- field lines ---


def header(line, name):
    lines = line.get("headers", [])
    mine = [at for at, (known, _) in enumerate(lines) if known.lower() == name.lower()]
    if not mine:
        yield "added", {**line, "headers": [*lines, [name, "x"]]}
        return
    for count, at in enumerate(mine):
        known, value = lines[at]
        suffix = "" if len(mine) == 1 else f" {count + 1}"
        for way, other in values(value):
            yield way + suffix, {**line, "headers": [*lines[:at], [known, other], *lines[at + 1 :]]}
        yield "removed" + suffix, {**line, "headers": lines[:at] + lines[at + 1 :]}
    known, value = lines[mine[-1]]
    yield "a second", {**line, "headers": [*lines, [known, flipped(value)]]}
    yield "a second in front", {**line, "headers": [[known, flipped(value)], *lines]}


def cookie(line, name):
    lines = line.get("headers", [])
    for at, (known, value) in enumerate(lines):
        if known.lower() != "cookie":
            continue
        parts = value.split("; ")
        for index, part in enumerate(parts):
            key, _, old = part.partition("=")
            if key != name:
                continue

            def written(changed):
                return {**line, "headers": [*lines[:at], [known, "; ".join(changed)], *lines[at + 1 :]]}

            for way, other in values(old):
                yield way, written([*parts[:index], f"{key}={other}", *parts[index + 1 :]])
            if len(parts) > 1:
                yield "removed", written(parts[:index] + parts[index + 1 :])
            yield "a second", written([*parts, f"{key}={flipped(old)}"])
            return
    yield "added", {**line, "headers": [*lines, ["Cookie", f"{name}=x"]]}


# --- the body ---


def body_of(line):
    if "body_base64" in line:
        return base64.b64decode(line["body_base64"])
    return line.get("body", "").encode()


def with_body(line, body):
    changed = {key: value for key, value in line.items() if key not in ("body", "body_base64")}
    try:
        return {**changed, "body": body.decode()}
    except UnicodeDecodeError:
        return {**changed, "body_base64": base64.b64encode(body).decode()}


def body(line):
    old = body_of(line)
    if old:
        text = old.decode("latin-1")
        yield "flipped", with_body(line, flipped(text).encode("latin-1"))
        yield "shorter", with_body(line, old[:-1])
        yield "emptied", with_body(line, b"")
    yield "longer", with_body(line, old + b"x")
    yield "longer in front", with_body(line, b"x" + old)


def form_parameter(line, name):
    for way, changed in parameters(body_of(line).decode(), name):
        yield way, with_body(line, changed.encode())


def form(line):
    old = body_of(line).decode()
    yield "added", with_body(line, (f"{old}&zz-extra=1" if old else "zz-extra=1").encode())
    yield "added in front", with_body(line, (f"aa-extra=1&{old}" if old else "aa-extra=1").encode())


def members(text):
    """The members of a JSON object: name, and where the member and its value stand."""
    at = text.index("{") + 1
    decoder = json.JSONDecoder(strict=False)
    space = re.compile(r"[\s,]*")
    while True:
        at = space.match(text, at).end()
        if text[at] == "}":
            return
        start = at
        name, at = decoder.raw_decode(text, at)
        at = re.compile(r"\s*:\s*").match(text, at).end()
        value = at
        _, at = decoder.raw_decode(text, at)
        yield name, start, value, at


def json_member(line, name):
    text = body_of(line).decode()
    found = list(members(text))
    mine = [member for member in found if member[0] == name]
    if not mine:
        yield "added", with_body(line, with_member(text, found, f'{json.dumps(name)}:"x"').encode())
        return
    for _, start, at, end in mine:
        old = text[at:end]
        others = {"flipped": json.dumps(json.loads(old, strict=False) + "x") if old.startswith('"') else '"x"'}
        if old.startswith('"') and len(old) > 2:
            others["emptied"] = '""'
            if old.isascii() and "\\" not in old:
                others["flipped"] = f'"{flipped(old[1:-1])}"'
        elif re.fullmatch(r"-?[0-9]+", old):
            others["flipped"] = str(int(old) + 1)
        elif old in ("true", "false"):
            others["flipped"] = {"true": "false", "false": "true"}[old]
        for way, other in others.items():
            yield way, with_body(line, (text[:at] + other + text[end:]).encode())
        before = re.search(r",\s*$", text[:start])
        after = re.match(r"\s*,\s*", text[end:])
        cut = (before.start(), end) if before else (start, end + (after.end() if after else 0))
        yield "removed", with_body(line, (text[: cut[0]] + text[cut[1] :]).encode())
        yield "a second", with_body(line, with_member(text, found, f"{json.dumps(name)}:{others['flipped']}").encode())


def with_member(text, found, member):
    end = found[-1][3] if found else text.index("{") + 1
    return text[:end] + ("," if found else "") + member + text[end:]


def json_whole(line):
    text = body_of(line).decode()
    yield "added", with_body(line, with_member(text, list(members(text)), '"zz-extra":1').encode())


def xml_child(line, name):
    text = body_of(line).decode()
    mine = re.search(rf"<{re.escape(name)}>(.*?)</{re.escape(name)}>", text, re.S)
    if not mine:
        yield "added", with_body(line, with_child(text, f"<{name}>x</{name}>").encode())
        return
    cdata = re.fullmatch(r"(<!\[CDATA\[)(.*)(\]\]>)", mine[1], re.S)
    before, old, after = cdata.groups() if cdata else ("", mine[1], "")
    for way, other in [*values(old), *([("emptied", "")] if old else [])]:
        yield way, with_body(line, (text[: mine.start(1)] + before + other + after + text[mine.end(1) :]).encode())
    yield "removed", with_body(line, (text[: mine.start()] + text[mine.end() :]).encode())
    yield "a second", with_body(line, with_child(text, f"<{name}>{flipped(old)}</{name}>").encode())


def with_child(text, child):
    at = text.rindex("</")
    return text[:at] + child + text[at:]


def xml_whole(line):
    yield "added", with_body(line, with_child(body_of(line).decode(), "<zz_extra>1</zz_extra>").encode())


# --- message signatures (RFC 9421) ---


def signature_input(line, changed):
    """The line with its last Signature-Input changed."""
    headers = [[name, changed(value) if name.lower() == "signature-input" else value] for name, value in line["headers"]]
    return {**line, "headers": headers}


def signature_parameter(line, name):
    """A parameter of the signature: another value, none, a second one."""
    text = next(value for known, value in line["headers"] if known.lower() == "signature-input")
    found = re.search(rf';{name}=("(?:[^"\\\\]|\\\\.)*"|-?[0-9]+)', text)
    if not found:
        raise Unchangeable(f"there is no parameter {name}")
    old = found[1]
    for way, other in values(old.strip('"')):
        if not old.startswith('"') and not other.isdigit():
            continue
        quoted = f'"{other}"' if old.startswith('"') else other
        yield way, signature_input(line, lambda value: value.replace(found[0], f";{name}={quoted}", 1))
    yield "removed", signature_input(line, lambda value: value.replace(found[0], "", 1))
    yield "a second", signature_input(line, lambda value: value.replace(found[0], found[0] * 2, 1))
    yield "an unknown one beside it", signature_input(line, lambda value: value.replace(found[0], f"{found[0]};zz=1", 1))


def signature_components(line):
    """The list of components: each left out, given another parameter, and all in another order."""
    text = next(value for known, value in line["headers"] if known.lower() == "signature-input")
    inner = text[text.index("(") + 1 : text.index(")")]
    items = re.findall(r'"[^"]*"(?:;[a-z]+(?:="[^"]*")?)*', inner)

    def listed(items):
        return signature_input(line, lambda value: value.replace(f"({inner})", f"({' '.join(items)})", 1))

    for at, item in enumerate(items):
        yield f"without {item}", listed(items[:at] + items[at + 1 :])
        yield f"{item} twice", listed([*items, item])
        yield f"{item} strictly", listed([*items[:at], f"{item};sf", *items[at + 1 :]])
    yield "one more", listed([*items, '"@scheme"'])
    if len(items) > 1:
        yield "in another order", listed(items[::-1])


def signature_bytes(line):
    """Each byte of the signature; of one that is longer than 64, 16 of them, evenly."""
    at = next(at for at, (name, _) in enumerate(line["headers"]) if name.lower() == "signature")
    name, text = line["headers"][at]
    old = re.search(r":([A-Za-z0-9+/=]*):", text)[1]
    raw = base64.b64decode(old)
    count = len(raw) if len(raw) <= 64 else 16
    for index in (index * len(raw) // count for index in range(count)):
        other = base64.b64encode(raw[:index] + bytes([raw[index] ^ 1]) + raw[index + 1 :]).decode()
        yield f"byte {index}", {**line, "headers": [*line["headers"][:at], [name, text.replace(old, other)], *line["headers"][at + 1 :]]}
    for way, other in (("shorter", raw[:-1]), ("longer", raw + b"x"), ("emptied", b"")):
        value = text.replace(old, base64.b64encode(other).decode())
        yield way, {**line, "headers": [*line["headers"][:at], [name, value], *line["headers"][at + 1 :]]}


# --- what is not in the message ---


def key_id(line):
    """Another id that has the same key, in the message and for the verifier."""
    old = line["key_id"]
    other = flipped(old)
    changed = {**line, "key_id": other}
    if "url" in line:
        changed["url"] = line["url"].replace(old, other).replace(quote(old, safe=""), quote(other, safe=""))
    if "headers" in line:
        changed["headers"] = [[name, value.replace(old, other)] for name, value in line["headers"]]
    if body_of(line):
        changed = with_body(changed, body_of(line).replace(old.encode(), other.encode()))
    yield "flipped", changed


def secret(line):
    if "secret" in line:
        yield "flipped", {**line, "secret": flipped(line["secret"])}
        return
    # Another key of the same kind, for the same half.
    for half, suffix in (("public_key", ".pub.pem"), ("private_key", ".pem")):
        if half in line:
            for name in ("rsa", "p256", "p384", "sm2", "ed25519"):
                if (KEYS / f"{name}{suffix}").read_text().split() == line[half].split():
                    yield "another", {**line, half: (KEYS / "other" / f"{name}{suffix}").read_text()}
                    return
    raise Unchangeable("the key is none of vectors/keys")


def variable(line, name):
    yield "flipped", {**line, "vars": {**line["vars"], name: flipped(str(line["vars"][name]))}}


def status(line):
    for other in (200, 400, 201):
        if other != line["status"]:
            yield str(other), {**line, "status": other}


WHOLE = {
    "method": method, "scheme": scheme, "host": host, "path": path, "query": query, "body": body, "form": form,
    "json": json_whole, "xml": xml_whole, "key-id": key_id, "secret": secret, "status": status,
    "components": signature_components, "signature": signature_bytes,
}  # fmt: skip

NAMED = {
    "query": query_parameter, "header": header, "cookie": cookie, "form": form_parameter, "json": json_member,
    "xml": xml_child, "var": variable, "parameter": signature_parameter,
}  # fmt: skip

if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
