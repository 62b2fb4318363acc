#!/usr/bin/env python3
"""The first article's client: who and when in the query, and seven hex digits of an MD5 as the proof.

    python3 md5_token.py --url http://127.0.0.1:8080/asset/asset_report/ --user 123456789@qq.com --secret abc

Method, path, query and body are not signed at all: what is proved is that somebody who knows the secret sent
something at that time. `countersign lint md5-token` names the rest.
"""

import argparse
import hashlib
import sys
import time
import urllib.parse
import urllib.request

from sending import send

ASSET = [("asset_type", "server"), ("sn", "00426-OEM-8992662"), ("model", "PowerEdge R720"), ("remark", "机房 A & B")]


def md5_token(user: str, timestamp: int, secret: str) -> str:
    """The article's `hexdigest()[10:17]`: 28 bits of an MD5."""
    text = f"{user}\n{timestamp}\n{secret}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[10:17]


def attach_token(url: str, user: str, timestamp: int, secret: str) -> str:
    """Appends user, timestamp and token to the query, whether the URL has one already or not."""
    token = md5_token(user, timestamp, secret)
    # The article formats these by hand; `@` stands as it is there, and may in a query (RFC 3986, section 3.4).
    fields = {"user": user, "timestamp": str(timestamp), "token": token}
    query = urllib.parse.urlencode(fields, quote_via=urllib.parse.quote, safe="@")
    return f"{url}{'&' if '?' in url else '?'}{query}"


def main() -> int:
    options = arguments().parse_args()
    form = urllib.parse.urlencode(options.data or ASSET)
    timestamp = int(time.time()) if options.timestamp is None else options.timestamp
    url = attach_token(options.url, options.user, timestamp, options.secret)
    print(f"POST {url}", file=sys.stderr)
    return send(urllib.request.Request(url, data=form.encode()), options.times)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Posts a form, signed as in the first article.")
    parser.add_argument("--url", required=True, help="where to, with a query or without")
    parser.add_argument("--user", required=True, help="the key id")
    parser.add_argument("--secret", required=True, help="what the article calls the token")
    parser.add_argument("--data", action="append", type=field, metavar="NAME=VALUE", help="a field of the form")
    parser.add_argument("--timestamp", type=int, help="seconds since 1970, instead of the clock's")
    parser.add_argument("--times", type=int, default=1, help="send the same request so often")
    return parser


def field(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError("a field is NAME=VALUE")
    return name, value


if __name__ == "__main__":
    sys.exit(main())
