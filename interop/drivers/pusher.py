"""Pusher Channels' webhooks, by Pusher's library."""

import json

import pusher
import pusher.authentication_client
from pusher.signature import sign as mac

import webhook

SDK = "pusher==3.3.4"
SCHEMES = ["pusher-webhook"]


def sign(scheme, rng, hostile):
    return signed(unsigned(scheme, rng, hostile))


def unsigned(scheme, rng, hostile):
    now = hostile.now(rng)
    body = json.dumps({**hostile.json(rng), "time_ms": now * 1000 + rng.randint(0, 999), "events": []})
    return {**webhook.unsigned(rng, hostile, body), "now": now, "key_id": hostile.word(rng)}


def signed(line):
    signature = mac(line["secret"], line["body"])
    return webhook.with_headers(line, ["X-Pusher-Key", line["key_id"]], ["X-Pusher-Signature", signature])


def verify(scheme, line):
    clock = pusher.authentication_client.time
    pusher.authentication_client.time = type("Clock", (), {"time": staticmethod(lambda: line["now"])})
    try:
        client = pusher.Pusher(app_id="1", key=line["key_id"], secret=line["secret"])
        mac, key = (webhook.header(line, f"X-Pusher-{name}") for name in ("Signature", "Key"))
        return client.validate_webhook(key, mac, line["body"]) is not None
    finally:
        pusher.authentication_client.time = clock


def fixed(scheme):
    bodies = {
        "json": '{"time_ms":1714566896123,"events":[{"name":"channel_occupied","channel":"a"}]}',
        "unicode": '{"events":[{"channel":"Zoë 😀"}], "time_ms": 1714566890000}',
    }
    lines = webhook.fixed(f"{SDK}, signature.sign", signed, ["x-pusher-signature"], bodies, key_id="a1b2c3")
    for line in lines:
        line["covered"].append("json.time_ms")
        line["open"] = [*line["open"], "key-id"]
    return lines
