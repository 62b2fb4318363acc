"""Feishu's (Lark's) events and card actions, by Lark's library, which only verifies."""

import hashlib

from lark_oapi.card.action_handler import CardActionHandler
from lark_oapi.core.model import RawRequest
from lark_oapi.event.dispatcher_handler import EventDispatcherHandler
from lark_oapi.core.exception import AccessDeniedException

import webhook

SDK = "lark-oapi==1.7.5"
SCHEMES = ["feishu-event", "feishu-card"]

NAMES = ["X-Lark-Request-Timestamp", "X-Lark-Request-Nonce", "X-Lark-Signature"]


def sign(scheme, rng, hostile):
    return signed(scheme, unsigned(scheme, rng, hostile), rng.choice([hostile.word(rng), str(rng.randint(0, 10**9))]))


def unsigned(scheme, rng, hostile):
    return webhook.unsigned(rng, hostile)


def signed(scheme, line, nonce="1663671434"):
    digest = hashlib.sha256 if scheme == "feishu-event" else hashlib.sha1
    message = f"{line['now']}{nonce}{line['secret']}{line['body']}"
    values = [str(line["now"]), nonce, digest(message.encode()).hexdigest()]
    return webhook.accepted(verify, scheme, webhook.with_headers(line, *zip(NAMES, values)))


def verify(scheme, line):
    request = RawRequest()
    request.headers = {name: webhook.header(line, name) for name in NAMES}
    request.body = line["body"].encode()
    try:
        if scheme == "feishu-event":
            EventDispatcherHandler.builder("", "").build()._verify_sign(request, line["secret"])
        else:
            CardActionHandler.builder("", line["secret"]).build()._verify_sign(request)
        return True
    except AccessDeniedException:
        return False
    except Exception as error:
        # The card handler has an exception of its own for this.
        if "signature" in str(error):
            return False
        raise


def fixed(scheme):
    names = [name.lower() for name in NAMES]
    bodies = {
        "encrypted": '{"encrypt":"FIAfJPGRmFZWkaxPQ1XrJZVbv2JwdjfLk4jx0k/U1deAqYK3AXOZ5zcHt/cC4ZNTqYwWUW/EoL+b2hW/C4zoAQ=="}',
        "plain": '{"schema":"2.0", "header":{"event_id":"5e3702a8"},"event":{"text":"你好"}}',
    }
    return webhook.fixed(f"{SDK}, _verify_sign", lambda line: signed(scheme, line), names, bodies)
