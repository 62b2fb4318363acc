"""Alibaba Cloud's current SDK for Python: all three styles, by its own client. `requests` gets what it would send.

aliyun-rpc and aliyun-roa are what the client does with `signature_algorithm = "v2"`. It has no form that carries the
credentials, so of aliyun-rpc-form it is `Utils.get_rpcsignature` that signs the parameters.
"""

from datetime import datetime, timezone
from urllib.parse import urlencode

from alibabacloud_tea_openapi import utils
from alibabacloud_tea_openapi.client import Client
from alibabacloud_tea_openapi.utils import Utils
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.runtime import RuntimeOptions
from wire import replaced, sent, vector

SDK = "alibabacloud-tea-openapi==0.4.6"
SCHEMES = ["aliyun-rpc", "aliyun-rpc-form", "aliyun-roa", "aliyun-acs3"]


def sign(scheme, rng, hostile):
    if scheme == "aliyun-rpc-form":
        query = hostile.distinct(hostile.query(rng))
        own = {name: value for name, value in hostile.form(rng) if name not in dict(query)}
        return in_form(query, own, hostile.host(rng), hostile.word(rng, 24), hostile.secret(rng), "%032x" % rng.getrandbits(128), hostile.now(rng))
    query = dict(hostile.query(rng))
    kind, body = rng.choice([("none", None), ("form", dict(hostile.form(rng))), ("json", hostile.json(rng))])
    # RPC has no other body than a form.
    if scheme == "aliyun-rpc" and kind == "json":
        kind, body = "form", dict(hostile.form(rng))
    if scheme == "aliyun-rpc" and kind == "form":
        # A name that is in the query and in the form is signed once.
        body = {name: value for name, value in body.items() if name not in query and name != "Action"}
    if scheme == "aliyun-roa" and kind == "form":
        kind, body = "json", hostile.json(rng)
    if scheme == "aliyun-acs3" and kind == "json" and rng.random() < 0.5:
        kind, body = "byte", hostile.body(rng)
    headers = {name.lower(): value for name, value in hostile.headers(rng)}
    headers |= {f"x-acs-{name[2:]}": value for name, value in headers.items() if rng.random() < 0.5}
    # `requests` trims no value, and neither does the SDK of ROA: none has white space around it.
    return signed(
        scheme,
        method=rng.choice(["GET", "POST", "PUT", "DELETE"]),
        path="/" if scheme == "aliyun-rpc" else path(rng, hostile),
        query=query,
        kind=kind,
        body=body,
        headers=headers,
        # Not with a port: the client appends `:80` to a host, and leaves it out where that is the port it has.
        endpoint=hostile.host(rng).partition(":")[0],
        key_id=hostile.word(rng, 24),
        secret=hostile.secret(rng),
        nonce="%032x" % rng.getrandbits(128),
        now=hostile.now(rng),
    )


def path(rng, hostile):
    # The SDK signs the path as it was given to it, and `requests` writes some characters anew on the way.
    return Utils.get_encode_path("/" + "/".join(hostile.segments(rng)))


