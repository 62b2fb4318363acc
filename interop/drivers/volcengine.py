"""Volcengine, by its SDK for Python: `Service` builds, signs and sends."""

import datetime
from collections import OrderedDict

from volcengine.ApiInfo import ApiInfo
from volcengine.auth.SignerV4 import SignerV4
from volcengine.base.Service import Service
from volcengine.Credentials import Credentials
from volcengine.ServiceInfo import ServiceInfo
from wire import replaced, sent, vector

SDK = "volcengine==1.0.229"
SCHEMES = ["volcengine-v4"]


def sign(scheme, rng, hostile):
    kind = rng.choice(["get", "post", "json"])
    return signed(
        kind,
        # Given decoded: see the scheme's known differences.
        path="/" + "/".join(hostile.word(rng, 4) for _ in range(rng.randint(0, 2))),
        query=dict(hostile.query(rng)),
        form=dict(hostile.form(rng)) if kind == "post" else {},
        body=hostile.body_text(rng) if kind == "json" else "",
        # Fields whose names do not begin with a capital X are not signed.
        headers=dict(hostile.headers(rng)),
        host=hostile.host(rng),
        token=rng.choice(["", hostile.word(rng, 30)]),
        key_id=hostile.word(rng, 24),
        secret=hostile.secret(rng),
        now=hostile.now(rng),
    )


def signed(kind, path, query, form, body, headers, host, token, key_id, secret, now):
    info = ServiceInfo(host, headers, Credentials(key_id, secret, "iam", "cn-north-1", token), 5, 5, "https")
    api = {"Call": ApiInfo("GET" if kind == "get" else "POST", path, OrderedDict(Action="ListUsers", Version="2018-01-01"), {}, {})}
    date = datetime.datetime.fromtimestamp(now, datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    with replaced((Service, "init", lambda self: None), (SignerV4, "get_current_format_date", staticmethod(lambda: date))):
        service = Service(info, api)
        line = sent(
            {
                "get": lambda: service.get("Call", query),
                "post": lambda: service.post("Call", query, form),
                "json": lambda: service.json("Call", query, body.encode()),
            }[kind]
        )
    return {**line, "key_id": key_id, "secret": secret, "now": now, "vars": {"region": "cn-north-1", "service": "iam"}}


def fixed(scheme):
    usual = {
        "path": "/",
        "query": {},
        "form": {},
        "body": "",
        "headers": {},
        "host": "iam.volcengineapi.com",
        "token": "",
        "key_id": "AKLTEXAMPLE",
        "secret": "WkdFeU1tSTJaRGRqTWpVd05EVXhOV0ptTlRZeFpHUTRZVGM9",
        "now": 1714566896,
    }
    cases = [
        ("get", {"query": {"Name": "a b*~+/é", "Empty": ""}}, ["query.Name", "query.Empty"]),
        ("post", {"form": {"Name": "Zoë & co"}, "headers": {"X-Tag": "blue"}}, ["header.content-type", "header.x-tag"]),
        ("json", {"body": '{"a": 1}', "token": "a-temporary-token"}, ["header.content-type", "header.x-security-token"]),
    ]
    lines = []
    for kind, case, more in cases:
        line = signed(kind, **{**usual, **case})
        covered = ["method", "host", "path", "query", "query.Action", "header.x-date", "header.x-content-sha256", "body", "header.authorization", "secret"]
        lines.append(vector(scheme, f"volcengine-{kind}", f"{SDK}, Service.{kind}", covered + more, ["scheme", "header.user-agent", "header.x-other"], line))
    return lines
