"""Messages for peers of HTTP Message Signatures (RFC 9421): random requests and responses, components of them, parameters
and keys. A peer is described by what it can do; what it cannot is in its driver, with the sentence of the RFC.

A message is a line without key and signature: `method`, `url`, `headers`, `body`, or `status`, `headers`, `body` and the
`request` that is answered. A component is its identifier, as `Signature-Input` has it.
"""

from pathlib import Path
from urllib.parse import quote

KEYS = Path(__file__).resolve().parents[1] / "vectors" / "keys"

# The registered algorithms (section 6.2.2) and the keys that they are used with here.
ALGORITHMS = {
    "hmac-sha256": None,
    "ed25519": "ed25519",
    "ecdsa-p256-sha256": "p256",
    "ecdsa-p384-sha384": "p384",
    "rsa-pss-sha512": "rsa",
    "rsa-v1_5-sha256": "rsa",
}

# Fields that are structured (RFC 9651), and of what type: registered ones, and ones that a verifier is told of.
DICTIONARIES = ["priority", "cdn-cache-control", "x-dict"]
LISTS = ["cache-status", "proxy-status", "x-list"]
ITEMS = ["x-item"]
STRUCTURED = "x-dict=dictionary x-list=list x-item=item"

EVERYTHING = frozenset(
    [
        "bs",
        "key",
        "query-param",
        "req",
        "sf",
        # `sf` of a field that is an item, and of any field of one's own.
        "sf-item",
        "sf-own",
        # Members that are inner lists, decimals, or of the types that RFC 9651 added.
        "sf-9651",
        # Several lines of a structured field.
        "sf-lines",
        "key-and-sf",
        # Keys of a dictionary that come twice.
        "keys-twice",
        # Methods in lower case, and authorities that are not normal.
        "method-case",
        "authority-case",
        "default-port",
        "request-target",
        "empty",
        "tab",
        "param-encoded",
        # Quotes and backslashes in the strings of signature parameters.
        "escapes",
        # Signatures that do not say when they were made, parameters in any order, and unknown ones.
        "no-created",
        "order",
        "unknown",
    ]
)


def message(rng, hostile, can):
    """A request, or a response with the request that it answers; and the components of it that can be signed."""
    if "req" in can and rng.random() < 0.35:
        answered, own = request(rng, hostile, can)
        found = {"status": rng.choice([200, 201, 204, 299, 404, 503, 599]), "request": answered}
        fields = headers(rng, hostile, can)
        found["headers"] = fields
        if rng.random() < 0.5:
            found["body"] = hostile.body_text(rng)
        return found, ["\"@status\"", *of_fields(rng, fields, can), *[requested(rng, one) for one in own]]
    return request(rng, hostile, can)


def requested(rng, identifier):
    """The same component of the request that is answered (section 2.4); the order of parameters is free."""
    name, *parameters = identifier.split(";")
    if "\"" in identifier[len(name) :] or rng.random() < 0.5:
        return f"{name};req{identifier[len(name):]}"
    return ";".join([name, *parameters, "req"])


def request(rng, hostile, can):
    method = hostile.method(rng)
    if "method-case" in can and rng.random() < 0.15:
        method = rng.choice(["get", "Post", "qUERY", "M-SEARCH"])
    scheme = rng.choice(["https", "https", "http"])
    authority = rng.choice(["example.com", "api.example.com", "a-b.example.org:8443", "[2001:db8::1]:8080", "example.com:0443"])
    if authority.endswith(":0443"):
        authority = "example.com"
    if "authority-case" in can and rng.random() < 0.3:
        authority = rng.choice(["Example.COM", "API.example.com:8080"])
    if "default-port" in can and rng.random() < 0.2:
        authority = {"https": "example.com:443", "http": "example.com:80"}[scheme]
    pairs = hostile.query(rng)
    query = hostile.query_string(rng, pairs, plus=True, bare="empty" in can)
    if "param-encoded" not in can:
        pairs = [(name, value) for name, value in pairs if plain(name) and plain(value)]
        query = "&".join(f"{name}={value}" for name, value in pairs)
    url = f"{scheme}://{authority}{hostile.path(rng)}"
    if query or ("empty" in can and rng.random() < 0.1):
        url += f"?{query}"
    fields = [["Host", authority], *headers(rng, hostile, can)]
    line = {"method": method, "url": url, "headers": fields}
    if rng.random() < 0.5:
        line["body"] = hostile.body_text(rng)
    known = ["@method", "@target-uri", "@authority", "@scheme", "@path", "@query"]
    if "request-target" in can:
        known.append("@request-target")
    found = [f'"{name}"' for name in known]
    if "query-param" in can:
        names = [name for name, _ in pairs]
        # Section 2.2.8: a name that comes twice is not to be signed alone.
        found += [f'"@query-param";name="{encoded(name)}"' for name in names if names.count(name) == 1]
    return line, [*found, '"host"', *of_fields(rng, fields[1:], can)]


