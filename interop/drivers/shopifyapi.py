"""Shopify's OAuth redirects, by Shopify's library for Python."""

from urllib.parse import parse_qsl, urlsplit

import shopify.session
from shopify import Session

import recorder

SDK = "ShopifyAPI==12.7.0"
SCHEMES = ["shopify-oauth-query"]


def sign(scheme, rng, hostile):
    line = unsigned(scheme, rng, hostile)
    return signed(rng, hostile, line, parameters(line))


def unsigned(scheme, rng, hostile):
    # The library takes a dictionary, so no name twice; names that end in `[]` are its lists.
    found = [(k, v) for k, v in hostile.distinct(hostile.query(rng)) if not k.endswith("[]")]
    query = hostile.query_string(rng, found, plus=True, bare=True)
    url = f"https://{hostile.host(rng)}{hostile.path(rng)}" + (f"?{query}" if query else "")
    return {"method": "GET", "url": url, "headers": [], "secret": hostile.secret(rng), "now": hostile.now(rng)}


def parameters(line):
    return dict(parse_qsl(urlsplit(line["url"]).query, keep_blank_values=True))


def signed(rng, hostile, line, found):
    Session.secret = line["secret"]
    found = {**found, "timestamp": str(line["now"])}
    found = list({**found, "hmac": Session.calculate_hmac(found)}.items())
    rng.shuffle(found)
    address = line["url"].partition("?")[0]
    return {**line, "url": f"{address}?{hostile.query_string(rng, found, plus=True, bare=True)}"}


def verify(scheme, line):
    Session.secret = line["secret"]
    return recorder.clocked(shopify.session, line["now"], 0, lambda: Session.validate_params(parameters(line)))


def fixed(scheme):
    Session.secret = "hush"
    queries = {
        "install": "code=0907a61c0c8d55e99db179b68161bc00&shop=some-shop.myshopify.com&state=0.6784241404160823&timestamp=1337178173",
        "escapes": "state=a%26b%3Dc%25+d&z%26a%3D=1&a%25=2&shop=some-shop.myshopify.com&timestamp=1337178173",
    }
    lines = []
    for name, query in queries.items():
        hmac = Session.calculate_hmac(dict(parse_qsl(query)))
        lines.append(
            {
                "id": f"shopifyapi-{name}",
                "source": f"{SDK}, Session.calculate_hmac",
                "expect": "verified",
                "covered": ["query", "query.shop", "query.state", "query.timestamp", "query.hmac", "secret"],
                "open": ["method", "scheme", "host", "path", "body"],
                "method": "GET",
                "url": f"https://app.example.com/auth/callback?{query}&hmac={hmac}",
                "headers": [],
                "secret": "hush",
                "now": 1337178173,
            }
        )
    return lines
