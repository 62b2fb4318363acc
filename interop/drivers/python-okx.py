"""OKX's API, by the library that OKX recommends.

Known differences: it signs the query of a GET as it joins it, unencoded, and httpx encodes it on the way; so values
that would have to be encoded are refused, by OKX too. The driver sends none.
"""

import okx.utils
from okx.okxclient import OkxClient

SDK = "python-okx==0.4.4"
SCHEMES = ["okx"]


def sign(scheme, rng, hostile):
    key = {"key_id": hostile.word(rng), "secret": hostile.secret(rng), "passphrase": hostile.word(rng)}
    now = hostile.now(rng)
    if rng.random() < 0.5:
        words = {hostile.word(rng, 4): hostile.word(rng, rng.randint(1, 20)) for _ in range(rng.randint(0, 4))}
        return signed(key, "GET", path(rng), words, now, rng.randint(0, 999))
    return signed(key, "POST", path(rng), hostile.json(rng), now, rng.randint(0, 999))


def path(rng):
    return rng.choice(["/api/v5/account/balance", "/api/v5/trade/order", "/api/v5/asset/withdrawal"])


def signed(key, method, path, parameters, now, millis):
    from datetime import datetime, timezone

    client = OkxClient(key["key_id"], key["secret"], key["passphrase"], flag="0")
    sent = {}

    class Answer:
        def json(self):
            return {}

    def get(path, headers):
        sent.update(request=client.build_request("GET", path, headers=headers))
        return Answer()

    def post(path, data, headers):
        sent.update(request=client.build_request("POST", path, content=data, headers=headers))
        return Answer()

    client.get, client.post = get, post
    clock = okx.utils.get_timestamp
    stamp = datetime.fromtimestamp(now, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{millis:03}Z"
    okx.utils.get_timestamp = lambda: stamp
    try:
        client._request(method, path, parameters)
    finally:
        okx.utils.get_timestamp = clock
    request = sent["request"]
    names = ["Content-Type", "OK-ACCESS-KEY", "OK-ACCESS-SIGN", "OK-ACCESS-TIMESTAMP", "OK-ACCESS-PASSPHRASE"]
    return {
        "method": method,
        "url": str(request.url),
        "headers": [[name, request.headers[name]] for name in [*names, "x-simulated-trading"]],
        "body": request.content.decode(),
        "key_id": key["key_id"],
        "secret": key["secret"],
        "vars": {"passphrase": key["passphrase"]},
        "now": now,
    }


def fixed(scheme):
    key = {"key_id": "37c541a1-b3c5-4bd1-8c8a-1f3c0ad1a2f1", "secret": "22582BD0CFF14C41EDBF1AB98506286D", "passphrase": "pp"}
    lines = []
    for id, method, path, found in [
        ("balance", "GET", "/api/v5/account/balance", {"ccy": "BTC"}),
        ("order", "POST", "/api/v5/trade/order", {"instId": "BTC-USDT", "tdMode": "cash", "sz": "2", "tag": "é \" %"}),
    ]:
        query = ["query.ccy"] if method == "GET" else []
        lines.append(
            {
                "id": f"python-okx-{id}",
                "source": f"{SDK}, OkxClient._request",
                "expect": "verified",
                "covered": ["method", "path", "query", *query, "body", "header.ok-access-sign", "header.ok-access-timestamp", "secret"],
                "open": ["scheme", "host", "header.content-type", "header.x-simulated-trading", "key-id"],
                **signed(key, method, path, dict(found), 1714566896, 123),
            }
        )
    return lines
