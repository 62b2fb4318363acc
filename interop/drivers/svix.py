"""Svix's webhooks, by Svix's library."""

import base64
from datetime import datetime, timezone

import standardwebhooks.webhooks
from svix.webhooks import Webhook, WebhookVerificationError

import webhook

SDK = "svix==2.9.1"
SCHEMES = ["svix-webhook"]


def sign(scheme, rng, hostile):
    return signed(unsigned(scheme, rng, hostile), f"msg_{hostile.word(rng)}")


def unsigned(scheme, rng, hostile):
    key = base64.b64encode(rng.randbytes(rng.randint(24, 64))).decode()
    # The library reads the body as well.
    return {**webhook.unsigned(rng, hostile, hostile.json_text(rng)), "secret": f"whsec_{key}"}


def signed(line, id="msg_p5jXN8AQM9LWM0D4loKWxJek"):
    mac = Webhook(line["secret"]).sign(id, datetime.fromtimestamp(line["now"], timezone.utc), line["body"])
    return webhook.with_headers(line, ["svix-id", id], ["svix-timestamp", str(line["now"])], ["svix-signature", mac])


def verify(scheme, line):
    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.fromtimestamp(line["now"], tz)

    # Svix's class hands the work on to this one.
    standardwebhooks.webhooks.datetime = Clock
    try:
        Webhook(line["secret"]).verify(line["body"], dict(line["headers"]))
        return True
    except WebhookVerificationError:
        return False
    finally:
        standardwebhooks.webhooks.datetime = datetime


def fixed(scheme):
    names = ["svix-id", "svix-timestamp", "svix-signature"]
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    return webhook.fixed(f"{SDK}, Webhook.sign", signed, names, secret=secret)
