"""Kraken's API, by krakenex: a form, and a nonce in milliseconds."""

import base64

import krakenex
import krakenex.api

import recorder

SDK = "krakenex==2.2.2"
SCHEMES = ["kraken", "kraken-ms"]
QUICK = True


def sign(scheme, rng, hostile):
    key = {"key_id": base64.b64encode(rng.randbytes(42)).decode(), "secret": base64.b64encode(rng.randbytes(64)).decode()}
    found = dict(hostile.form(rng, 0))
    return signed(key, rng.choice(["Balance", "AddOrder", "Withdraw"]), found, hostile.now(rng), rng.randint(0, 999))


def signed(key, method, found, now, millis):
    api = krakenex.API(key["key_id"], key["secret"])
    api.session = recorder.Recorder()
    recorder.clocked(krakenex.api, now, millis, lambda: api.query_private(method, found))
    return {**recorder.line(api.session.sent), **key, "now": now}


def fixed(scheme):
    key = {
        "key_id": "zDJFBA9KVzwTLhDZ0eLgKYqTqUxKxSZyn0Nn4hQGkYcTKf1rDsPnXmVZ",
        "secret": "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg==",
    }
    lines = []
    for id, method, found in [
        ("order", "AddOrder", {"ordertype": "limit", "pair": "XBTUSD", "price": "37500", "type": "buy", "volume": "1.25"}),
        ("odd", "Withdraw", {"asset": "XBT", "key": "a b&c=d%é", "amount": ""}),
    ]:
        line = signed(key, method, dict(found), 1616492376, 594)
        lines.append(
            {
                "id": f"krakenex-{id}",
                "source": f"{SDK}, API.query_private",
                "expect": "verified",
                "covered": ["path", "query", "body", "form", "form.nonce", "header.api-sign", "secret"],
                "open": ["method", "scheme", "host", "header.content-type", "key-id"],
                **line,
            }
        )
    return lines
