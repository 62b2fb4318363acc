"""OAuth 1.0 (RFC 5849) by oauthlib: three places for the parameters, HMAC and RSA; and its verifier."""

from pathlib import Path
from urllib.parse import quote, urlsplit

from oauthlib.common import Request
from oauthlib.oauth1 import Client
from oauthlib.oauth1.rfc5849 import signature as rfc5849

SDK = "oauthlib==4.0.1"
ALSO = ["pyjwt==2.15.1", "cryptography==50.0.2"]
SCHEMES = [
    "oauth1-hmac-sha1",
    "oauth1-hmac-sha1-query",
    "oauth1-hmac-sha1-form",
    "oauth1-rsa-sha1",
    "oauth1-rsa-sha1-query",
    "oauth1-rsa-sha1-form",
    "oauth1-rsa-sha256",
]

KEYS = Path(__file__).resolve().parents[2] / "vectors" / "keys"
FORM = "application/x-www-form-urlencoded"


def sign(scheme, rng, hostile):
    line = request(scheme, rng, hostile)
    nonce = hostile.text(rng, control=False) if rng.random() < 0.5 else hostile.word(rng)
    if scheme.endswith(("-query", "-form")):
        # oauthlib decodes oauth_ parameters of query and body twice.
        nonce = nonce.replace("%", "")
    return signed(
        scheme,
        line,
        nonce=nonce or "n",
        now=hostile.now(rng),
        realm=rng.choice([None, None, "Photos", "a b"]),
        verifier=rng.choice([None, None, "hfdp7dh39dks9884", "a b&c=d"]),
        callback=rng.choice([None, None, "oob", "https://client.example/cb?x=1"]),
        # Only the HMAC schemes leave the digest to the key.
        hash=rng.choice(["SHA1", "SHA1", "SHA256", "SHA512"]) if "hmac" in scheme else None,
    )


def unsigned(scheme, rng, hostile):
    return request(scheme, rng, hostile)


def request(scheme, rng, hostile):
    query = hostile.query_string(rng, hostile.query(rng), plus=True, bare=True)
    # oauthlib drops a `;` at the end of the path.
    path = hostile.path(rng).rstrip(";")
    line = {
        "method": rng.choice(["POST", "PUT", "PATCH"]),
        "url": f"{rng.choice(['http', 'https'])}://{hostile.host(rng)}{path}" + (f"?{query}" if query else ""),
        "headers": [],
        "key_id": "9djdj82h48djs9d2",
    }
    kind = "form" if scheme.endswith("-form") else rng.choice(["form", "json", "none", "none"])
    if kind == "form":
        line["headers"].append(["Content-Type", FORM])
        line["body"] = hostile.query_string(rng, hostile.form(rng), plus=True, bare=True)
    elif kind == "json":
        line["headers"].append(["Content-Type", rng.choice(["application/json", "text/plain; charset=utf-8"])])
        # oauthlib takes a body for a form if it could be one; this one could not.
        line["body"] = '{"' + hostile.json_text(rng)
    else:
        line["method"] = rng.choice(["GET", "HEAD", "DELETE"])
    if "rsa" in scheme:
        line |= private()
    else:
        line["secret"] = hostile.value(rng) or "s"
        line["vars"] = {"token-secret": rng.choice(["", hostile.value(rng)])}
    return line


def private():
    return {"private_key": (KEYS / "rsa.pem").read_text()}


def public():
    return {"public_key": (KEYS / "rsa.pub.pem").read_text()}


