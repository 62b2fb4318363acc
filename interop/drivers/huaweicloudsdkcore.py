"""Huawei Cloud's SDK core for Python: `Credentials.sign_request`, with and without a derived key."""

from urllib.parse import quote

import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from wire import line as wired
from wire import vector

SDK = "huaweicloudsdkcore==3.1.219"
SCHEMES = ["huawei-sdk-hmac", "huawei-v11-hmac"]


def sign(scheme, rng, hostile):
    query = []
    for name, value in hostile.distinct(hostile.query(rng)):
        query.append((name, rng.choice([value, value, [value, hostile.value(rng)]])))
    headers = dict(hostile.headers(rng))
    headers |= rng.choice([{}, {"Content-Type": "application/json"}, {"Content-Type": "application/json;charset=UTF-8"}, {"Content-Type": "text/plain"}])
    return signed(
        scheme,
        method=hostile.method(rng),
        path="/" + "/".join(quote(part, safe="") for part in hostile.segments(rng)),
        query=query,
        headers=headers,
        body=hostile.body(rng),
        host=hostile.host(rng),
        token=rng.choice([None, hostile.word(rng, 30)]),
        key_id=hostile.word(rng, 20),
        secret=hostile.secret(rng),
        now=hostile.now(rng),
    )


def signed(scheme, method, path, query, headers, body, host, token, key_id, secret, now):
    from datetime import datetime, timezone

    credentials = BasicCredentials(key_id, secret, "77b6a44cba5143ab91d13ab9a8ff44fd")
    credentials.security_token = token
    if scheme == "huawei-v11-hmac":
        credentials.with_derived_predicate(lambda request: True)
        credentials._process_derived_auth_params("ecs", "cn-north-4")
    headers = {**headers, "X-Sdk-Date": datetime.fromtimestamp(now, timezone.utc).strftime("%Y%m%dT%H%M%SZ")}
    request = SdkRequest(method=method, schema="https", host=host, resource_path=path, query_params=query, header_params=headers, body=body)
    credentials.sign_request(request)
    # As `HttpClient.do_request_sync` hands it on.
    line = wired(requests.Request(method, request.url, headers=request.header_params, data=request.body).prepare())
    variables = {"vars": {"region": "cn-north-4", "service": "ecs"}} if scheme == "huawei-v11-hmac" else {}
    return {**line, "key_id": key_id, "secret": secret, "now": now, **variables}


def fixed(scheme):
    usual = {
        "method": "GET",
        "path": "/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs/a%20b",
        "query": [],
        "headers": {},
        "body": b"",
        "host": "service.region.example.com",
        "token": None,
        "key_id": "QTWAOYTTINDUT2QVKYUC",
        "secret": "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc",
        "now": 1714566896,
    }
    cases = [
        ("get", {"query": [("limit", 2), ("name", "a b*~+/é"), ("ids", ["b", "a", ""]), ("all", True)]}, []),
        ("post", {"method": "POST", "headers": {"Content-Type": "application/json", "X-Stage": "RELEASE"}, "body": b'{"a":1}'}, ["body", "header.content-type", "header.x-stage"]),
        ("post-token", {"method": "POST", "headers": {"Content-Type": "application/json"}, "body": b"{}", "token": "a-temporary-token"}, ["body", "header.x-security-token"]),
        ("put-unsigned", {"method": "PUT", "headers": {"Content-Type": "text/plain"}, "body": b"hello"}, ["header.content-type", "header.x-sdk-content-sha256"]),
    ]
    lines = []
    for id, case, more in cases:
        line = signed(scheme, **{**usual, **case})
        covered = ["method", "host", "path", "query", "header.x-project-id", "header.x-sdk-date", "header.authorization", "secret"] + more
        covered += ["query.limit", "query.name", "query.all"] if case.get("query") else []
        opened = ["scheme", "header.x-other"]
        if id == "put-unsigned":
            # Whatever its digest, the body is not looked at, as long as there is one.
            opened += [f"body:{way}" for way in ("flipped", "shorter", "longer", "longer in front")]
            covered += ["body"]
        elif "body" not in covered:
            covered += ["body"]
        lines.append(vector(scheme, f"huawei-{id}", f"{SDK}, BasicCredentials.sign_request", covered, opened, line))
    return lines
