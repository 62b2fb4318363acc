"""Razorpay's webhooks, by Razorpay's library, which only verifies."""

import hashlib
import hmac

import razorpay
from razorpay.errors import SignatureVerificationError

import webhook

SDK = "razorpay==2.0.1"
SCHEMES = ["razorpay-webhook"]


def sign(scheme, rng, hostile):
    return signed(unsigned(scheme, rng, hostile))


def unsigned(scheme, rng, hostile):
    return webhook.unsigned(rng, hostile)


def signed(line):
    mac = hmac.new(line["secret"].encode(), line["body"].encode(), hashlib.sha256).hexdigest()
    line = webhook.with_headers(line, ["X-Razorpay-Signature", mac])
    return webhook.accepted(verify, "razorpay-webhook", line)


def verify(scheme, line):
    try:
        return razorpay.Utility().verify_webhook_signature(
            line["body"], webhook.header(line, "X-Razorpay-Signature"), line["secret"]
        )
    except SignatureVerificationError:
        return False


def fixed(scheme):
    return webhook.fixed(f"{SDK}, verify_webhook_signature", signed, ["x-razorpay-signature"])
