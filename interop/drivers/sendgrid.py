"""SendGrid's event webhooks, by SendGrid's library for Python, which only verifies: SendGrid itself signs."""

import base64
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sendgrid.helpers.eventwebhook import EventWebhook

SDK = "sendgrid==6.12.5"
SCHEMES = ["sendgrid-ecdsa"]

KEYS = Path(__file__).resolve().parents[2] / "vectors" / "keys"
STAMP = "X-Twilio-Email-Event-Webhook-Timestamp"
SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"


def unsigned(scheme, rng, hostile):
    return {
        "method": "POST",
        "url": f"https://{hostile.host(rng)}{hostile.path(rng)}",
        "headers": [["Content-Type", "application/json"]],
        "body": f"[{hostile.json_text(rng)}]\r\n",
        "private_key": (KEYS / "p256.pem").read_text(),
        "now": hostile.now(rng),
    }


def verify(scheme, line):
    key = (KEYS / "p256.pub.pem").read_text().splitlines()[1:-1]
    headers = {name.lower(): value for name, value in line["headers"]}
    webhook = EventWebhook("".join(key))
    return webhook.verify_signature(line["body"], headers[SIGNATURE.lower()], headers[STAMP.lower()])


def fixed(scheme):
    event = {
        "method": "POST",
        "url": "https://example.com/sendgrid",
        "headers": [["Content-Type", "application/json"]],
        "now": 1600112502,
    }
    covered = ["body", f"header.{STAMP.lower()}", f"header.{SIGNATURE.lower()}"]
    opened = ["method", "scheme", "host", "path", "query", "header.content-type"]
    yield {
        "id": "sendgrid-python-test",
        "source": "sendgrid-python at 76788e70, test/unit/test_eventwebhook.py",
        "expect": "verified",
        "covered": covered,
        "open": opened,
        **event,
        "headers": [*event["headers"], [STAMP, "1600112502"], [SIGNATURE, TEST_SIGNATURE]],
        "body": TEST_BODY,
        "public_key": f"-----BEGIN PUBLIC KEY-----\n{TEST_KEY}\n-----END PUBLIC KEY-----\n",
    }
    body = '[{"email":"zoë@example.com","event":"open","timestamp":1600112500}]\r\n'
    private = load_pem_private_key((KEYS / "p256.pem").read_bytes(), None)
    made = private.sign(f"1600112502{body}".encode(), ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    line = {
        "id": "sendgrid-own-key",
        "source": f"cryptography's ECDSA over time and body, which {SDK}, EventWebhook.verify_signature accepts",
        "expect": "verified",
        "covered": [*covered, "secret"],
        "open": opened,
        **event,
        "headers": [*event["headers"], [STAMP, "1600112502"], [SIGNATURE, base64.b64encode(made).decode()]],
        "body": body,
        "private_key": (KEYS / "p256.pem").read_text(),
    }
    assert verify(scheme, line)
    yield line


TEST_KEY = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe62gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
TEST_SIGNATURE = "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15TluLtEZtM="
TEST_BODY = "[{\"email\":\"hello@world.com\",\"event\":\"dropped\",\"reason\":\"Bounced Address\",\"sg_event_id\":\"ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA\",\"sg_message_id\":\"LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0\",\"smtp-id\":\"<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>\",\"timestamp\":1600112492}]\r\n"
