"""HMAC-SHA256 of Azure App Configuration, by Microsoft's library."""

import base64
import email.utils
from types import SimpleNamespace

from azure.appconfiguration import _azure_appconfiguration_requests as library
from azure.core.credentials import AzureKeyCredential

SDK = "azure-appconfiguration==1.10.0"
SCHEMES = ["azure-hmac"]
QUICK = True


def sign(scheme, rng, hostile):
    host = hostile.host(rng)
    query = hostile.query_string(rng, hostile.query(rng))
    line = {
        "method": hostile.method(rng),
        "url": f"https://{host}{hostile.path(rng)}{'?' + query if query else ''}",
        "headers": [["Content-Type", "application/json"]],
        "body": hostile.body_text(rng),
        "key_id": f"{hostile.word(rng, 4)}-l0-s0:{hostile.word(rng, 20)}",
        "secret": base64.b64encode(rng.randbytes(32)).decode(),
        "now": hostile.now(rng),
    }
    return signed(line)


def signed(line):
    scheme, _, rest = line["url"].partition("://")
    endpoint = f"{scheme}://{rest[: rest.index('/')]}"
    # Written into the request as it is, so that nothing about its path or query is tidied.
    request = SimpleNamespace(method=line["method"], url=line["url"], body=line["body"], headers={})
    clock = library.get_current_utc_time
    library.get_current_utc_time = lambda: email.utils.formatdate(line["now"], usegmt=True)
    try:
        policy = library.AppConfigRequestsCredentialsPolicy(AzureKeyCredential(line["secret"]), endpoint, line["key_id"])
        policy._signed_request(SimpleNamespace(http_request=request, context=SimpleNamespace(transport=None)))
    finally:
        library.get_current_utc_time = clock
    return {**line, "headers": [*line["headers"], *([name, value] for name, value in request.headers.items())]}


def fixed(scheme):
    cases = {
        "get": ("GET", "/kv?fields=*&key=a%20b&api-version=1.0", ""),
        "put": ("PUT", "/kv/key%2F1?label=%00", '{"value":"Zoë"}'),
    }
    lines = []
    for id, (method, target, body) in cases.items():
        line = {"method": method, "url": f"https://store.azconfig.io{target}", "headers": [["Content-Type", "application/json"]], "body": body, "key_id": "abcd-l0-s0:Zm9vYmFy", "secret": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "now": 1714566896}
        common = {
            "id": f"azure-appconfiguration-{id}",
            "source": f"{SDK}, AppConfigRequestsCredentialsPolicy",
            "expect": "verified",
            "covered": ["method", "host", "path", "query", "query.key", "query.label", "body", "secret", "header.x-ms-date", "header.x-ms-content-sha256", "header.authorization"],
            "open": ["scheme", "key-id", "header.content-type", "header.date"],
        }
        lines.append({**common, **signed(line)})
    return lines