def plain(text):
    return text != "" and all(char.isascii() and (char.isalnum() or char in "-._*") for char in text)


def encoded(text):
    """Section 2.2.8: the percent-encode set of forms (WHATWG URL), and a space is `%20`."""
    return quote(text, safe="*").replace("~", "%7E")


def headers(rng, hostile, can):
    """Field lines: hostile ones, empty ones, several of one name, and structured ones."""
    lines = [list(pair) for pair in hostile.headers(rng)]
    if lines and rng.random() < 0.4:
        again = rng.choice(lines)[0]
        again = rng.choice([again, again.lower(), again.upper()])
        lines += [[again, hostile.header_value(rng)] for _ in range(rng.randint(1, 2))]
    if "empty" in can and rng.random() < 0.3:
        lines.insert(rng.randint(0, len(lines)), [rng.choice(["X-Empty", "x-tag"]), ""])
    if "tab" in can and rng.random() < 0.1:
        lines.append(["X-Tab", "a\tb"])
    structured = [(name, dictionary) for name in DICTIONARIES] + [(name, items) for name in LISTS]
    structured += [(name, item) for name in ITEMS]
    for name, make in structured:
        if rng.random() < 0.3:
            lines.append([name.title(), make(rng, can)])
            if make is not item and "sf-lines" in can and rng.random() < 0.3:
                lines.append([name.upper(), make(rng, can)])
    rng.shuffle(lines)
    return lines


def of_fields(rng, lines, can):
    """Components of field lines, some with parameters that fit them."""
    found = []
    for name in sorted({name.lower() for name, _ in lines}):
        values = [value for other, value in lines if other.lower() == name]
        found.append(f'"{name}"')
        if "bs" in can:
            found.append(f'"{name}";bs')
        registered = not name.startswith("x-")
        keys = members(", ".join(values)) if name in DICTIONARIES else []
        if len(set(keys)) < len(keys):
            # A key that comes twice is refused by us where it matters: `rfc9421.toml` says why.
            continue
        if name in DICTIONARIES + LISTS and "sf" in can and (registered or "sf-own" in can):
            found.append(f'"{name}";sf')
        if name in ITEMS and "sf-item" in can and "sf-own" in can:
            found.append(f'"{name}";sf')
        if name in DICTIONARIES and "key" in can:
            for key in sorted(keys)[:2]:
                both = "key-and-sf" in can and rng.random() < 0.3
                found.append(f'"{name}";key="{key}"' + (";sf" if both else ""))
    return found


def members(text):
    """Keys of a dictionary of `dictionary`, as often as they come: they stand alone nowhere else."""
    return [part.split("=")[0].split(";")[0] for part in text.replace("\t", "").replace(" ", "").split(",") if part[:1] == "k"]


def spaces(rng):
    return rng.choice(["", "", " ", "  "])


def dictionary(rng, can):
    """A dictionary whose serialization is seldom what is written."""
    keys = rng.sample(["ka", "k-b", "k*c", "k_d", "k.e", "k1"], rng.randint(1, 4))
    if "keys-twice" in can and rng.random() < 0.1:
        keys.append(keys[0])
    return f"{spaces(rng)},{rng.choice([' ', '', '  '])}".join(
        f"{key}{parameters(rng, can)}" if rng.random() < 0.15 else f"{key}={member(rng, can)}" for key in keys
    )


def items(rng, can):
    return f"{spaces(rng)},{rng.choice([' ', '', '  '])}".join(member(rng, can) for _ in range(rng.randint(1, 4)))


def member(rng, can):
    if rng.random() < 0.25:
        inner = [bare(rng, can) + parameters(rng, can) for _ in range(rng.randint(0, 3))]
        return f"({spaces(rng)}{rng.choice([' ', '  ']).join(inner)}{spaces(rng)}){parameters(rng, can)}"
    return item(rng, can)


def item(rng, can):
    return bare(rng, can) + parameters(rng, can)


def parameters(rng, can):
    names = rng.sample(["pa", "p-b", "p*", "q"], rng.randint(0, 2))
    some = [f";{spaces(rng)}{name}" + ("" if rng.random() < 0.3 else f"={bare(rng, can)}") for name in names]
    return "".join(some)


def bare(rng, can):
    known = ["1", "-15", "0", "007", "-0", "1.50", "2.0", "0.125", "token", "*a/b:c", "?1", "?0", ":aGVsbG8=:", "::"]
    known += ['"text"', '""', '"a \\"b\\" \\\\ c;"']
    if "sf-9651" in can:
        known += ["@1659578233", '%"f%c3%bc"']
    return rng.choice(known)


