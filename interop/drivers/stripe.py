"""Stripe's webhooks, by Stripe's library for Python."""

import stripe._webhook
from stripe import SignatureVerificationError, WebhookSignature

SDK = "stripe==16.1.0"
SCHEMES = ["stripe-webhook"]


def sign(scheme, rng, hostile):
    return signed(unsigned(scheme, rng, hostile))


def unsigned(scheme, rng, hostile):
    return {
        "method": "POST",
        "url": f"https://{hostile.host(rng)}{hostile.path(rng)}",
        "headers": [["Content-Type", "application/json; charset=utf-8"]],
        "body": hostile.body_text(rng),
        "secret": f"whsec_{hostile.word(rng, 32)}",
        "now": hostile.now(rng),
    }


def signed(line, also=""):
    header = WebhookSignature.generate_signature_header(line["body"], line["secret"], line["now"])
    return {**line, "headers": [*line["headers"], ["Stripe-Signature", header + also]]}


def verify(scheme, line):
    stripe._webhook.time.time = lambda: line["now"]
    header = next(value for name, value in line["headers"] if name.lower() == "stripe-signature")
    try:
        return WebhookSignature.verify_header(line["body"], header, line["secret"], tolerance=300)
    except SignatureVerificationError:
        return False


def fixed(scheme):
    # While a secret is replaced there is a signature of each, and `v0` is for tests of Stripe's own.
    others = {
        "json": "",
        "rotation": f",v1={'0' * 64},v0={'1' * 64}",
        "unicode": "",
    }
    bodies = {
        "json": '{"id":"evt_1","object":"event","data":{"object":{"amount":1000}}}',
        "rotation": '{"id":"evt_2"}',
        "unicode": '{"name": "Zoë 😀", "a": 1.0}',
    }
    for id, body in bodies.items():
        line = {
            "id": f"stripe-{id}",
            "source": f"{SDK}, WebhookSignature.generate_signature_header",
            "expect": "verified",
            "covered": ["body", "secret", *([] if id == "rotation" else ["header.stripe-signature"])],
            "open": ["method", "scheme", "host", "path", "query", "header.content-type", "header.user-agent"],
            "method": "POST",
            "url": "https://example.com/stripe",
            "headers": [["Content-Type", "application/json; charset=utf-8"]],
            "body": body,
            "secret": "whsec_test_secret",
            "now": 1714566896,
        }
        yield signed(line, others[id])