def signed(scheme, line, nonce, now, realm=None, verifier=None, callback=None, hash=None, token="kkk9d7dh3k39sjv7"):
    rsa = "rsa" in scheme
    place = "QUERY" if scheme.endswith("-query") else "BODY" if scheme.endswith("-form") else "AUTH_HEADER"
    client = Client(
        line["key_id"],
        client_secret=line.get("secret"),
        resource_owner_key=token,
        resource_owner_secret=line.get("vars", {}).get("token-secret"),
        callback_uri=callback,
        verifier=verifier,
        realm=realm if place == "AUTH_HEADER" else None,
        signature_method="RSA-SHA256" if scheme == "oauth1-rsa-sha256" else "RSA-SHA1" if rsa else f"HMAC-{hash or 'SHA1'}",
        signature_type=place,
        rsa_key=private()["private_key"] if rsa else None,
        nonce=nonce,
        timestamp=str(now),
    )
    url, headers, body = client.sign(
        line["url"], http_method=line["method"], body=line.get("body") or None, headers=dict(map(tuple, line["headers"]))
    )
    made = {**line, "url": url, "headers": [list(pair) for pair in headers.items()], "now": now}
    if body:
        made["body"] = body
    if hash not in (None, "SHA1"):
        made["alg"] = f"hmac-{hash.lower()}"
    return made


def verify(scheme, line):
    headers = dict(map(tuple, line["headers"]))
    request = Request(line["url"], line["method"], line.get("body") or "", headers)
    found = rfc5849.collect_parameters(
        urlsplit(line["url"]).query,
        request.body if headers.get("Content-Type") == FORM else [],
        headers,
        exclude_oauth_signature=False,
    )
    request.signature = dict(found)["oauth_signature"]
    request.params = [pair for pair in found if pair[0] != "oauth_signature"]
    if "rsa" in scheme:
        verified = rfc5849.verify_rsa_sha256 if scheme == "oauth1-rsa-sha256" else rfc5849.verify_rsa_sha1
        return verified(request, public()["public_key"])
    return rfc5849.verify_hmac_sha1(request, line["secret"], line.get("vars", {}).get("token-secret"))


def fixed(scheme):
    rsa = "rsa" in scheme
    if rsa:
        key = private()
    else:
        key = {"secret": "j49sn3b29mmd82nd", "vars": {"token-secret": "mdo7 8n&2s"}}
    place = "query" if scheme.endswith("-query") else "form" if scheme.endswith("-form") else "header"
    form = {
        "method": "POST",
        "url": "https://API.example.com:8443/re%20quest?b5=%3D%253D&a3=a&c%40=&a2=r%20b",
        "headers": [["Content-Type", FORM]],
        "body": "c2&a3=2+q",
    }
    plain = {"method": "GET", "url": "http://photos.example.net/photos?file=vacation.jpg&size=original", "headers": []}
    json = {**plain, "method": "PUT", "headers": [["Content-Type", "application/json"]], "body": '{"size": "original"}'}
    cases = [("form", form)] if place == "form" else [("form", form), ("get", plain), ("json", json)]
    lines = []
    for id, line in cases:
        line = signed(scheme, {**line, **key, "key_id": "9djdj82h48djs9d2"}, nonce="7d8f3e4a%" if id == "form" else "kllo9940pd9333jh", now=137131201)
        covered = ["method", "scheme", "host", "path", "query", "secret"]
        covered += {
            "header": ["header.authorization"],
            "query": [f"query.oauth_{name}" for name in ("consumer_key", "nonce", "timestamp", "signature_method", "token", "signature")],
            "form": [f"form.oauth_{name}" for name in ("consumer_key", "nonce", "timestamp", "signature_method", "token", "signature")],
        }[place]
        if id == "form":
            # A parameter without `=` is signed as one with an empty value.
            covered += ["query.a3", "query.b5", "form", "form.a3"]
        opened = ["header.x-other"]
        if id == "json":
            # oauthlib signs the digest of a body that is no form.
            covered += ["body"]
            opened += ["header.content-type:flipped", "header.content-type:removed"]
        lines.append(
            {"id": f"oauthlib-{id}", "source": f"{SDK}, Client.sign", "expect": "verified", "covered": covered, "open": opened, **line}
        )
    return lines
