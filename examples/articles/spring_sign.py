#!/usr/bin/env python3
"""The second article's client: `sign`, `timestamp` and `nonce` in the header, over path, query and JSON body.

    python3 spring_sign.py --url http://127.0.0.1:8080/api/transfer --secret 'a shared secret of some length'

The article leaves the layout of its `getMd5Sign` open. This is the one that its parameters suggest, and the one of
the scheme `spring-sign`. It sends no key id: the gateway's route names the key, or `--user` sends an `appid`.
"""

import argparse
import hashlib
import json
import secrets
import sys
import time
import urllib.parse
import urllib.request

from sending import send

TRANSFER = {"from": "a", "to": "b", "amount": 100}


def md5_sign(path: str, query: list[tuple[str, str]], body: bytes, nonce: str, timestamp: int, secret: str) -> str:
    """Parameters are sorted by name, then value, as bytes; they are signed as they are, not as a URL writes them."""
    ordered = sorted(query, key=lambda pair: (pair[0].encode(), pair[1].encode()))
    parameters = "&".join(f"{name}={value}" for name, value in ordered)
    text = f"{path}\n{parameters}\n".encode() + body + f"\n{nonce}\n{timestamp}\n{secret}".encode()
    return hashlib.md5(text, usedforsecurity=False).hexdigest()


def main() -> int:
    options = arguments().parse_args()
    url = urllib.parse.urlsplit(options.url)
    query = urllib.parse.parse_qsl(url.query, keep_blank_values=True)
    body = options.body.encode()
    timestamp = int(time.time()) if options.timestamp is None else options.timestamp
    nonce = options.nonce or secrets.token_hex(16)
    sign = md5_sign(url.path, query, body, nonce, timestamp, options.secret)

    request = urllib.request.Request(options.url, data=(options.tamper or options.body).encode())
    request.add_header("Content-Type", "application/json")
    request.add_header("timestamp", str(timestamp))
    request.add_header("nonce", nonce)
    request.add_header("sign", sign.upper() if options.upper else sign)
    if options.user:
        request.add_header("appid", options.user)
    print(f"POST {options.url} timestamp={timestamp} nonce={nonce} sign={sign}", file=sys.stderr)
    return send(request, options.times)


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Posts JSON, signed as in the second article.")
    parser.add_argument("--url", required=True, help="where to, with a query or without")
    parser.add_argument("--user", help="a key id, sent as `appid` where there are several clients")
    parser.add_argument("--secret", required=True, help="the secret that client and server share")
    parser.add_argument("--body", default=json.dumps(TRANSFER), help="the JSON to sign and send")
    parser.add_argument("--tamper", metavar="BODY", help="send this instead of what was signed, as a thief would")
    parser.add_argument("--upper", action="store_true", help="write the digest in capitals, which is the same to it")
    parser.add_argument("--timestamp", type=int, help="seconds since 1970, instead of the clock's")
    parser.add_argument("--nonce", help="a nonce, instead of a random one")
    parser.add_argument("--times", type=int, default=1, help="send the same request so often")
    return parser


if __name__ == "__main__":
    sys.exit(main())
