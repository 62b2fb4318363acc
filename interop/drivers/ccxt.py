"""Exchanges by ccxt, a library for all of them: those whose own libraries sign something else, or are no more."""

import base64

from ccxt import binance, coinbaseexchange

SDK = "ccxt==4.5.90"
SCHEMES = ["binance-body", "coinbase-exchange"]


def sign(scheme, rng, hostile):
    now, millis = hostile.now(rng), rng.randint(0, 999)
    key = {"key_id": hostile.word(rng), "secret": secret(scheme, rng.randbytes(32))}
    if scheme == "binance-body":
        return signed(scheme, key, rng.choice(["POST", "PUT"]), "order", dict(hostile.form(rng, 0)), now, millis)
    method = rng.choice(["GET", "POST", "PUT", "DELETE"])
    found = dict(hostile.query(rng)) if method == "GET" else hostile.json(rng)
    return signed(scheme, key, method, rng.choice(["accounts", "orders", "withdrawals/crypto"]), found, now, millis)


def secret(scheme, random):
    return base64.b64encode(random).decode() if scheme == "coinbase-exchange" else random.hex()


def signed(scheme, key, method, path, found, now, millis):
    exchange = {"binance-body": binance, "coinbase-exchange": coinbaseexchange}[scheme](
        {"apiKey": key["key_id"], "secret": key["secret"], "password": "pp"}
    )
    exchange.nonce = lambda: now * 1000 + millis if scheme == "binance-body" else now
    exchange.milliseconds = lambda: now * 1000 + millis
    sent = exchange.sign(path, ["private"], method, found)
    return {
        "method": method,
        "url": sent["url"],
        "headers": [[name, value] for name, value in sent["headers"].items()],
        "body": sent["body"] or "",
        **key,
        "vars": {"passphrase": "pp"} if scheme == "coinbase-exchange" else {},
        "now": now,
    }


def fixed(scheme):
    key = {"key_id": "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zv", "secret": secret(scheme, bytes(range(32)))}
    if scheme == "binance-body":
        cases = [
            ("order", "POST", "order", {"symbol": "LTCBTC", "side": "BUY", "quantity": "1", "price": "0.1"}),
            ("odd", "POST", "order", {"symbol": "A B", "note": "a&b=c%é", "empty": ""}),
        ]
        covered = ["query", "form", "form.symbol", "form.timestamp", "form.signature", "secret"]
        opened = ["method", "scheme", "host", "path", "header.content-type", "key-id"]
    else:
        cases = [
            ("accounts", "GET", "accounts", {"limit": "1", "note": "a&b=c%é"}),
            ("order", "POST", "orders", {"product_id": "BTC-USD", "side": "buy", "note": "é \" &"}),
        ]
        covered = ["method", "path", "query", "body", "header.cb-access-sign", "header.cb-access-timestamp", "secret"]
        opened = ["scheme", "host", "header.content-type", "key-id"]
    return [
        {
            "id": f"ccxt-{id}",
            "source": f"{SDK}, sign",
            "expect": "verified",
            "covered": covered,
            "open": opened,
            **signed(scheme, key, method, path, dict(found), 1714566896, 559),
        }
        for id, method, path, found in cases
    ]
