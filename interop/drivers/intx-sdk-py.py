"""Coinbase International Exchange, by Coinbase's library."""

import base64

import intx_sdk.client
from intx_sdk.client import Client
from intx_sdk.credentials import Credentials

import recorder

SDK = "intx-sdk-py==0.3.0"
SCHEMES = ["coinbase-international"]


def sign(scheme, rng, hostile):
    key = {"key_id": hostile.word(rng), "secret": base64.b64encode(rng.randbytes(32)).decode()}
    method = rng.choice(["GET", "POST", "PUT", "DELETE"])
    # Of an empty object it signs nothing, and sends `{}`.
    body = None if method == "GET" else {**hostile.json(rng), "a": 1}
    query = hostile.query_string(rng, hostile.query(rng))
    return signed(key, method, f"/portfolios/{hostile.word(rng)}/orders", query, body, hostile.now(rng))


def signed(key, method, path, query, body, now):
    session = recorder.Recorder()
    client = Client(Credentials(key["key_id"], "pp", key["secret"]), session)
    recorder.clocked(intx_sdk.client, now, 0, lambda: client.request(method, path, query, body))
    return {**recorder.line(session.sent), **key, "vars": {"passphrase": "pp"}, "now": now}


def fixed(scheme):
    key = {"key_id": "ak1", "secret": "c2VjcmV0IG9mIHRoZSB0ZXN0"}
    return [
        {
            "id": f"intx-sdk-py-{id}",
            "source": f"{SDK}, Client.request",
            "expect": "verified",
            "covered": ["method", "path", "body", "header.cb-access-sign", "header.cb-access-timestamp", "secret"],
            "open": ["scheme", "host", "query", "header.content-type", "key-id"],
            **signed(key, method, "/orders", query, body, 1714566896),
        }
        for id, method, query, body in [
            ("list", "GET", "portfolio=p1", None),
            ("order", "POST", "", {"instrument": "BTC-PERP", "side": "BUY", "note": "é \" &"}),
        ]
    ]
