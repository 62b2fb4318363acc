"""Azure Storage's Shared Key, by Microsoft's library."""

import base64
import email.utils
from types import SimpleNamespace

from azure.core.pipeline.transport import HttpRequest
from azure.storage.blob._shared.authentication import SharedKeyCredentialPolicy

SDK = "azure-storage-blob==12.31.1"
SCHEMES = ["azure-sharedkey"]
QUICK = True

NAMES = ["comp", "restype", "timeout", "blockid", "prefix", "delimiter", "marker", "a-b", "ab", "a_b", "sv"]


def sign(scheme, rng, hostile):
    # The library sorts the query before it lowers the case of its names, takes each name once, and does not decode
    # names; Azure's own all are lower case and plain.
    names = rng.sample(NAMES, rng.randint(0, 5))
    # A parameter is split at its first `=`, and at nothing else.
    query = hostile.query_string(rng, [(name, hostile.value(rng)) for name in names], bare=True)
    account = hostile.word(rng, 10).lower()
    path = hostile.path(rng).replace(";", "%3B")
    headers = [[f"x-ms-meta-{name[2:].lower()}", value] for name, value in hostile.headers(rng, 5)]
    headers += [[f"x-ms-{rng.choice('ab')}{rng.choice(['-', '_', '1', 'z', ''])}{rng.choice('ab')}", "v"]]
    for name, value in [("Content-Type", "text/plain; charset=UTF-8"), ("Content-Encoding", "gzip"), ("Content-Language", "de"), ("If-Match", '"0x1"'), ("If-Modified-Since", "Wed, 01 May 2024 12:34:56 GMT"), ("If-None-Match", "*")]:
        if rng.random() < 0.3:
            headers.append([name, value])
    body = hostile.body_text(rng) if rng.random() < 0.6 else ""
    headers.append(["Content-Length", str(len(body.encode()))])
    line = {
        "method": hostile.method(rng),
        "url": f"https://{account}.blob.core.windows.net{path}{'?' + query if query else ''}",
        "headers": headers,
        "body": body,
        "key_id": account,
        "secret": base64.b64encode(rng.randbytes(64)).decode(),
        "now": hostile.now(rng),
    }
    return signed(line)


def signed(line):
    account = line.get("vars", {}).get("account", line["key_id"])
    headers = [["x-ms-date", email.utils.formatdate(line["now"], usegmt=True)], *line["headers"]]
    request = HttpRequest(line["method"], line["url"], headers=dict(headers))
    context = SimpleNamespace(http_request=request, context=SimpleNamespace(transport=None))
    SharedKeyCredentialPolicy(account, line["secret"]).on_request(context)
    return {**line, "headers": [*headers, ["Authorization", request.headers["Authorization"]]]}


def fixed(scheme):
    url = "https://myaccount.blob.core.windows.net"
    cases = {
        "get": ("GET", f"{url}/mycontainer?comp=list&restype=container&prefix=a%2Fb%20c", [], ""),
        "put": (
            "PUT",
            f"{url}/mycontainer/my%20blob?comp=block&blockid=YWJj",
            [["x-ms-version", "2023-11-03"], ["x-ms-meta-a-b", "1"], ["x-ms-meta-a_b", "2"], ["x-ms-meta-ab", "3"], ["Content-Length", "11"], ["Content-MD5", "XrY7u+Ae7tCTyyK7j1rNww=="], ["Content-Type", "text/plain; charset=UTF-8"]],
            "hello world",
        ),
    }
    lines = []
    for id, (method, url, headers, body) in cases.items():
        line = {"method": method, "url": url, "headers": headers, "body": body, "key_id": "myaccount", "secret": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "now": 1714566896}
        names = [name.lower() for name, _ in headers]
        common = {
            "id": f"azure-storage-blob-{id}",
            "source": f"{SDK}, SharedKeyCredentialPolicy.on_request",
            "expect": "verified",
            "covered": ["method", "path", "query", "query.comp", "query.prefix", "query.blockid", "key-id", "secret", "header.x-ms-date", "header.authorization", "header.x-ms-other", "header.content-type", "header.range", "header.if-match", *(f"header.{name}" for name in names)]
            + (["body"] if body else []),
            "open": ["scheme", "host", "header.date", "header.user-agent"] + ([] if body else ["body"]),
        }
        lines.append({**common, **signed(line)})
    return lines
