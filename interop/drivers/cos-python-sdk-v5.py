"""Tencent Cloud Object Storage, by its SDK for Python: requests that carry `CosS3Auth`, and presigned URLs."""

from types import SimpleNamespace
from urllib.parse import quote, unquote

import requests
from qcloud_cos import CosConfig, CosS3Client, cos_auth
from qcloud_cos.cos_auth import CosS3Auth
from wire import line as wired
from wire import replaced, vector

SDK = "cos-python-sdk-v5==1.9.44"
SCHEMES = ["tencent-cos", "tencent-cos-query"]


def sign(scheme, rng, hostile):
    key = unquote(hostile.path(rng)).lstrip("/") or "a"
    # A key that begins or continues with a dot segment is written with an encoded slash, which `requests` undoes.
    key = key.replace("./", "-/")
    params = hostile.distinct(hostile.query(rng))
    # The SDK keeps one of two names that are the same once encoded and in lower case.
    params = list({quote(name, safe="-_.~").lower(): (name, value) for name, value in params}.values())
    headers = [(f"x-cos-meta-{name[2:]}", value) for name, value in hostile.headers(rng)]
    headers += rng.choice([[], [("Content-Type", "text/plain; charset=utf-8")], [("Range", "bytes=0-9"), ("X-Other", "1")]])
    # Names that differ in case only are one field line for `requests`, but two for the SDK.
    headers = {name: value for name, value in {n.lower(): (n, v) for n, v in headers}.values()}
    return signed(
        scheme,
        method=hostile.method(rng),
        key=key,
        params=dict(params),
        headers=headers,
        body=hostile.body(rng),
        # The host that is signed is in lower case and without a port.
        host=hostile.host(rng).lower().partition(":")[0],
        expire=rng.randint(60, 3600),
        key_id=hostile.word(rng, 36),
        secret=hostile.secret(rng),
        now=hostile.now(rng),
    )


def signed(scheme, method, key, params, headers, body, host, expire, key_id, secret, now):
    config = CosConfig(SecretId=key_id, SecretKey=secret, Domain=host, Region="ap-guangzhou")
    with replaced((cos_auth, "time", SimpleNamespace(time=lambda: now))):
        if scheme == "tencent-cos":
            auth = CosS3Auth(config, key, params, expire)
            url = config.uri(bucket="bucket-1250000000", path=key)
            request = requests.Request(method, url, headers=headers, params=params, data=body, auth=auth)
        else:
            client = CosS3Client(config)
            url = client.get_presigned_url("bucket-1250000000", key, method, expire, params, headers)
            request = requests.Request(method, url, headers=headers, data=body)
        return {**wired(request.prepare()), "key_id": key_id, "secret": secret, "now": now}


def fixed(scheme):
    usual = {
        "method": "GET",
        "key": "folder/ex ample+1.txt",
        "params": {},
        "headers": {},
        "body": b"",
        "host": "bucket-1250000000.cos.ap-guangzhou.myqcloud.com",
        "expire": 600,
        "key_id": "AKIDEXAMPLE",
        "secret": "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
        "now": 1714566896,
    }
    cases = [
        ("get", {"params": {"response-content-type": "text/plain; charset=utf-8", "versionId": ""}}, []),
        ("put", {"method": "PUT", "headers": {"Content-Type": "text/plain", "x-cos-meta-author": "Zoe & co"}, "body": b"hello"}, ["header.content-type", "header.x-cos-meta-author"]),
        ("put-md5", {"method": "PUT", "headers": {"Content-MD5": "XUFAKrxLKna5cZ2REBfFkg=="}, "body": b"hello"}, ["header.content-md5", "body"]),
    ]
    lines = []
    for id, case, covered in cases:
        covered = covered + ["method", "path", "host", "query", "header.x-cos-acl", "secret"]
        opened = ["scheme", "header.user-agent"] + ([] if "body" in covered else ["body"])
        covered += [f"query.{name}" for name in case.get("params", {})]
        covered += ["header.authorization"] if scheme == "tencent-cos" else ["query.q-signature", "query.q-sign-time", "query.q-ak"]
        line = signed(scheme, **{**usual, **case})
        if scheme == "tencent-cos" and "body" in case:
            # Content-Length is signed; a server that frames by it would refuse another one. Changed lines keep it.
            covered += ["header.content-length"]
        lines.append(vector(scheme, f"cos-{id}", f"{SDK}, {'CosS3Auth' if scheme == 'tencent-cos' else 'get_presigned_url'}", covered, opened, line))
    return lines
