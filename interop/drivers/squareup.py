"""Square's webhooks, by Square's library, which only verifies."""

import base64
import hashlib
import hmac

from square.utils.webhooks_helper import verify_signature

import webhook

SDK = "squareup==46.0.0.20260916"
SCHEMES = ["square-webhook"]


def sign(scheme, rng, hostile):
    return signed(unsigned(scheme, rng, hostile))


def unsigned(scheme, rng, hostile):
    return webhook.unsigned(rng, hostile)


def signed(line):
    message = (line["url"] + line["body"]).encode()
    mac = base64.b64encode(hmac.new(line["secret"].encode(), message, hashlib.sha256).digest()).decode()
    line = webhook.with_headers(line, ["x-square-hmacsha256-signature", mac])
    return webhook.accepted(verify, "square-webhook", line)


def verify(scheme, line):
    return verify_signature(
        request_body=line["body"],
        signature_header=webhook.header(line, "x-square-hmacsha256-signature"),
        signature_key=line["secret"],
        notification_url=line["url"],
    )


def fixed(scheme):
    lines = webhook.fixed(
        f"{SDK}, verify_signature", signed, ["x-square-hmacsha256-signature"], opened=["method", "header.content-type"]
    )
    for line in lines:
        line["covered"] += ["scheme", "host", "path", "query", "query.a"]
    return lines
