"""Binance's API, by Binance's own connector: everything in the query."""

import binance.lib.utils
from binance.api import API
from Crypto.PublicKey import ECC, RSA

import recorder

SDK = "binance-connector==3.13.0"
ALSO = ["pycryptodome==4.4.0"]
SCHEMES = ["binance", "binance-rsa", "binance-ed25519"]

# Making an RSA key takes a second; a few will do.
RSA_KEYS = []


def sign(scheme, rng, hostile):
    line, secret = keyed(scheme, rng, hostile)
    parameters = dict(hostile.query(rng))
    return signed(line, secret, rng.choice(["GET", "POST", "PUT", "DELETE"]), path(rng), parameters, hostile.now(rng), rng.randint(0, 999))


def path(rng):
    return rng.choice(["/api/v3/order", "/sapi/v1/capital/withdraw/apply", "/fapi/v2/balance"])


def keyed(scheme, rng, hostile):
    """A line with a key for the verifier, and the key for the SDK."""
    line = {"key_id": hostile.word(rng, 64)}
    if scheme == "binance":
        secret = hostile.word(rng, 64)
        return {**line, "secret": secret}, secret
    if scheme == "binance-ed25519":
        pair = ECC.construct(curve="ed25519", seed=rng.randbytes(32))
        return {**line, "public_key": pair.public_key().export_key(format="PEM")}, pair.export_key(format="PEM")
    if len(RSA_KEYS) < 2:
        RSA_KEYS.append(RSA.generate(2048, randfunc=rng.randbytes))
    pair = rng.choice(RSA_KEYS)
    return {**line, "public_key": pair.public_key().export_key().decode()}, pair.export_key(pkcs=8).decode()


def signed(line, secret, method, path, parameters, now, millis):
    pem = secret if "BEGIN" in secret else None
    api = API(line["key_id"], None if pem else secret, base_url="https://api.binance.com", private_key=pem)
    headers = api.session.headers
    api.session = recorder.Recorder()
    api.session.headers = headers
    recorder.clocked(binance.lib.utils, now, millis, lambda: api.sign_request(method, path, parameters))
    return {**line, **recorder.line(api.session.sent), "now": now}


def fixed(scheme):
    from pathlib import Path

    keys = Path(__file__).resolve().parents[2] / "vectors/keys"
    name = {"binance": None, "binance-rsa": "rsa", "binance-ed25519": "ed25519"}[scheme]
    secret = (keys / f"{name}.pem").read_text() if name else "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
    half = {"public_key": (keys / f"{name}.pub.pem").read_text()} if name else {"secret": secret}
    key = {"key_id": "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A", **half}
    lines = []
    for id, method, found in [
        ("order", "POST", {"symbol": "LTCBTC", "side": "BUY", "quantity": "1", "price": "0.1", "recvWindow": "5000"}),
        ("odd", "GET", {"symbol": "A B", "note": "a&b=c%é", "empty": ""}),
    ]:
        line = signed(key, secret, method, "/api/v3/order", dict(found), 1499827319, 559)
        lines.append(
            {
                "id": f"binance-connector-{id}",
                "source": f"{SDK}, API.sign_request",
                "expect": "verified",
                "covered": ["query", "query.symbol", "query.timestamp", "query.signature", "body", "secret"],
                "open": ["method", "scheme", "host", "path", "header.content-type", "key-id"],
                **line,
            }
        )
    return lines