def in_form(query, own, host, key_id, secret, nonce, now):
    form = {
        **own,
        "AccessKeyId": key_id,
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "SignatureNonce": nonce,
        "Timestamp": datetime.fromtimestamp(now, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    form["Signature"] = Utils.get_rpcsignature({**dict(query), **form}, "POST", secret)
    return {
        "method": "POST",
        "url": f"https://{host}/" + (f"?{urlencode(query)}" if query else ""),
        "headers": [["Content-Type", "application/x-www-form-urlencoded"]],
        "body": urlencode(form),
        "key_id": key_id,
        "secret": secret,
        "now": now,
    }


def signed(scheme, method, path, query, kind, body, headers, endpoint, key_id, secret, nonce, now):
    class Clock(datetime):
        @classmethod
        def utcnow(cls):
            return datetime.fromtimestamp(now, timezone.utc)

    version2 = scheme != "aliyun-acs3"
    config = Config(access_key_id=key_id, access_key_secret=secret, endpoint=endpoint, protocol="https", signature_algorithm="v2" if version2 else None)
    request = OpenApiRequest(query=query, body=body, headers=headers)
    client = Client(config)
    call = {
        "aliyun-rpc": lambda: client.do_rpcrequest("DescribeRegions", "2014-05-26", "https", method, "AK", "json", request, RuntimeOptions()),
        "aliyun-roa": lambda: client.do_roarequest("DescribeStacks", "2016-01-02", "https", method, "AK", path, "json", request, RuntimeOptions()),
        "aliyun-acs3": lambda: client.do_request(
            Params(
                action="RunInstances",
                version="2014-05-26",
                protocol="https",
                pathname=path,
                method=method,
                auth_type="AK",
                style="ROA",
                req_body_type={"form": "formData"}.get(kind, kind),
                body_type="json",
            ),
            request,
            RuntimeOptions(),
        ),
    }
    with replaced((utils, "datetime", Clock), (Utils, "get_nonce", staticmethod(lambda: nonce))):
        line = sent(call[scheme])
    return {**line, "key_id": key_id, "secret": secret, "now": now}


def fixed(scheme):
    if scheme == "aliyun-rpc-form":
        own = {"Action": "SendSms", "PhoneNumbers": "+8613900000000", "TemplateParam": '{"code":"1 & 2","name":"中文"}', "Empty": ""}
        line = in_form([("Version", "2017-05-25")], own, "dysmsapi.aliyuncs.com", "testid", "testsecret", "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf", 1714566896)
        covered = ["method", "query", "query.Version", "form", "form.Action", "form.TemplateParam", "form.Timestamp", "form.SignatureNonce", "form.Signature", "secret"]
        return [vector(scheme, "tea-openapi-form", f"{SDK}, Utils.get_rpcsignature", covered, ["scheme", "host", "path", "header.user-agent"], line)]
    usual = {
        "method": "GET",
        "path": "/" if scheme == "aliyun-rpc" else "/stacks/a%20b",
        "query": {},
        "kind": "none",
        "body": None,
        "headers": {},
        "endpoint": "ecs.cn-shanghai.aliyuncs.com",
        "key_id": "YourAccessKeyId",
        "secret": "YourAccessKeySecret",
        "nonce": "3156853299f313e23d1673dc12e1703d",
        "now": 1714566896,
    }
    form = {"kind": "form", "body": {"Name": "a b&c=d", "Tag": [{"Key": "k", "Value": "中文"}]}}
    json = {"kind": "json", "body": {"Name": "a b&c=d", "Size": 1}}
    cases = [("get", {"query": {"RegionId": "cn-shanghai", "Filter": "win2019 a*~+b/é", "Empty": ""}})]
    if scheme != "aliyun-roa":
        cases += [("post-form", {"method": "POST", **form})]
    if scheme != "aliyun-rpc":
        cases += [("post-json", {"method": "POST", "headers": {"x-acs-tag": "blue"}, **json})]
    common = {
        "aliyun-rpc": (["method", "query.Action", "query.Timestamp", "query.SignatureNonce", "query.Signature"], ["host", "path"]),
        "aliyun-roa": (["method", "path", "header.date", "header.accept", "header.content-type", "header.x-acs-action", "header.x-acs-extra", "header.authorization"], ["host"]),
        "aliyun-acs3": (["method", "host", "path", "body", "header.content-type", "header.x-acs-action", "header.x-acs-extra", "header.x-acs-date", "header.x-acs-content-sha256", "header.authorization"], []),
    }[scheme]
    lines = []
    for id, case in cases:
        line = signed(scheme, **{**usual, **case})
        covered, opened = common[0] + ["query", "secret"], common[1] + ["scheme"]
        # V3 signs every field that the client writes.
        (covered if scheme == "aliyun-acs3" else opened).append("header.user-agent")
        covered += [f"query.{name}" for name in case.get("query", {})]
        if scheme == "aliyun-rpc":
            covered += ["form", "form.Name", "form.Tag.1.Value"] if "body" in case else []
        if scheme == "aliyun-roa":
            # This client sends no Content-MD5.
            opened = opened + ["body"]
        lines.append(vector(scheme, f"tea-openapi-{id}", f"{SDK}, Client.do_{'rpcrequest' if scheme == 'aliyun-rpc' else 'roarequest' if scheme == 'aliyun-roa' else 'request'}", covered, opened, line))
    return lines
