"""An HTTP session that sends nothing, and keeps the request that an SDK has prepared."""

import requests

# What requests writes of its own accord, and no scheme here signs.
NOISE = {"accept", "accept-encoding", "connection", "content-length", "user-agent"}


class Recorder(requests.Session):
    """Takes the place of an SDK's own session."""

    sent = None
    answer = b"{}"

    def send(self, request, **_):
        self.sent = request
        response = requests.Response()
        response.status_code = 200
        response._content = self.answer
        return response


def line(sent):
    """A prepared request as a line."""
    headers = [[text(name), text(value)] for name, value in sent.headers.items() if name.lower() not in NOISE]
    return {"method": sent.method, "url": sent.url, "headers": headers, "body": text(sent.body or "")}


def text(value):
    return value.decode() if isinstance(value, bytes) else value


class Clock:
    """Takes the place of a module `time`."""

    def __init__(self, now, millis=0):
        self.now = now + millis / 1000

    def time(self):
        return self.now


def clocked(module, now, millis, make):
    """What `make` gives while a module's `time` stands still."""
    before = module.time
    module.time = Clock(now, millis)
    try:
        return make()
    finally:
        module.time = before
