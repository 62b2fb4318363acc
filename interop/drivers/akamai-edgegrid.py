"""Akamai's EdgeGrid, by Akamai's library."""

from datetime import datetime, timezone

from akamai.edgegrid import EdgeGridAuth
from requests import Request

SDK = "edgegrid-python==2.0.9"
SCHEMES = ["akamai-edgegrid"]
QUICK = True


def sign(scheme, rng, hostile):
    host = f"akab-{hostile.word(rng, 8).lower()}.luna.akamaiapis.net"
    query = hostile.query_string(rng, hostile.query(rng), bare=True)
    headers = hostile.headers(rng)
    listed = [name for name, _ in headers if rng.random() < 0.6] + (["X-Absent"] if rng.random() < 0.2 else [])
    rng.shuffle(listed)
    line = {
        "method": hostile.method(rng),
        # The library loses a `;` at a path's end.
        "url": f"https://{host}{hostile.path(rng).rstrip(';')}{'?' + query if query else ''}",
        "headers": [["Host", host], *map(list, headers)],
        "body": hostile.body_text(rng),
        "key_id": f"akab-{hostile.word(rng)}",
        "secret": hostile.secret(rng, 40, 44),
        "now": hostile.now(rng),
        "vars": {"headers-to-sign": ";".join(listed), "max-body": str(rng.choice([131072, 131072, 8, 1]))},
    }
    return signed(line, f"akab-{hostile.word(rng)}", hostile.word(rng, 36))


def signed(line, access_token, nonce):
    listed = [name for name in line["vars"].get("headers-to-sign", "").split(";") if name]
    auth = EdgeGridAuth(line["key_id"], line["secret"], access_token, headers_to_sign=listed, max_body=int(line["vars"].get("max-body", 131072)))
    request = Request(line["method"], "https://placeholder/", headers=dict(line["headers"])).prepare()
    # As they are, without what the HTTP library would tidy.
    request.url, request.body = line["url"], line["body"].encode()
    stamp = datetime.fromtimestamp(line["now"], timezone.utc).strftime("%Y%m%dT%H:%M:%S+0000")
    header = auth.ah.make_auth_header(request, stamp, nonce)
    return {**line, "headers": [*line["headers"], ["Authorization", header]]}


def fixed(scheme):
    host = "akab-host.luna.akamaiapis.net"
    cases = {
        "get": ("GET", "/papi/v1/groups?b=1&a=x%20y", {}, ""),
        "post": ("POST", "/papi/v1/groups", {"headers-to-sign": "X-B;X-A"}, '{"a":1}'),
        "put": ("PUT", "/papi/v1/groups/1", {}, '{"a":1}'),
    }
    lines = []
    for id, (method, target, variables, body) in cases.items():
        headers = [["Host", host], ["X-A", "a   b"], ["X-B", "c"]]
        line = {"method": method, "url": f"https://{host}{target}", "headers": headers, "body": body, "key_id": "akab-client-1", "secret": "c2VjcmV0IHRoYXQgc2VjdXJlcyBub3RoaW5n", "now": 1714566896, "vars": variables}
        fields = ["header.x-a", "header.x-b"]
        common = {
            "id": f"edgegrid-python-{id}",
            "source": f"{SDK}, make_auth_header",
            "expect": "verified",
            "covered": ["method", "scheme", "host", "path", "query", "query.a", "key-id", "secret", "header.authorization", *(["body", *fields] if variables else [])],
            "open": ["header.x-c", *([] if variables else ["body", *fields])],
        }
        lines.append({**common, **signed(line, "akab-access-1", "b0d8ad85-65a6-4b1a-a3a7-9a1e0c6f6b3f")})
    return lines