def components(rng, known):
    """Some components, in any order; seldom none."""
    if rng.random() < 0.03:
        return []
    return rng.sample(known, rng.randint(1, min(len(known), 9)))


def key(rng, hostile, algorithms=tuple(ALGORITHMS)):
    """A key, and the algorithm that it is used with, as a line has them."""
    algorithm = rng.choice(algorithms)
    pair = ALGORITHMS[algorithm]
    material = {"secret": hostile.secret(rng)} if pair is None else {"private_key": (KEYS / f"{pair}.pem").read_text()}
    return {"alg": algorithm, **material}


def public(line):
    """What a verifier of a line has."""
    pair = ALGORITHMS[line["alg"]]
    return line["secret"].encode() if pair is None else (KEYS / f"{pair}.pub.pem").read_bytes()


def text(rng, hostile, can=EVERYTHING):
    """What the string of a parameter may hold (RFC 9651, section 3.3.3)."""
    odd = ['a "b" \\ c' if "escapes" in can else "!", "~", "a;b=c", "a, b", "(x)", "ü".encode().hex(), "=:?@", " a "]
    return rng.choice([hostile.word(rng, 12), rng.choice(odd) + hostile.word(rng, 6)])


def words(rng, hostile, now, can=EVERYTHING):
    """The parameters that mean something, with values: `created` (seldom not) and some of the others."""
    found = {} if "no-created" in can and rng.random() < 0.1 else {"created": now - rng.randint(0, 60)}
    found["keyid"] = rng.choice(["Test", "test-key", "https://example.com/users/alice#main-key"])
    if rng.random() < 0.4:
        found["expires"] = now + rng.randint(1, 300)
    if rng.random() < 0.5:
        found["nonce"] = text(rng, hostile, can)
    if rng.random() < 0.5:
        found["tag"] = text(rng, hostile, can)
    return found


def expected(found):
    """What a line with these parameters is to be told: RFC 9421 leaves `created` out where it likes, `rfc9421` does not."""
    return {} if "created" in found else {"expect": "field-missing"}


def written(chosen, found):
    """Components with parameters as they stand behind a label (section 2.3; RFC 9651, section 4.1)."""
    quoted = lambda value: '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'  # noqa: E731
    values = {name: quoted(value) if isinstance(value, str) else value for name, value in found.items()}
    return f"({' '.join(chosen)})" + "".join(f";{name}={value}" for name, value in values.items())


def unsigned_whole(rng, hostile, can, algorithms=tuple(ALGORITHMS)):
    """What we are to sign with parameters that are given whole: in any order, and `created` or not."""
    now = hostile.now(rng)
    line, known = message(rng, hostile, can)
    chosen = components(rng, known)
    line |= key(rng, hostile, algorithms) | {"now": now}
    found = words(rng, hostile, now, can)
    if rng.random() < 0.5:
        found["alg"] = line["alg"]
    if "unknown" in can and rng.random() < 0.3:
        found[rng.choice(["x-one", "a*b", "*z"])] = rng.choice([1, -7, text(rng, hostile, can)])
    found = dict(rng.sample(list(found.items()), len(found)))
    line["vars"] = {"components": " ".join(chosen), "parameters": written(chosen, found), "require": "", "structured": STRUCTURED}
    if rng.random() < 0.6:
        line["vars"]["label"] = rng.choice(["sig", "a", "proxy_sig", "*x.y-1"])
    return line


def unsigned(rng, hostile, can, algorithms=tuple(ALGORITHMS)):
    """What we are to sign, for a peer that can do this."""
    if "order" in can and rng.random() < 0.3:
        return unsigned_whole(rng, hostile, can, algorithms)
    line, known = message(rng, hostile, can)
    chosen = components(rng, known)
    found = words(rng, hostile, 0, can)
    line |= key(rng, hostile, algorithms) | {"key_id": found["keyid"]}
    line["vars"] = {"components": " ".join(chosen), "require": "", "structured": STRUCTURED}
    if rng.random() < 0.6:
        line["vars"]["label"] = rng.choice(["sig", "a", "proxy_sig", "*x.y-1"])
    if "expires" in found:
        line["vars"]["ttl"] = str(found["expires"])
    if "tag" in found:
        line["vars"]["tag"] = found["tag"]
    if "nonce" in found:
        line["nonce"] = found["nonce"]
    if rng.random() < 0.5:
        line["vars"]["alg"] = line["alg"]
    return line


def insisted(rng, chosen, label=None):
    """The variables of a verifier: it insists on some of what was signed."""
    some = rng.sample(chosen, rng.randint(0, len(chosen)))
    found = {"require": " ".join(some), "structured": STRUCTURED}
    if label is not None:
        found["label"] = label
    return found
