"""Slack's requests, by Slack's SDK for Python."""

from slack_sdk.signature import Clock, SignatureVerifier

SDK = "slack_sdk==3.47.0"
SCHEMES = ["slack-v0"]
QUICK = True


def sign(scheme, rng, hostile):
    return signed(unsigned(scheme, rng, hostile))


def unsigned(scheme, rng, hostile):
    form = hostile.query_string(rng, hostile.form(rng), plus=True)
    return {
        "method": "POST",
        "url": f"https://{hostile.host(rng)}{hostile.path(rng)}",
        "headers": [["Content-Type", "application/x-www-form-urlencoded"]],
        "body": form if rng.random() < 0.5 else hostile.body_text(rng),
        "secret": hostile.secret(rng),
        "now": hostile.now(rng),
    }


def signed(line):
    timestamp = str(line["now"])
    signature = SignatureVerifier(line["secret"]).generate_signature(timestamp=timestamp, body=line["body"])
    headers = [["X-Slack-Request-Timestamp", timestamp], ["X-Slack-Signature", signature]]
    return {**line, "headers": line["headers"] + headers}


def verify(scheme, line):
    clock = Clock()
    clock.now = lambda: line["now"]
    return SignatureVerifier(line["secret"], clock).is_valid_request(line["body"], dict(line["headers"]))


def fixed(scheme):
    bodies = {
        "command": "token=xyzz0WbapA4vBCDEFasx0q6G&team_domain=testteamnow&command=%2Fwebhook-collect&text=a+b%26c",
        "event": '{"type":"event_callback","event":{"text":"Zoë 😀"}}',
    }
    for id, body in bodies.items():
        line = {
            "id": f"slack-sdk-{id}",
            "source": f"{SDK}, SignatureVerifier.generate_signature",
            "expect": "verified",
            "covered": ["header.x-slack-request-timestamp", "header.x-slack-signature", "body", "secret"],
            "open": ["method", "scheme", "host", "path", "query", "header.content-type", "header.x-slack-retry-num"],
            "method": "POST",
            "url": "https://example.com/slack/events",
            "headers": [["Content-Type", "application/x-www-form-urlencoded"]],
            "body": body,
            "secret": "8f742231b10e8888abcd99yyyzzz85a5",
            "now": 1531420618,
        }
        yield signed(line)
