"""Qiniu, by its SDK for Python: both token forms as `requests` sends them, links to files; the SDK verifies callbacks."""

from datetime import datetime, timezone
from types import SimpleNamespace
from urllib.parse import unquote

import qiniu.auth
import requests
from qiniu import Auth, QiniuMacAuth
from qiniu.auth import QiniuMacRequestsAuth, RequestsAuth
from wire import line as wired
from wire import replaced, vector

SDK = "qiniu==7.18.0"
SCHEMES = ["qiniu", "qiniu-undated", "qiniu-qbox", "qiniu-download"]
FORM = "application/x-www-form-urlencoded"


def sign(scheme, rng, hostile):
    return signed(scheme, **parts(scheme, rng, hostile))


def unsigned(scheme, rng, hostile):
    made = parts(scheme, rng, hostile)
    request = requests.Request(made["method"], made["url"], headers=made["headers"], data=made["body"]).prepare()
    line = wired(request)
    variables = {"vars": {"ttl": "3600"}} if scheme == "qiniu-download" else {}
    return {**line, "key_id": made["key_id"], "secret": made["secret"], "now": made["now"], **variables}


def parts(scheme, rng, hostile):
    kind = rng.choice([FORM, FORM, "application/json", "application/octet-stream", "text/plain; charset=utf-8"])
    # The SDK decodes a body that it signs as UTF-8 text.
    body = hostile.body_text(rng)
    query = hostile.query_string(rng, hostile.query(rng), plus=True, bare=True)
    if scheme == "qiniu-download":
        query = "&".join(pair for pair in query.split("&") if pair.partition("=")[0] not in ("e", "token"))
    # Words of letters and digits: the SDK signs any other name as it is written.
    headers = {f"X-Qiniu-{name[2:].title()}": value for name, value in hostile.headers(rng) if "_" not in name}
    headers |= rng.choice([{}, {"X-Other": "1"}])
    return {
        "method": "GET" if scheme == "qiniu-download" else hostile.method(rng),
        # Not with a `;` in the path: see the schemes' known differences.
        "url": f"https://{hostile.host(rng)}{hostile.path(rng).replace(';', '%3B')}" + (f"?{query}" if query else ""),
        "headers": {**headers, **rng.choice([{}, {"Content-Type": kind}, {"Content-Type": kind}])},
        "body": body.encode(),
        "key_id": hostile.word(rng, 40),
        "secret": hostile.secret(rng),
        "now": hostile.now(rng),
    }


def signed(scheme, method, url, headers, body, key_id, secret, now):
    class Clock(datetime):
        @classmethod
        def utcnow(cls):
            return datetime.fromtimestamp(now, timezone.utc)

    with replaced((qiniu.auth, "datetime", Clock), (qiniu.auth, "time", SimpleNamespace(time=lambda: now))):
        if scheme == "qiniu-download":
            # The SDK signs the URL that it is given: so give it what `requests` would send.
            url = requests.Request(method, url).prepare().url
            request = requests.Request(method, Auth(key_id, secret).private_download_url(url), headers=headers)
        elif scheme == "qiniu-qbox":
            # The SDK reads Content-Type where there is a body, and knows one form without parameters only.
            if body and "Content-Type" not in headers:
                headers = {**headers, "Content-Type": FORM}
            request = requests.Request(method, url, headers=headers, data=text(body), auth=RequestsAuth(Auth(key_id, secret)))
        else:
            auth = QiniuMacAuth(key_id, secret, disable_qiniu_timestamp_signature=scheme == "qiniu-undated")
            request = requests.Request(method, url, headers=headers, data=body, auth=QiniuMacRequestsAuth(auth))
        return {**wired(request.prepare()), "key_id": key_id, "secret": secret, "now": now}


def text(body):
    # The older form appends the body to text; `requests` sends text as UTF-8.
    return body.decode()


def verify(scheme, line):
    if scheme == "qiniu-download":
        # The SDK makes links, and verifies none: what we put at the end must be what it would have put there.
        url, _, token = line["url"].partition("&token=")
        return unquote(token) == Auth(line["key_id"], line["secret"]).token(url)
    headers = dict(line["headers"])
    given = next(value for name, value in headers.items() if name.lower() == "authorization")
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), None)
    auth = Auth(line["key_id"], line["secret"])
    return auth.verify_callback(given, line["url"], line.get("body", ""), kind, line["method"], headers)


def fixed(scheme):
    usual = {
        "method": "POST",
        "url": "https://rs.qiniuapi.com/mkfile/sdf.jpg?s=er3&df",
        "headers": {},
        "body": b"name=test&language=go",
        "key_id": "abcdefghklmnopq",
        "secret": "1234567890",
        "now": 1714566896,
    }
    json = {"headers": {"Content-Type": "application/json", "X-Qiniu-Bbb": "BBB", "X-Qiniu-Aaa": "DDD"}, "body": '{"name":"Zoë"}'.encode()}
    stream = {"method": "PUT", "headers": {"Content-Type": "application/octet-stream"}, "body": b"\x00\x01"}
    cases = {
        "qiniu": [("form", {"headers": {"Content-Type": FORM}}), ("json", json), ("stream", stream)],
        "qiniu-undated": [("form", {"headers": {"Content-Type": FORM}}), ("json", json)],
        "qiniu-qbox": [("form", {"headers": {"Content-Type": FORM}}), ("get", {"method": "GET", "body": b""})],
        "qiniu-download": [("link", {"method": "GET", "url": "https://media.example.com/a%20b.jpg?imageView2/2/w/100&attname=x.jpg", "body": b""})],
    }[scheme]
    call = {"qiniu-qbox": "RequestsAuth", "qiniu-download": "Auth.private_download_url"}.get(scheme, "QiniuMacRequestsAuth")
    lines = []
    for id, case in cases:
        line = signed(scheme, **{**usual, **case})
        covered, opened = ["path", "query", "secret"], ["header.user-agent"]
        if scheme == "qiniu-download":
            covered += ["method:POST", "host", "scheme", "query.e", "query.token", "query.attname"]
            opened += ["body"]
        elif scheme == "qiniu-qbox":
            covered += ["header.authorization"] + (["form.name", "body", "header.content-type"] if id == "form" else [])
            opened += ["method", "host", "scheme"] + (["body"] if id == "get" else [])
        else:
            covered += ["method", "host", "header.content-type", "header.x-qiniu-extra", "header.authorization"]
            covered += ["header.x-qiniu-date"] if scheme == "qiniu" else []
            covered += ["header.x-qiniu-aaa"] if id == "json" else []
            (opened if id == "stream" else covered).append("body")
            opened += ["scheme", "header.x-other"]
        lines.append(vector(scheme, f"qiniu-{id}", f"{SDK}, {call}", covered, opened, line))
    return lines
