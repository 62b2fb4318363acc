"""Coinbase Prime, by Coinbase's library."""

import prime_sdk.client
from prime_sdk.client import Client
from prime_sdk.credentials import Credentials

import recorder

SDK = "prime-sdk-py==1.11.0"
SCHEMES = ["coinbase-prime"]


def sign(scheme, rng, hostile):
    key = {"key_id": hostile.word(rng), "secret": hostile.secret(rng)}
    method = rng.choice(["GET", "POST", "PUT", "DELETE"])
    # Of an empty object it signs nothing, and sends `{}`.
    body = None if method == "GET" else {**hostile.json(rng), "a": 1}
    query = hostile.query_string(rng, hostile.query(rng))
    return signed(key, method, f"/portfolios/{hostile.word(rng)}/orders", query, body, hostile.now(rng))


def signed(key, method, path, query, body, now):
    session = recorder.Recorder()
    client = Client(Credentials(key["key_id"], "pp", key["secret"]), session)
    recorder.clocked(prime_sdk.client, now, 0, lambda: client.request(method, path, query, body))
    return {**recorder.line(session.sent), **key, "vars": {"passphrase": "pp"}, "now": now}


def fixed(scheme):
    key = {"key_id": "ak1", "secret": "c2VjcmV0IG9mIHRoZSB0ZXN0"}
    names = ["header.x-cb-access-signature", "header.x-cb-access-timestamp"]
    return [
        {
            "id": f"prime-sdk-py-{id}",
            "source": f"{SDK}, Client.request",
            "expect": "verified",
            "covered": ["method", "path", "body", *names, "secret"],
            "open": ["scheme", "host", "query", "header.content-type", "key-id"],
            **signed(key, method, "/portfolios/3e1fe27e/orders", query, body, 1714566896),
        }
        for id, method, query, body in [
            ("list", "GET", "limit=5", None),
            ("order", "POST", "", {"product_id": "BTC-USD", "side": "BUY", "note": "é \" &"}),
        ]
    ]
