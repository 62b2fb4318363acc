"""GoCardless's webhooks, by GoCardless's library, which only verifies."""

import hashlib
import hmac

from gocardless_pro import webhooks
from gocardless_pro.errors import InvalidSignatureError

import webhook

SDK = "gocardless_pro==3.22.0"
SCHEMES = ["gocardless-webhook"]


def sign(scheme, rng, hostile):
    return signed(unsigned(scheme, rng, hostile))


def unsigned(scheme, rng, hostile):
    # The library reads the body as well.
    return webhook.unsigned(rng, hostile, f'{{"events":[], "meta":{hostile.json_text(rng)}}}')


def signed(line):
    mac = hmac.new(line["secret"].encode(), line["body"].encode(), hashlib.sha256).hexdigest()
    line = webhook.with_headers(line, ["Webhook-Signature", mac])
    return webhook.accepted(verify, "gocardless-webhook", line)


def verify(scheme, line):
    try:
        webhooks.parse(line["body"], line["secret"], webhook.header(line, "Webhook-Signature"))
        return True
    except InvalidSignatureError:
        return False


def fixed(scheme):
    bodies = {"json": '{"events":[]}', "unicode": '{"events":[], "meta":{"webhook_id":"Zoë 😀"}}'}
    return webhook.fixed(f"{SDK}, webhooks.parse", signed, ["webhook-signature"], bodies)
