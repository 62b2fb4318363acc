"""Huawei Cloud's SDK core for Python with the algorithms that a client may choose: SM3, SM2, and ECDSA on P-256."""

from datetime import datetime, timezone
from urllib.parse import parse_qsl, quote

import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.algorithm import SigningAlgorithm
from huaweicloudsdkcore.signer.signer import SM2SM3Signer
from wire import line as wired
from wire import vector

SDK = "huaweicloudsdkcore==3.1.219"
SCHEMES = ["huawei-sdk-hmac-sm3", "huawei-sdk-sm2", "huawei-sdk-ecdsa-p256"]

ALGORITHMS = {
    "huawei-sdk-hmac-sm3": SigningAlgorithm.HMAC_SM3,
    "huawei-sdk-sm2": SigningAlgorithm.SM2_SM3,
    "huawei-sdk-ecdsa-p256": SigningAlgorithm.ECDSA_P256_SHA256,
}
STAMP = "%Y%m%dT%H%M%SZ"


def sign(scheme, rng, hostile):
    types = [{}, {"Content-Type": "application/json"}, {"Content-Type": "text/plain"}]
    return signed(
        scheme,
        method=hostile.method(rng),
        path="/" + "/".join(quote(part, safe="") for part in hostile.segments(rng)),
        query=hostile.distinct(hostile.query(rng)),
        headers=dict(hostile.headers(rng)) | rng.choice(types),
        body=hostile.body(rng),
        host=hostile.host(rng),
        now=hostile.now(rng),
        **credentials(scheme, rng, hostile),
    )


def credentials(scheme, rng, hostile):
    while True:
        key_id, secret = hostile.word(rng, 20), hostile.secret(rng)
        if scheme != "huawei-sdk-sm2":
            break
        # The SDK drops zeros in front of a coordinate where it digests the public key, for one key of 128: SM2 pads it.
        x, y = SM2SM3Signer(BasicCredentials(key_id, secret, "p")).get_signing_key()._public_key
        if min(x, y) >> 248:
            break
    return {"key_id": key_id, "secret": secret}


def signed(scheme, method, path, query, headers, body, host, key_id, secret, now):
    headers = {**headers, "X-Sdk-Date": datetime.fromtimestamp(now, timezone.utc).strftime(STAMP)}
    request = SdkRequest(
        method=method,
        schema="https",
        host=host,
        resource_path=path,
        query_params=query,
        header_params=headers,
        body=body,
        signing_algorithm=ALGORITHMS[scheme],
    )
    BasicCredentials(key_id, secret, "77b6a44cba5143ab91d13ab9a8ff44fd").sign_request(request)
    # As `HttpClient.do_request_sync` hands it on.
    line = wired(requests.Request(method, request.url, headers=request.header_params, data=request.body).prepare())
    return {**line, "key_id": key_id, "secret": secret, "now": now}


def unsigned(scheme, rng, hostile):
    query = hostile.query_string(rng, hostile.distinct(hostile.query(rng)))
    return {
        "method": hostile.method(rng),
        "url": f"https://example.com{hostile.path(rng)}" + (f"?{query}" if query else ""),
        "headers": [["Content-Type", "application/json"], *([n, v] for n, v in hostile.headers(rng) if "_" not in n)],
        "body": hostile.json_text(rng),
        "now": hostile.now(rng),
        **credentials(scheme, rng, hostile),
    }


def verify(scheme, line):
    """The SDK's signer makes the text to sign anew, and its key, which can verify, judges the signature over it."""
    fields = {name.lower(): value for name, value in line["headers"]}
    _, _, rest = fields["authorization"].partition("SignedHeaders=")
    listed, _, signature = rest.partition(", Signature=")
    target = line["url"].removeprefix("https://example.com")
    path, _, query = target.partition("?")
    request = SdkRequest(
        method=line["method"],
        schema="https",
        host="example.com",
        resource_path=path,
        query_params=parse_qsl(query, keep_blank_values=True),
        header_params={name: fields.get(name, "example.com") for name in listed.split(";")},
        body=line["body"].encode(),
    )
    signer = BasicCredentials._SIGNER_CASE[ALGORITHMS[scheme]](BasicCredentials(line["key_id"], line["secret"], "p"))
    canonical = signer._process_canonical_request(request, listed.split(";"))
    text = signer._process_string_to_sign(canonical, datetime.strptime(fields["x-sdk-date"], STAMP))
    if scheme == "huawei-sdk-hmac-sm3":
        return signer._sign_string_to_sign(text, line["secret"]) == signature
    try:
        return signer.get_signing_key().verify(bytes.fromhex(signature), text.encode())
    except Exception:  # What is no DER is no signature.
        return False


def fixed(scheme):
    usual = {
        "method": "GET",
        "path": "/v1/77b6a44cba5143ab91d13ab9a8ff44fd/vpcs/a%20b",
        "query": [],
        "headers": {},
        "body": b"",
        "host": "service.region.example.com",
        "key_id": "QTWAOYTTINDUT2QVKYUC",
        "secret": "MFyfvK41ba2giqM7Uio6PznpdUKGpownRZlmVmHc",
        "now": 1714566896,
    }
    cases = [
        ("get", {"query": [("limit", 2), ("name", "a b*~+/é")]}, ["query.limit", "query.name"]),
        ("post", {"method": "POST", "headers": {"Content-Type": "application/json", "X-Stage": "RELEASE"}, "body": b'{"a":1}'}, ["header.content-type", "header.x-stage"]),
    ]
    covered = ["method", "host", "path", "query", "body", "header.x-sdk-date", "header.authorization", "secret"]
    source = f"{SDK}, BasicCredentials.sign_request"
    # The pair is made of the access key, too.
    key_id = ("covered", ["key-id"]) if scheme != "huawei-sdk-hmac-sm3" else ("open", ["key-id"])
    lines = []
    for id, case, more in cases:
        opened = ["scheme", "header.x-other"]
        of = {"covered": covered + more, "open": opened}
        of[key_id[0]] = of[key_id[0]] + key_id[1]
        lines.append(vector(scheme, f"huawei-{id}", source, of["covered"], of["open"], signed(scheme, **{**usual, **case})))
    return lines
