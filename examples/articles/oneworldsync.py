#!/usr/bin/env python3
"""The fifth article's client: 1WorldSync's product search, its query signed in the order in which it is sent.

    python3 oneworldsync.py --url http://127.0.0.1:8080/V2/products --user 9af172d4 --secret XXXXX

`--show` prints the stages of the signature and sends nothing. The article's own numbers:

    python3 oneworldsync.py --url https://marketplace.api.1worldsync.com/V2/products --user 9af172d4 \\
        --secret XXXXX --timestamp 2015-10-19T09:58:37Z --show
"""

import argparse
import base64
import hashlib
import hmac
import sys
import urllib.parse
import urllib.request
from datetime import datetime, timezone

from sending import send


def parameters(user: str, timestamp: str, upc: str) -> list[tuple[str, str]]:
    """The article's search. Their order matters: it is the order in which they are signed."""
    return [
        ("app_id", user),
        ("searchType", "advancedSearch"),
        ("query", f"itemPrimaryId:{upc}"),
        ("access_mdm", "computer"),
        ("TIMESTAMP", timestamp),
        ("geo_loc_access_latd", "9.91"),
        ("geo_loc_access_long", "51.51"),
    ]


def string_to_hash(path: str, query: list[tuple[str, str]]) -> str:
    """Path and query as they were before anything was encoded for a URL."""
    return f"{path}?" + "&".join(f"{name}={value}" for name, value in query)


def hash_code(text: str, secret: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), hashlib.sha256)).decode()


def main() -> int:
    options = arguments().parse_args()
    timestamp = options.timestamp or datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    query = parameters(options.user, timestamp, options.upc)
    text = string_to_hash(urllib.parse.urlsplit(options.url).path, query)
    code = hash_code(text, options.secret)
    # `safe` is empty so that the slashes of base64 are encoded too, which the article does by hand.
    encoded = urllib.parse.urlencode([*query, ("hash_code", code)], quote_via=urllib.parse.quote, safe="")
    url = f"{options.url}?{encoded}"
    if options.show:
        print(f"string to hash  {text}")
        print(f"hash code       {code}")
        print(f"URL-encoded     {urllib.parse.quote(code, safe='')}")
        print(f"request URL     {url}")
        return 0
    print(f"GET {url}", file=sys.stderr)
    return send(urllib.request.Request(url), options.times)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Searches a product, signed as in the fifth article.")
    parser.add_argument("--url", required=True, help="where to, without a query")
    parser.add_argument("--user", required=True, help="the client id, sent as `app_id`")
    parser.add_argument("--secret", required=True, help="the client secret")
    parser.add_argument("--upc", default="00007252147019", help="the product to search for")
    parser.add_argument("--timestamp", metavar="ISO", help="instead of the clock's")
    parser.add_argument("--show", action="store_true", help="print the stages of the signature and send nothing")
    parser.add_argument("--times", type=int, default=1, help="send the same request so often")
    return parser


if __name__ == "__main__":
    sys.exit(main())
