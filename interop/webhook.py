"""What drivers of webhook libraries share: a POST with any body, fixed bodies for vectors, and reading of field lines.

Most of these libraries only verify. Their drivers sign as the vendor's document says, and hand out nothing that the
library has not accepted: `accepted`.
"""

# What webhooks leave unsigned.
OPEN = ["method", "scheme", "host", "path", "query", "header.content-type"]

BODIES = {
    "json": '{"type":"invoice.paid","data":{"amount":1000}}',
    "unicode": '{"name":"Zoë 😀", "a":1.0, "b":"\\u00e9"}',
    "spaces": '{\n  "a" : [ 1, 2 ],\n  "b" : ""\n}\n',
}


def unsigned(rng, hostile, body=None):
    """A request to be signed. Libraries refuse empty bodies, and vendors send none."""
    return {
        "method": "POST",
        "url": f"https://{hostile.host(rng)}{hostile.path(rng)}",
        "headers": [["Content-Type", "application/json"]],
        "body": body or hostile.body_text(rng) or "{}",
        "secret": hostile.secret(rng),
        "now": hostile.now(rng),
    }


def header(line, name):
    """The one field line of a name."""
    (value,) = [value for known, value in line["headers"] if known.lower() == name.lower()]
    return value


def with_headers(line, *more):
    return {**line, "headers": line["headers"] + [list(field) for field in more]}


def accepted(verify, scheme, line):
    if not verify(scheme, line):
        raise AssertionError(f"the library refuses what its vendor's document says: {line}")
    return line


def fixed(source, signed, headers, bodies=None, opened=OPEN, **given):
    """Positive vectors: `signed` makes each from a request, `headers` are the field lines that it covers."""
    lines = []
    for name, body in (bodies or BODIES).items():
        line = {
            "id": f"{source.split('==')[0].lower()}-{name}",
            "source": source,
            "expect": "verified",
            "covered": [*(f"header.{field}" for field in headers), "body", "secret"],
            "open": opened,
            "method": "POST",
            "url": "https://example.com/webhooks?a=b",
            "headers": [["Content-Type", "application/json"]],
            "body": body,
            "secret": "It's a Secret to Everybody",
            "now": 1714566896,
            **given,
        }
        lines.append(signed(line))
    return lines
