"""Alibaba Cloud's API Gateway, by alibabacloud-apigateway-util, which signs a request that its caller has put together."""

from types import SimpleNamespace
from urllib.parse import urlencode

from alibabacloud_apigateway_util.client import Client
from wire import vector

SDK = "alibabacloud-apigateway-util==0.0.2"
ALSO = ["requests==2.34.2"]
SCHEMES = ["aliyun-api-gateway"]
FORM = "application/x-www-form-urlencoded; charset=utf-8"


def sign(scheme, rng, hostile):
    # Sorted, and without empty values: the SDK signs them as they come, see the scheme's known differences.
    names = sorted({(name, value) for name, value in hostile.query(rng) if value})
    params = list(dict(names).items())
    kind = rng.choice(["", FORM, "application/json; charset=utf-8"])
    headers = {name.lower(): value for name, value in hostile.headers(rng)}
    return signed(
        method=hostile.method(rng),
        path=hostile.path(rng),
        params=params,
        inside=rng.randint(0, len(params)) if kind == FORM else 0,
        kind=kind,
        body=hostile.body_text(rng) if kind and kind != FORM else "",
        headers=headers,
        host=hostile.host(rng),
        key_id=rng.choice("0123456789") + hostile.word(rng, 8),
        secret=hostile.secret(rng),
        nonce=hostile.word(rng, 32),
        now=hostile.now(rng),
        millis=rng.randint(0, 999),
    )


def signed(method, path, params, inside, kind, body, headers, host, key_id, secret, nonce, now, millis):
    """`inside`: how many of the parameters are in the form; the SDK takes them all as one list."""
    fields = {
        **headers,
        "host": host,
        "accept": "application/json",
        "date": "Wed, 01 May 2024 12:34:56 GMT",
        "x-ca-key": key_id,
        "x-ca-nonce": nonce,
        "x-ca-timestamp": f"{now}{millis:03}",
        "x-ca-signature-method": "HmacSHA256",
        "x-ca-stage": "RELEASE",
    }
    if kind:
        fields["content-type"] = kind
    if body:
        fields["content-md5"] = Client.get_content_md5(body)
    request = SimpleNamespace(method=method, pathname=path, query=dict(params), headers=fields)
    fields["x-ca-signature"] = Client.get_signature(request, secret)
    query = urlencode(params[inside:])
    return {
        "method": method,
        "url": f"https://{host}{path}" + (f"?{query}" if query else ""),
        "headers": [[name, value] for name, value in fields.items()],
        "body": urlencode(params[:inside]) if inside else body,
        "key_id": key_id,
        "secret": secret,
        "now": now,
    }


def fixed(scheme):
    usual = {
        "method": "POST",
        "path": "/rest/160601/ocr/ocr_idcard.json",
        "params": [],
        "inside": 0,
        "kind": "",
        "body": "",
        "headers": {},
        "host": "api.example.com",
        "key_id": "203753385",
        "secret": "Tf4Kz1bWmQ0hXy7e",
        "nonce": "c9f15cbf-f4ac-4a6c-b54d-f51abf4b5b44",
        "now": 1714566896,
        "millis": 123,
    }
    cases = [
        ("get", {"method": "GET", "params": [("a", "1"), ("name", "a b*~+/é")]}, ["query.a", "query.name", "body"]),
        ("form", {"kind": FORM, "params": [("a", "1"), ("b", "Zoë"), ("c", "3")], "inside": 2}, ["form", "form.a", "form.b", "query.c", "header.content-type"]),
        ("json", {"kind": "application/json; charset=utf-8", "body": '{"a":"é"}', "headers": {"x-tag": "blue"}}, ["body", "header.content-md5", "header.content-type", "header.x-tag"]),
    ]
    lines = []
    for id, case, more in cases:
        line = signed(**{**usual, **case})
        covered = ["method", "path", "query", "header.accept", "header.date", "header.x-ca-key", "header.x-ca-nonce", "header.x-ca-timestamp", "header.x-ca-stage", "header.x-ca-signature-headers", "header.x-ca-signature", "secret"]
        opened = ["scheme", "host", "header.user-agent"]
        lines.append(vector(scheme, f"apigateway-util-{id}", f"{SDK}, Client.get_signature", covered + more, opened, line))
    return lines
