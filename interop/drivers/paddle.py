"""Paddle's webhooks, by Paddle's library."""

from paddle_billing.Notifications.PaddleSignature import PaddleSignature
from paddle_billing.Notifications.Secret import Secret

import webhook

SDK = "paddle-python-sdk==1.16.1"
SCHEMES = ["paddle-webhook"]


def sign(scheme, rng, hostile):
    line = unsigned(scheme, rng, hostile)
    # While a secret is replaced there are two signatures, in either order.
    others = [None] * rng.randint(0, 1) + [hostile.secret(rng)] * rng.randint(0, 1)
    return signed(line, others[:1])


def unsigned(scheme, rng, hostile):
    return webhook.unsigned(rng, hostile)


def signed(line, others=()):
    message = f"{line['now']}:{line['body']}".encode()
    secrets = [*(other for other in others if other), line["secret"]]
    items = [f"h1={PaddleSignature.calculate_hmac(secret, message).hexdigest()}" for secret in secrets]
    return webhook.with_headers(line, ["Paddle-Signature", ";".join([f"ts={line['now']}", *items])])


def verify(scheme, line):
    return PaddleSignature().verify(webhook.header(line, "Paddle-Signature"), line["body"], Secret(line["secret"]))


def fixed(scheme):
    return webhook.fixed(f"{SDK}, PaddleSignature.calculate_hmac", signed, ["paddle-signature"])
