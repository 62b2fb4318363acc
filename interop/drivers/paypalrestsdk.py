"""PayPal's webhooks, by PayPal's library.

It says what is signed. To check the signature it calls OpenSSL's `verify`, which pyOpenSSL has since taken away, and
fetches a certificate; so the RSA signature itself is made and checked by `cryptography`.
"""

import base64
import datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from paypalrestsdk.notifications import WebhookEvent

import webhook

SDK = "paypalrestsdk==1.13.3"
ALSO = ["cryptography==50.0.2"]
SCHEMES = ["paypal-webhook", "paypal-webhook-sandbox"]

KEYS = Path(__file__).resolve().parents[2] / "vectors/keys"
PRIVATE = (KEYS / "rsa.pem").read_text()
PUBLIC = (KEYS / "rsa.pub.pem").read_text()
NAMES = ["PAYPAL-TRANSMISSION-ID", "PAYPAL-TRANSMISSION-TIME", "PAYPAL-TRANSMISSION-SIG"]


def sign(scheme, rng, hostile):
    line = unsigned(scheme, rng, hostile)
    del line["private_key"]
    nonce = f"{rng.getrandbits(32):08x}-d67a-11e5-baa3-778b53f4ae55"
    return signed(scheme, {**line, "public_key": PUBLIC}, nonce)


def unsigned(scheme, rng, hostile):
    line = {**webhook.unsigned(rng, hostile), "private_key": PRIVATE, "vars": {"webhook-id": hostile.word(rng)}}
    del line["secret"]
    return {**line, "key_id": f"CERT-360caa42-{hostile.word(rng, 8)}"}


def signed(scheme, line, nonce="69cd13f0-d67a-11e5-baa3-778b53f4ae55"):
    time = datetime.datetime.fromtimestamp(line["now"], datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    message = WebhookEvent._get_expected_sig(nonce, time, line["vars"]["webhook-id"], line["body"])
    key = serialization.load_pem_private_key(PRIVATE.encode(), None)
    signature = base64.b64encode(key.sign(message.encode(), padding.PKCS1v15(), hashes.SHA256())).decode()
    host = "api.sandbox.paypal.com" if scheme.endswith("sandbox") else "api.paypal.com"
    return webhook.with_headers(
        line,
        *zip(NAMES, [nonce, time, signature]),
        ["PAYPAL-AUTH-ALGO", "SHA256withRSA"],
        ["PAYPAL-CERT-URL", f"https://{host}/v1/notifications/certs/{line['key_id']}"],
    )


def verify(scheme, line):
    nonce, time, signature = (webhook.header(line, name) for name in NAMES)
    message = WebhookEvent._get_expected_sig(nonce, time, line["vars"]["webhook-id"], line["body"])
    key = serialization.load_pem_public_key(PUBLIC.encode())
    try:
        key.verify(base64.b64decode(signature), message.encode(), padding.PKCS1v15(), hashes.SHA256())
        return True
    except InvalidSignature:
        return False


def fixed(scheme):
    lines = webhook.fixed(
        f"{SDK}, WebhookEvent._get_expected_sig",
        lambda line: signed(scheme, line),
        [name.lower() for name in [*NAMES, "PAYPAL-AUTH-ALGO", "PAYPAL-CERT-URL"]],
        public_key=PUBLIC,
        key_id="CERT-360caa42-fca2a594-a5cafa77",
        vars={"webhook-id": "1JE4291016473214C"},
        now=1455825695,
    )
    for line in lines:
        del line["secret"]
        line["covered"].append("var.webhook-id")
        line["open"] = [*line["open"], "key-id"]
    return lines
