"""Baidu AI Cloud, by its SDK for Python: `bce_http_client.send_request`, which has no `requests`, up to its socket."""

from baidubce import utils
from baidubce.auth import bce_v1_signer
from baidubce.auth.bce_credentials import BceCredentials
from baidubce.bce_client_configuration import BceClientConfiguration
from baidubce.http import bce_http_client
from baidubce.protocol import HTTPS
from baidubce.retry.retry_policy import NoRetryPolicy
from wire import Sent, body as member
from wire import replaced, vector

SDK = "bce-python-sdk==0.9.79"
ALSO = ["requests==2.34.2"]
SCHEMES = ["baidu-bce-v1"]


def sign(scheme, rng, hostile):
    headers = {f"x-bce-{name[2:].lower()}": value for name, value in hostile.headers(rng)}
    headers |= rng.choice([{}, {"content-type": "text/plain; charset=utf-8"}, {"range": "bytes=0-9", "x-other": "1"}])
    # Names are sorted here; the SDK writes them as they are given. Field names that are absent are passed over there.
    listed = sorted({"host", *headers} & {"host", "range", "content-type", *(n for n in headers if n.startswith("x-bce-"))})
    return signed(
        method=hostile.method(rng),
        segments=hostile.segments(rng),
        # The SDK signs a parameter `authorization`, which the documentation leaves out: not tried.
        params=dict(hostile.query(rng)),
        headers=headers,
        listed=rng.choice([None, listed]),
        body=hostile.body(rng),
        host=hostile.host(rng).lower(),
        lifetime=rng.randint(60, 3600),
        key_id=hostile.word(rng, 32),
        secret=hostile.secret(rng),
        now=hostile.now(rng),
    )


def signed(method, segments, params, headers, listed, body, host, lifetime, key_id, secret, now):
    encode = lambda text: text.encode()  # noqa: E731
    config = BceClientConfiguration(BceCredentials(key_id, secret), host, HTTPS, retry_policy=NoRetryPolicy(), connection_timeout_in_mills=1)

    def signer(credentials, method, path, headers, params):
        return bce_v1_signer.sign(credentials, method, path, headers, params, now, lifetime, listed and [encode(name) for name in listed])

    def take(conn, method, uri, headers, body, size):
        raise Sent((method, uri, headers, body))

    moment = utils.get_canonical_time
    fields = {encode(name): encode(value) for name, value in headers.items()}
    path = utils.append_uri(b"/", "/".join(segments))
    with replaced((bce_http_client, "_send_http_request", take), (utils, "get_canonical_time", lambda time=0: moment(now))):
        try:
            bce_http_client.send_request(config, signer, [], encode(method), path, body, fields, dict(params))
        except Sent as stopped:
            method, uri, fields, body = stopped.request
    text = lambda value: value.decode() if isinstance(value, bytes) else str(value)  # noqa: E731
    return {
        "method": text(method),
        "url": f"https://{host}{text(uri)}",
        "headers": [[text(name), text(value)] for name, value in fields.items()],
        **member(body),
        "key_id": key_id,
        "secret": secret,
        "now": now,
        "vars": {"lifetime": str(lifetime)},
    }


def fixed(scheme):
    usual = {
        "method": "GET",
        "segments": ["v1", "bucket", "ex ample+1.txt"],
        "params": {},
        "headers": {},
        "listed": None,
        "body": b"",
        "host": "bj.bcebos.com",
        "lifetime": 1800,
        "key_id": "0b0f67dfb88244b289b72b142befad0c",
        "secret": "bad522c2126a4618a8125f4b6cf6356f",
        "now": 1714566896,
    }
    md5 = "XUFAKrxLKna5cZ2REBfFkg=="
    put = {"method": "PUT", "body": b"hello"}
    cases = [
        ("get", {"params": {"partNumber": "9", "text": "a b*~+/é", "acl": ""}}, ["query.partNumber", "query.text", "header.x-bce-acl"], ["header.range", "body"]),
        ("put", {**put, "headers": {"content-type": "text/plain", "x-bce-meta-a": "blue & green"}}, ["header.content-type", "header.x-bce-meta-a"], ["body"]),
        ("put-md5", {**put, "headers": {"content-md5": md5}}, ["header.content-md5", "body"], []),
        ("put-listed", {**put, "headers": {"content-md5": md5, "range": "bytes=0-9"}, "listed": ["content-md5", "host", "range", "x-bce-date"]}, ["header.content-md5", "header.range", "body"], ["header.content-type"]),
    ]
    lines = []
    for id, case, more, less in cases:
        line = signed(**{**usual, **case})
        covered = ["method", "host", "path", "query", "header.x-bce-date", "header.authorization", "secret"] + more
        lines.append(vector(scheme, f"bce-{id}", f"{SDK}, bce_http_client.send_request", covered, ["scheme", "header.user-agent"] + less, line))
    return lines
