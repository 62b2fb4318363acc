"""Tencent Cloud API 3.0, by its SDK for Python: the client builds and sends, the clock and the boundary are ours."""

from types import SimpleNamespace

from tencentcloud.common import abstract_client, credential
from tencentcloud.common.abstract_client import AbstractClient
from tencentcloud.common.http.request import RequestInternal
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from wire import replaced, sent, vector

SDK = "tencentcloud-sdk-python-common==3.1.195"
SCHEMES = ["tencent-tc3"]


def sign(scheme, rng, hostile):
    method = rng.choice(["GET", "POST"])
    kind = rng.choice(["", "", "IsMultipart", "IsOctetStream"]) if method == "POST" else ""
    params = flat(rng, hostile) if kind == "IsMultipart" or method == "GET" else hostile.json(rng)
    return signed(
        service=rng.choice(["cvm", "cbs", "tke", "s_1"]),
        method=method,
        params=hostile.body(rng) if kind == "IsOctetStream" else params,
        kind=kind,
        # Not `hostile.host`: the SDK signs a host with capitals as it is, see the scheme's known differences.
        endpoint=hostile.host(rng).lower(),
        region=rng.choice(["", "ap-guangzhou"]),
        language=rng.choice(["zh-CN", "en-US"]),
        token=rng.choice(["", hostile.word(rng, 40)]),
        unsigned=rng.random() < 0.15,
        key_id=hostile.word(rng, 36),
        secret=hostile.secret(rng),
        now=hostile.now(rng),
        boundary="%032x" % rng.getrandbits(128),
    )


def flat(rng, hostile):
    # A name goes into a multipart head as it is: one with quotes or line ends makes no body that anybody reads.
    return {name.replace('"', "").replace("\r", "").replace("\n", "") or "a": value for name, value in hostile.form(rng)}


def signed(service, method, params, kind, endpoint, region, language, token, unsigned, key_id, secret, now, boundary):
    class Client(AbstractClient):
        _apiVersion = "2017-03-12"
        _service = service

    profile = ClientProfile(httpProfile=HttpProfile(reqMethod=method, endpoint=endpoint), language=language)
    profile.unsignedPayload = unsigned
    client = Client(credential.Credential(key_id, secret, token), region, profile)
    request = RequestInternal(endpoint, method, "/")
    if kind == "IsOctetStream":
        request.data = params
    clock = SimpleNamespace(time=lambda: now)
    with replaced((abstract_client, "time", clock), (abstract_client, "uuid", SimpleNamespace(uuid4=lambda: SimpleNamespace(hex=boundary)))):
        client._build_req_inter("DescribeInstances", params, request, {kind: True} if kind else None)
        line = sent(lambda: client.request.send_request(request))
    return {**line, "key_id": key_id, "secret": secret, "now": now, "vars": {"service": service}}


def fixed(scheme):
    usual = {
        "service": "cvm",
        "kind": "",
        "endpoint": "cvm.tencentcloudapi.com",
        "region": "ap-guangzhou",
        "language": "zh-CN",
        "token": "",
        "unsigned": False,
        "key_id": "AKIDEXAMPLE",
        "secret": "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
        "now": 1714566896,
        "boundary": "0123456789abcdef0123456789abcdef",
    }
    cases = [
        ("get", {"method": "GET", "params": {"Limit": 1, "Filters": [{"Name": "zone name", "Values": ["a+b", "中文", ""]}]}}),
        ("post-json", {"method": "POST", "params": {"Limit": 1, "Name": "Zoë & co"}}),
        ("post-token", {"method": "POST", "params": {}, "token": "a-temporary-token"}),
        ("post-multipart", {"method": "POST", "params": {"File": "content"}, "kind": "IsMultipart"}),
        ("post-unsigned", {"method": "POST", "params": {"Limit": 1}, "unsigned": True}),
    ]
    lines = []
    for id, case in cases:
        line = signed(**{**usual, **case})
        covered = ["method", "host", "path", "query", "header.content-type", "header.x-tc-timestamp"]
        covered += ["header.authorization", "secret"]
        # The SDK signs two fields.
        opened = ["scheme", "header.x-tc-action", "header.x-tc-version", "header.x-tc-region", "header.x-tc-token"]
        if case.get("unsigned"):
            covered += ["header.x-tc-content-sha256"]
            opened += ["body"]
        else:
            covered += ["body"]
        lines.append(vector(scheme, f"tencentcloud-{id}", f"{SDK}, AbstractClient._build_req_inter", covered, opened, line))
    return lines
