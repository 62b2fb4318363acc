"""Standard Webhooks, by its reference library for Python."""

import base64
from datetime import datetime, timezone

import standardwebhooks
from standardwebhooks.webhooks import Webhook

SDK = "standardwebhooks==1.1.0"
SCHEMES = ["standard-webhooks"]
QUICK = True


def sign(scheme, rng, hostile):
    line = unsigned(scheme, rng, hostile)
    return signed(line, f"msg_{hostile.word(rng)}", hostile.now(rng))


def unsigned(scheme, rng, hostile):
    key = base64.b64encode(rng.randbytes(rng.randint(24, 64))).decode()
    return {
        "method": "POST",
        "url": f"https://{hostile.host(rng)}{hostile.path(rng)}",
        "headers": [["Content-Type", "application/json"]],
        "body": hostile.body_text(rng),
        "secret": f"whsec_{key}" if rng.random() < 0.7 else key,
    }


def signed(line, id, now):
    signature = Webhook(line["secret"]).sign(id, datetime.fromtimestamp(now, timezone.utc), line["body"])
    headers = [["webhook-id", id], ["webhook-timestamp", str(now)], ["webhook-signature", signature]]
    return {**line, "headers": line["headers"] + headers, "now": now}


def verify(scheme, line):
    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.fromtimestamp(line["now"], tz)

    standardwebhooks.webhooks.datetime = Clock
    try:
        Webhook(line["secret"]).verify(line["body"], dict(line["headers"]), json_parse=False)
        return True
    except standardwebhooks.webhooks.WebhookVerificationError:
        return False
    finally:
        standardwebhooks.webhooks.datetime = datetime


def fixed(scheme):
    covered = ["header.webhook-id", "header.webhook-timestamp", "header.webhook-signature", "body", "secret"]
    opened = ["method", "scheme", "host", "path", "query", "header.content-type"]
    lines = []
    for id, body in [("json", '{"type":"invoice.paid","data":{"amount":1000}}'), ("unicode", '{"name":"Zoë 😀", "a":1.0}'), ("empty-object", "{}")]:
        line = {
            "id": f"standardwebhooks-{id}",
            "source": f"{SDK}, Webhook.sign",
            "expect": "verified",
            "covered": covered,
            "open": opened,
            "method": "POST",
            "url": "https://example.com/webhooks?a=b",
            "headers": [["Content-Type", "application/json"]],
            "body": body,
            "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        }
        lines.append(signed(line, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330))
    return lines
