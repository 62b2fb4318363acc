"""WorkOS's webhooks, by WorkOS's library, which only verifies."""

import hashlib
import hmac

import workos.webhooks._verification as verification

import webhook

SDK = "workos==10.8.0"
SCHEMES = ["workos-webhook"]


def sign(scheme, rng, hostile):
    return signed(unsigned(scheme, rng, hostile))


def unsigned(scheme, rng, hostile):
    return webhook.unsigned(rng, hostile)


def signed(line):
    time = f"{line['now']}123"
    mac = hmac.new(line["secret"].encode(), f"{time}.{line['body']}".encode(), hashlib.sha256).hexdigest()
    line = webhook.with_headers(line, ["WorkOS-Signature", f"t={time}, v1={mac}"])
    return webhook.accepted(verify, "workos-webhook", line)


def verify(scheme, line):
    clock = verification.time
    verification.time = type("Clock", (), {"time": staticmethod(lambda: line["now"])})
    try:
        verification.verify_header(
            event_body=line["body"].encode(),
            event_signature=webhook.header(line, "WorkOS-Signature"),
            secret=line["secret"],
        )
        return True
    except ValueError:
        return False
    finally:
        verification.time = clock


def fixed(scheme):
    return webhook.fixed(f"{SDK}, verify_header", signed, ["workos-signature"])
