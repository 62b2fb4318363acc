"""What an SDK built on `requests` sends: taken where it would leave the process, which nothing does.

A driver runs the SDK's own client and gets the line of what would have gone over the wire, with the encodings of URL and
body that `requests` chose.
"""

import base64
import contextlib

import requests


class Sent(BaseException):
    """Carries the request past the SDK's `except Exception`."""

    def __init__(self, request):
        super().__init__("not sent")
        self.request = request


def sent(call, session=requests.Session):
    """The line of the request that `call` would send; `session` is the class of an SDK that brings its own `requests`."""

    def take(self, request, **options):
        raise Sent(request)

    with replaced((session, "send", take)):
        try:
            call()
        except Sent as stopped:
            return line(stopped.request)
    raise RuntimeError("nothing was sent")


def line(request):
    """A prepared request as a line."""
    text = lambda value: value.decode("latin-1") if isinstance(value, bytes) else value  # noqa: E731
    headers = [[text(name), text(value)] for name, value in request.headers.items()]
    return {"method": request.method, "url": text(request.url), "headers": headers, **body(request.body)}


def body(content):
    """The member that holds a body."""
    content = content.encode() if isinstance(content, str) else content or b""
    try:
        return {"body": content.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(content).decode()}


@contextlib.contextmanager
def replaced(*places):
    """Other values in the places of an SDK's clock and nonce: (object, name, value), put back at the end."""
    kept = [(place, name, getattr(place, name)) for place, name, _ in places]
    try:
        for place, name, value in places:
            setattr(place, name, value)
        yield
    finally:
        for place, name, value in kept:
            setattr(place, name, value)


def vector(scheme, id, source, covered, opened, line):
    """A positive case of vectors/SCHEME/sdk.jsonl."""
    return {"id": id, "source": source, "expect": "verified", "covered": covered, "open": opened, **line}
