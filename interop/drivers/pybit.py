"""Bybit's API, version 5, by the library that Bybit recommends.

Known differences: it signs the query of a GET as it joins it, unencoded, and requests encodes it on the way; so values
that would have to be encoded are refused, by Bybit too. The driver sends none.
"""

import pybit._helpers
from Crypto.PublicKey import RSA
from pybit.unified_trading import HTTP

import recorder

SDK = "pybit==5.17.0"
ALSO = ["pycryptodome==4.4.0"]
SCHEMES = ["bybit-v5", "bybit-v5-rsa"]

# Making an RSA key takes a second; a few will do.
RSA_KEYS = []


def sign(scheme, rng, hostile):
    key = {"key_id": hostile.word(rng, 18)}
    if scheme == "bybit-v5-rsa":
        if len(RSA_KEYS) < 2:
            RSA_KEYS.append(RSA.generate(2048, randfunc=rng.randbytes))
        pair = rng.choice(RSA_KEYS)
        key["public_key"] = pair.public_key().export_key().decode()
        secret = pair.export_key().decode()
    else:
        key["secret"] = secret = hostile.word(rng, 36)
    now, millis, path = hostile.now(rng), rng.randint(0, 999), rng.choice(["/v5/order/create", "/v5/order/realtime"])
    if rng.random() < 0.5:
        words = {hostile.word(rng, 4): hostile.word(rng, rng.randint(1, 20)) for _ in range(rng.randint(0, 4))}
        return signed(key, secret, "GET", path, words, now, millis)
    return signed(key, secret, "POST", path, hostile.json(rng), now, millis)


def signed(key, secret, method, path, found, now, millis):
    client = HTTP(api_key=key["key_id"], api_secret=secret, rsa_authentication="BEGIN" in secret)
    session = recorder.Recorder()
    session.headers = client.client.headers
    client.client = session
    recorder.clocked(
        pybit._helpers, now, millis, lambda: client._submit_request(method, f"https://api.bybit.com{path}", found, True)
    )
    return {**recorder.line(session.sent), **key, "now": now}


def fixed(scheme):
    from pathlib import Path

    keys = Path(__file__).resolve().parents[2] / "vectors/keys"
    key = {"key_id": "XXXXXXXXXX"}
    if scheme == "bybit-v5-rsa":
        secret = (keys / "rsa.pem").read_text()
        key["public_key"] = (keys / "rsa.pub.pem").read_text()
    else:
        key["secret"] = secret = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
    lines = []
    for id, method, found in [
        ("list", "GET", {"category": "option", "symbol": "BTC-29JUL22-25000-C"}),
        ("order", "POST", {"category": "linear", "symbol": "BTCUSDT", "qty": "1", "note": "é \" &"}),
    ]:
        query = ["query.symbol"] if method == "GET" else []
        names = [f"header.x-bapi-{name}" for name in ("sign", "timestamp", "recv-window", "api-key")]
        lines.append(
            {
                "id": f"pybit-{id}",
                "source": f"{SDK}, HTTP._submit_request",
                "expect": "verified",
                "covered": ["query", *query, "body", *names, "key-id", "secret"],
                "open": ["method", "scheme", "host", "path", "header.content-type", "header.x-bapi-sign-type"],
                **signed(key, secret, method, "/v5/order/realtime", found, 1658384314, 791),
            }
        )
    return lines
