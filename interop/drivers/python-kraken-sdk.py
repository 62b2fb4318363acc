"""Kraken's API, by python-kraken-sdk: a form or JSON, and a nonce in units of ten nanoseconds."""

import base64

import kraken.base_api
from kraken.spot import SpotClient

import recorder

SDK = "python-kraken-sdk==3.5.1"
SCHEMES = ["kraken", "kraken-json"]


def sign(scheme, rng, hostile):
    key = {"key_id": base64.b64encode(rng.randbytes(42)).decode(), "secret": base64.b64encode(rng.randbytes(64)).decode()}
    found = hostile.json(rng) if scheme == "kraken-json" else dict(hostile.form(rng, 0))
    return signed(scheme, key, rng.choice(["Balance", "AddOrder", "Withdraw"]), found, hostile.now(rng))


def signed(scheme, key, method, found, now):
    client = SpotClient(key["key_id"], key["secret"])
    client.get_nonce = lambda: str(now * 100_000_000 + 12_345_678)
    session = recorder.Recorder()
    session.answer = b'{"result":{}}'
    client._SpotClient__session = session
    path = f"/0/private/{method}"
    client.request("POST", path, dict(found), do_json=scheme == "kraken-json")
    return {**recorder.line(session.sent), **key, "now": now}


def fixed(scheme):
    key = {
        "key_id": "zDJFBA9KVzwTLhDZ0eLgKYqTqUxKxSZyn0Nn4hQGkYcTKf1rDsPnXmVZ",
        "secret": "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg==",
    }
    member = "json" if scheme == "kraken-json" else "form"
    return [
        {
            "id": f"python-kraken-sdk-{id}",
            "source": f"{SDK}, SpotClient.request",
            "expect": "verified",
            "covered": ["path", "query", "body", member, f"{member}.nonce", "header.api-sign", "secret"],
            "open": ["method", "scheme", "host", "header.content-type", "key-id"],
            **signed(scheme, key, method, found, 1616492376),
        }
        for id, method, found in [
            ("batch", "AddOrderBatch", {"pair": "XBTUSD", "deadline": "2026-01-01T00:00:00Z", "note": "é \" &"}),
            ("balance", "Balance", {}),
        ]
    ]
