"""Alibaba Cloud's older SDK for Python, RPC and ROA, by its own client. Its ROA requests carry Content-MD5."""

import time as clock
from types import SimpleNamespace

from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest
from aliyunsdkcore.utils import parameter_helper
from aliyunsdkcore.vendored.requests import Session
from wire import replaced, sent, vector

SDK = "aliyun-python-sdk-core==2.16.1"
SCHEMES = ["aliyun-rpc", "aliyun-roa"]


def sign(scheme, rng, hostile):
    # An empty parameter is signed as `name=` here, as a bare name by the current SDK: see the scheme's known differences.
    query = {name: value for name, value in hostile.query(rng) if value or scheme == "aliyun-rpc"}
    form = dict(hostile.form(rng)) if rng.random() < 0.4 else {}
    if scheme == "aliyun-rpc":
        # A name that is in the query and in the form is signed once.
        form = {name: value for name, value in form.items() if name not in query and name != "Action"}
    return signed(
        scheme,
        method=rng.choice(["GET", "POST", "PUT", "DELETE"]),
        path="/" + "/".join(hostile.word(rng, 5) for _ in range(rng.randint(1, 3))),
        query=query,
        form=form,
        content=hostile.body(rng) if scheme == "aliyun-roa" and not form else b"",
        headers={f"x-acs-{name[2:].lower()}": value for name, value in hostile.headers(rng)} if scheme == "aliyun-roa" else {},
        endpoint=hostile.host(rng).partition(":")[0],
        key_id=hostile.word(rng, 24),
        secret=hostile.secret(rng),
        nonce="%032x" % rng.getrandbits(128),
        now=hostile.now(rng),
    )


def signed(scheme, method, path, query, form, content, headers, endpoint, key_id, secret, nonce, now):
    request = CommonRequest(domain=endpoint, version="2014-05-26", action_name="DescribeRegions")
    request.set_method(method)
    request.set_protocol_type("https")
    if scheme == "aliyun-roa":
        request.set_uri_pattern(path)
        # The older SDK leaves the nonce to whoever calls it.
        request.add_header("x-acs-signature-nonce", nonce)
    for name, value in query.items():
        request.add_query_param(name, value)
    for name, value in form.items():
        request.add_body_params(name, value)
    for name, value in headers.items():
        request.add_header(name, value)
    if content:
        request.set_content(content)
    client = AcsClient(key_id, secret, "cn-hangzhou", auto_retry=False)
    at = clock.gmtime(now)
    fixed_time = SimpleNamespace(gmtime=lambda: at, strftime=clock.strftime, time=lambda: now)
    with replaced((parameter_helper, "time", fixed_time), (parameter_helper, "get_uuid", lambda: nonce)):
        line = sent(lambda: client.do_action_with_exception(request), Session)
    return {**line, "key_id": key_id, "secret": secret, "now": now}


def fixed(scheme):
    usual = {
        "method": "GET",
        "path": "/stacks/name",
        "query": {},
        "form": {},
        "content": b"",
        "headers": {},
        "endpoint": "ecs.aliyuncs.com",
        "key_id": "testid",
        "secret": "testsecret",
        "nonce": "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf",
        "now": 1714566896,
    }
    if scheme == "aliyun-rpc":
        cases = [
            ("get", {"query": {"Tag": "a+b c*~/", "Empty": ""}}, ["query.Tag", "query.Empty"], ["body"]),
            ("post", {"method": "POST", "query": {"Limit": "1"}, "form": {"Name": "Zoë & co", "Size": "2"}}, ["query.Limit", "form", "form.Name"], []),
        ]
        covered, opened = ["method", "query.Timestamp", "query.SignatureNonce", "query.SignatureMethod", "query.Signature"], ["host", "path"]
    else:
        cases = [
            ("get", {"query": {"status": "COMPLETE", "name": "a b"}}, ["query.status", "query.name"], []),
            ("put", {"method": "PUT", "content": '{"a":"é"}'.encode(), "headers": {"x-acs-tag": "blue"}}, ["body", "header.content-md5", "header.content-type", "header.x-acs-tag"], []),
        ]
        covered, opened = ["method", "path", "header.date", "header.accept", "header.x-acs-signature-nonce", "header.x-acs-extra", "header.authorization"], ["host"]
    lines = []
    for id, case, more, less in cases:
        line = signed(scheme, **{**usual, **case})
        # RPC reads a body as a form, and refuses what is added to it.
        covered_here = covered + more + ["query", "secret"] + less
        lines.append(vector(scheme, f"sdk-core-{id}", f"{SDK}, AcsClient.do_action_with_exception", covered_here, opened + ["scheme", "header.user-agent"], line))
    return lines
