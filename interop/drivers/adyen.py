"""Adyen's webhooks that are signed in the header, by Adyen's library."""

from Adyen.util import generate_payload_sig, is_valid_hmac_payload

import webhook

SDK = "Adyen==16.0.0"
SCHEMES = ["adyen-platform-webhook"]


def sign(scheme, rng, hostile):
    return signed(unsigned(scheme, rng, hostile))


def unsigned(scheme, rng, hostile):
    key = rng.randbytes(32).hex()
    return {**webhook.unsigned(rng, hostile), "secret": key.upper() if rng.random() < 0.7 else key}


def signed(line):
    mac = generate_payload_sig(line["body"].encode(), line["secret"]).decode()
    return webhook.with_headers(line, ["HmacSignature", mac])


def verify(scheme, line):
    return is_valid_hmac_payload(webhook.header(line, "HmacSignature"), line["secret"], line["body"].encode())


def fixed(scheme):
    key = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
    return webhook.fixed(f"{SDK}, generate_payload_sig", signed, ["hmacsignature"], secret=key)
