"""HubSpot's requests to apps, by HubSpot's library."""

import datetime

from hubspot.exceptions import InvalidSignatureTimestampError
from hubspot.utils import signature
from hubspot.utils.signature import Signature

import webhook

SDK = "hubspot-api-client==12.0.0"
SCHEMES = ["hubspot-v3"]


def sign(scheme, rng, hostile):
    return signed({**unsigned(scheme, rng, hostile), "now": hostile.now(rng)})


def unsigned(scheme, rng, hostile):
    line = webhook.unsigned(rng, hostile)
    query = hostile.query_string(rng, hostile.query(rng))
    method = rng.choice(["POST", "POST", "GET", "PUT", "DELETE", "PATCH"])
    body = "" if method == "GET" else line["body"]
    return {**line, "method": method, "url": f"{line['url']}?{query}" if query else line["url"], "body": body}


def signed(line):
    time = f"{line['now']}000"
    mac = Signature.get_signature(line["secret"], line["body"], "v3", line["url"], line["method"], time)
    return webhook.with_headers(line, ["X-HubSpot-Request-Timestamp", time], ["X-HubSpot-Signature-v3", mac])


def verify(scheme, line):
    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.datetime.fromtimestamp(line["now"], tz)

    signature.datetime = Clock
    try:
        return Signature.is_valid(
            webhook.header(line, "X-HubSpot-Signature-v3"),
            line["secret"],
            line["body"],
            line["url"],
            line["method"],
            "v3",
            webhook.header(line, "X-HubSpot-Request-Timestamp"),
        )
    except InvalidSignatureTimestampError:
        return False
    finally:
        signature.datetime = datetime.datetime


def fixed(scheme):
    names = ["x-hubspot-request-timestamp", "x-hubspot-signature-v3"]
    lines = webhook.fixed(f"{SDK}, Signature.get_signature", signed, names, opened=["header.content-type"])
    for line in lines:
        line["covered"] += ["method", "scheme", "host", "path", "query", "query.a"]
    return lines
