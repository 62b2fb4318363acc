"""Names and values that break canonicalisation, as far as HTTP itself admits them in the place.

Everything is drawn from the `random.Random` that is handed in, so that a request can be made again from its seed.
Functions return text that is not encoded yet, except for `path` and `target`, which are as they go over the wire.
Half of what they return is harmless: a request in which everything is odd is refused early and shows little.
"""

from urllib.parse import quote

HARMLESS = ["a", "b", "Action", "limit", "user", "x-1", "0", "list-type", "prefix", "Key", "key", "z_9"]

# Separators of the signature bases in the wild, characters that encodings disagree about, and what sorts oddly.
ODD = [
    " ", "  ", "+", "%", "%20", "%2F", "%2f", "%25", "%zz", "&", "=", "&=", "a=b", "a&b=c", ";", ",", "~", "|", ":", "/",
    "//", "?", "#", "@", "!", "*", "'", "(", ")", "[", "]", "{", "}", "$", "\\", '"', "<", ">", "^", "`", ".", "..", "-", "_",
    "é", "ß", "İ", "中文", "日本", "😀", "e\u0301", "\u00a0", "\ufeff", "\uffee", "A", "Z", "a b", " a", "a ", "a  b", "0x1",
    "null", "true", "-1", "1.0", "1e3", "aA", "Aa", "~a", "%7E", "a%", "\u2028",
]

# In a body or a query these can stand encoded; in a field's value they cannot stand at all.
CONTROL = ["\n", "\r\n", "\t", "a\nb", "\x7f", "\x1f"]

METHODS = ["GET", "GET", "POST", "POST", "PUT", "DELETE", "PATCH", "HEAD"]


def text(rng, control=True, most=4):
    """Text of up to `most` pieces; seldom long."""
    if rng.random() < 0.03:
        return rng.choice(["a", "é", "%41", "a b"]) * rng.randint(100, 400)
    pieces = HARMLESS + ODD + ODD + (CONTROL if control else [])
    return "".join(rng.choice(pieces) for _ in range(rng.randint(1, most)))


def name(rng):
    """A parameter's or member's name; not empty."""
    return rng.choice(HARMLESS) if rng.random() < 0.5 else text(rng, control=rng.random() < 0.2, most=2)


def value(rng):
    """A parameter's or member's value; may be empty."""
    draw = rng.random()
    if draw < 0.1:
        return ""
    return rng.choice(HARMLESS) if draw < 0.4 else text(rng, control=rng.random() < 0.2)


def pairs(rng, least=0, most=5):
    """Parameters in no order. Seldom a name or a whole pair comes twice: `distinct` where an SDK takes none twice."""
    found = [(name(rng), value(rng)) for _ in range(rng.randint(least, most))]
    if found and rng.random() < 0.2:
        again = rng.choice(found)
        found.insert(rng.randint(0, len(found)), (again[0], again[1] if rng.random() < 0.3 else value(rng)))
    return found


def distinct(found):
    """The pairs, the first of each name."""
    return list(dict(reversed(found)).items())[::-1]


def query(rng, least=0):
    """Parameters of a query."""
    return pairs(rng, least)


def form(rng, least=1):
    """Parameters of a form."""
    return pairs(rng, least, 6)


def query_string(rng, found, plus=False, bare=False):
    """The pairs as clients encode them: all but the unreserved, or leaving some of what a query may hold as it is.

    `plus`: spaces may become `+`. `bare`: an empty value may lose its `=`.
    """
    safe = rng.choice(["", "", "!$'()*,:@/?", "*"])
    spaces = plus and rng.random() < 0.5

    def encoded(part):
        part = quote(part, safe=safe)
        return part.replace("%20", "+") if spaces else part

    return "&".join(
        encoded(k) if bare and v == "" and rng.random() < 0.5 else f"{encoded(k)}={encoded(v)}" for k, v in found
    )


def segments(rng):
    """The segments of a path, decoded. None is empty, `.` or `..`, but for a last empty one: see `path`."""
    found = [name(rng).replace("/", "-") for _ in range(rng.randint(0, 4))]
    found = [part for part in found if part not in ("", ".", "..")]
    return found + [""] if rng.random() < 0.2 else found


def path(rng, dots=False):
    """A path as it goes over the wire. `dots`: with empty and dot segments, which some schemes normalise."""
    safe = rng.choice(["", "!$&'()*+,;=:@"])
    found = [quote(part, safe=safe) for part in segments(rng)]
    if dots:
        for _ in range(rng.randint(1, 3)):
            found.insert(rng.randint(0, len(found)), rng.choice(["", ".", "..", "a"]))
    return "/" + "/".join(found)


def host(rng):
    """An authority; seldom with a port, or with upper case."""
    return rng.choice(["example.com", "example.com", "api.example.com", "a-b.example.org", "example.com:8443", "Example.COM"])


def method(rng):
    return rng.choice(METHODS)


def header_name(rng):
    """A field name that means nothing to HTTP."""
    return "X-" + rng.choice(["Tag", "tag-2", "Meta-A", "meta_b", "Zz", "a", "Trace-1", "Long-" + "n" * 40])


def header_value(rng):
    """What a field's value may hold: no control characters, no white space around it; ASCII, as RFC 9110 advises."""
    if rng.random() < 0.5:
        return rng.choice(HARMLESS)
    odd = [piece for piece in ODD if piece.isascii()]
    return "".join(rng.choice(HARMLESS + odd) for _ in range(rng.randint(1, 4))).strip() or "v"


def headers(rng, most=3):
    """Field lines with different names."""
    return distinct([(header_name(rng), header_value(rng)) for _ in range(rng.randint(0, most))])


def json(rng, depth=2):
    """An object: text, numbers, flags and, down to `depth`, lists and objects."""
    return {name(rng): _json_value(rng, depth - 1) for _ in range(rng.randint(0, 4))}


def _json_value(rng, depth):
    kind = rng.randint(0, 7 if depth > 0 else 5)
    if kind == 0:
        return rng.choice([0, 1, -1, 10**15, 1.5, 0.1, 1e21])
    if kind == 1:
        return rng.choice([True, False, None])
    if kind == 6:
        return [_json_value(rng, depth - 1) for _ in range(rng.randint(0, 3))]
    if kind == 7:
        return json(rng, depth)
    return value(rng)


def json_text(rng):
    """An object as some serialiser writes it: with and without spaces, escapes and line feeds."""
    from json import dumps

    return dumps(
        json(rng),
        ensure_ascii=rng.random() < 0.5,
        indent=rng.choice([None, None, None, 2]),
        separators=rng.choice([None, (",", ":"), (" , ", " : ")]),
    )


def body_text(rng):
    """A body of UTF-8 text: JSON, a form, or anything at all; may be empty."""
    kind = rng.randint(0, 5)
    if kind == 0:
        return ""
    if kind == 1:
        return query_string(rng, form(rng), plus=True)
    if kind == 2:
        return "".join(text(rng) for _ in range(rng.randint(1, 5)))
    return json_text(rng)


def body(rng):
    """A body's bytes, seldom no text at all."""
    return rng.randbytes(rng.randint(1, 300)) if rng.random() < 0.15 else body_text(rng).encode()


def secret(rng, least=16, most=40):
    """A shared secret of letters, digits and what base64 needs."""
    return "".join(rng.choice("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/") for _ in range(rng.randint(least, most)))


def word(rng, length=16):
    """Letters and digits: a key id, a nonce."""
    return "".join(rng.choice("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") for _ in range(length))


def now(rng):
    """A time, in Unix seconds, between 2010 and 2037."""
    return rng.randint(1262304000, 2114380800)
