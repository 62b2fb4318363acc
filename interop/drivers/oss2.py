"""Alibaba Cloud Object Storage, by its SDK for Python: `Bucket` builds, signs and sends; V1 and V4, fields and links."""

from datetime import datetime, timezone
from types import SimpleNamespace

import oss2
import requests
from oss2 import auth as oss2_auth
from wire import line as wired
from wire import replaced, sent, vector

SDK = "oss2==2.19.1"
SCHEMES = ["aliyun-oss-v1", "aliyun-oss-v1-x-date", "aliyun-oss-v1-query", "aliyun-oss-v4", "aliyun-oss-v4-query"]
# Of those that V1 signs.
SIGNED = ["acl", "uploadId", "partNumber", "response-content-type", "versionId", "x-oss-process", "callback-var", "tagging"]


def sign(scheme, rng, hostile):
    params = dict(hostile.query(rng))
    params |= {rng.choice(SIGNED): hostile.value(rng) for _ in range(rng.randint(0, 3))}
    headers = {f"x-oss-{name[2:].lower()}": value for name, value in hostile.headers(rng)}
    headers |= rng.choice([{}, {"Content-Type": "text/plain; charset=utf-8"}, {"X-Other": "1"}])
    return signed(
        scheme,
        method=hostile.method(rng),
        bucket=rng.choice(["bucket", "a-b-1", ""]),
        # A key may hold slashes, which the SDK encodes in URLs that it sends itself.
        key="/".join(hostile.segments(rng)) or "a",
        params=params,
        headers=headers,
        # Names with different first letters: see the schemes' known differences.
        additional=rng.choice([None, None, ["host-hint", "range"], ["accept-language"]]) if "v4" in scheme else None,
        body=hostile.body(rng),
        expires=rng.randint(60, 3600),
        token=rng.choice(["", hostile.word(rng, 30)]),
        key_id=hostile.word(rng, 24),
        secret=hostile.secret(rng),
        now=hostile.now(rng),
    )


def signed(scheme, method, bucket, key, params, headers, additional, body, expires, token, key_id, secret, now):
    class Clock(datetime):
        @classmethod
        def utcnow(cls):
            return datetime.fromtimestamp(now, timezone.utc)

    version = "v4" if "v4" in scheme else "v1"
    if not bucket:
        key = ""
    headers = {**headers, **{name: "1" for name in additional or []}}
    credentials = oss2.StsAuth(key_id, secret, token, auth_version=version) if token else oss2.make_auth(key_id, secret, version)
    service = oss2.Service(credentials, "https://oss-cn-hangzhou.aliyuncs.com", region="cn-hangzhou")
    service.product = "oss"
    request = oss2.http.Request(method, service._make_url(bucket, key), data=body, params=dict(params), headers=headers, region="cn-hangzhou", product="oss")
    signer = getattr(credentials, "_StsAuth__auth", credentials)
    extra = [additional] if version == "v4" else []
    at = SimpleNamespace(time=lambda: now)
    date = lambda timeval=None: datetime.fromtimestamp(now, timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")  # noqa: E731
    with replaced((oss2_auth, "time", at), (oss2_auth, "datetime", Clock), (oss2.utils, "http_date", date)):
        if scheme.endswith("-query"):
            url = signer._sign_url(request, bucket, key, expires, *extra)
            # The SDK keeps the time in a field `date`, which is not sent.
            sending = {name: value for name, value in request.headers.items() if name != "date" and value is not None}
            line = wired(requests.Request(method, url, data=body, headers=sending).prepare())
        else:
            if scheme.endswith("-x-date"):
                request.headers["x-oss-date"] = date()
            signer._sign_request(request, bucket, key, *extra)
            if scheme.endswith("-x-date"):
                # As in browsers, which let nobody set it.
                del request.headers["date"]
            line = sent(lambda: oss2.http.Session().do_request(request, 1))
    return {**line, "key_id": key_id, "secret": secret, "now": now, "vars": {"bucket": bucket, "region": "cn-hangzhou", "service": "oss"}}


def fixed(scheme):
    usual = {
        "method": "GET",
        "bucket": "bucket",
        "key": "folder/ex ample+1.txt",
        "params": {},
        "headers": {},
        "additional": None,
        "body": b"",
        "expires": 600,
        "token": "",
        "key_id": "LTAIEXAMPLE",
        "secret": "OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV",
        "now": 1714566896,
    }
    put = {"method": "PUT", "headers": {"Content-Type": "text/plain", "x-oss-meta-author": "alice"}, "body": b"hello"}
    cases = [
        ("get", {"params": {"response-content-type": "text/plain; charset=utf-8", "acl": ""}}),
        ("put", put),
        ("put-token", {**put, "token": "a-temporary-token"}),
    ]
    version4, link = "v4" in scheme, scheme.endswith("-query")
    if version4:
        cases += [("get-additional", {"additional": ["range", "x-tag"], "params": {"other": "1"}})]
    lines = []
    for id, case in cases:
        line = signed(scheme, **{**usual, **case})
        covered = ["method", "path", "header.x-oss-acl", "secret", "var.bucket"]
        opened = ["scheme", "host", "header.user-agent", "body"]
        covered += [f"query.{name}" for name in case.get("params", {})]
        covered += [f"header.{name.lower()}" for name in case.get("headers", {})] + [f"header.{name}" for name in case.get("additional") or []]
        (covered if version4 else opened).append("query")
        if link:
            covered += ["query.x-oss-signature", "query.x-oss-expires", "query.x-oss-date", "query.x-oss-credential"] if version4 else ["query.Signature", "query.Expires", "query.OSSAccessKeyId"]
        else:
            covered += ["header.authorization"] + (["header.x-oss-date", "header.x-oss-content-sha256"] if version4 else ["header.x-oss-date" if scheme.endswith("-x-date") else "header.date"])
        if "token" in case:
            covered += [("query.x-oss-security-token" if version4 else "query.security-token") if link else "header.x-oss-security-token"]
        lines.append(vector(scheme, f"oss2-{id}", f"{SDK}, {'_sign_url' if link else '_sign_request'}", covered, opened, line))
    return lines
