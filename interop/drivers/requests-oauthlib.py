"""OAuth 1.0 (RFC 5849) by requests-oauthlib, as requests sends it."""

import requests
from requests_oauthlib import OAuth1

SDK = "requests-oauthlib==2.0.0"
ALSO = ["oauthlib==4.0.1", "requests==2.34.2"]
SCHEMES = ["oauth1-hmac-sha1", "oauth1-hmac-sha1-query", "oauth1-hmac-sha1-form"]


def sign(scheme, rng, hostile):
    place = "query" if scheme.endswith("-query") else "body" if scheme.endswith("-form") else "auth_header"
    token = rng.choice(["", hostile.word(rng)])
    line = {"key_id": hostile.word(rng), "secret": hostile.value(rng) or "s", "vars": {"token-secret": hostile.value(rng) if token else ""}}
    auth = OAuth1(
        line["key_id"],
        client_secret=line["secret"],
        resource_owner_key=token,
        resource_owner_secret=line["vars"]["token-secret"],
        signature_type=place,
        nonce=hostile.word(rng, 30),
        timestamp=str(hostile.now(rng)),
    )
    # oauthlib drops a `;` at the end of the path.
    url = f"https://{hostile.host(rng)}{hostile.path(rng).rstrip(';')}"
    data, json = None, None
    kind = "form" if place == "body" else rng.choice(["form", "json", "none"])
    if kind == "form":
        data = hostile.form(rng)
    elif kind == "json":
        # requests-oauthlib does not sign bodies that are no form.
        json = hostile.json(rng)
    made = requests.Request("POST", url, params=hostile.query(rng), data=data, json=json, auth=auth).prepare()
    headers = [[text(name), text(value)] for name, value in made.headers.items() if text(name) != "Content-Length"]
    return {**line, "method": "POST", "url": made.url, "headers": headers, "body": text(made.body or ""), "now": int(auth.client.timestamp)}


def text(value):
    return value.decode() if isinstance(value, bytes) else value
