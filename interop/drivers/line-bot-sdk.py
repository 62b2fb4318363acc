"""LINE's webhooks, by LINE's library, which only verifies."""

import base64
import hashlib
import hmac

from linebot.v3.webhook import SignatureValidator

import webhook

SDK = "line-bot-sdk==3.27.0"
SCHEMES = ["line-webhook"]


def sign(scheme, rng, hostile):
    return signed(unsigned(scheme, rng, hostile))


def unsigned(scheme, rng, hostile):
    return webhook.unsigned(rng, hostile)


def signed(line):
    mac = hmac.new(line["secret"].encode(), line["body"].encode(), hashlib.sha256).digest()
    line = webhook.with_headers(line, ["X-Line-Signature", base64.b64encode(mac).decode()])
    return webhook.accepted(verify, "line-webhook", line)


def verify(scheme, line):
    return SignatureValidator(line["secret"]).validate(line["body"], webhook.header(line, "X-Line-Signature"))


def fixed(scheme):
    return webhook.fixed(f"{SDK}, SignatureValidator.validate", signed, ["x-line-signature"])
