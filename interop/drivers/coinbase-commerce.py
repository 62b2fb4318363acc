"""Coinbase Commerce's webhooks, by Coinbase's library."""

from coinbase_commerce.error import SignatureVerificationError
from coinbase_commerce.webhook import WebhookSignature

import webhook

SDK = "coinbase-commerce==1.0.1"
SCHEMES = ["coinbase-commerce-webhook"]


def sign(scheme, rng, hostile):
    return signed(unsigned(scheme, rng, hostile))


def unsigned(scheme, rng, hostile):
    return webhook.unsigned(rng, hostile)


def signed(line):
    mac = WebhookSignature._compute_signature(line["body"], line["secret"])
    return webhook.with_headers(line, ["X-CC-Webhook-Signature", mac])


def verify(scheme, line):
    try:
        mac = webhook.header(line, "X-CC-Webhook-Signature")
        return WebhookSignature.verify_sig_header(line["body"], mac, line["secret"])
    except SignatureVerificationError:
        return False


def fixed(scheme):
    return webhook.fixed(f"{SDK}, WebhookSignature._compute_signature", signed, ["x-cc-webhook-signature"])
