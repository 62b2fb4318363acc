"""What drivers of SDKs share that were made after Taobao's: parameters of the query and of a form, sorted, joined with
nothing between them, and the secret around them.

The SDKs are clients and verify nothing. Their functions that sign are asked what they make of the same parameters.
"""

from types import SimpleNamespace
from urllib.parse import parse_qsl, urlencode, urlsplit


class Sent(Exception):
    """A request has gone out."""


def capture(base, now, call):
    """The request that goes out for a call, at a time: `base` is the SDK's module that sends it."""
    line = {}

    class Connection:
        def __init__(self, domain, port=None, timeout=None):
            self.domain = domain

        def connect(self):
            pass

        def request(self, method, url, body=None, headers=None):
            if url.startswith("/"):
                url = f"https://{self.domain}{url}"
            fields = [["Content-Type", value] for name, value in (headers or {}).items() if name.lower() == "content-type"]
            line.update(method=method, url=url, headers=fields, body=body or "", now=now)
            raise Sent

    base.httplib = base.client = SimpleNamespace(HTTPConnection=Connection, HTTPSConnection=Connection)
    base.time = now_as(base.time, now)
    try:
        call()
    except Sent:
        return line


def now_as(time, now):
    """The module `time`, stopped in China."""
    import datetime

    china = datetime.timezone(datetime.timedelta(hours=8))
    at = datetime.datetime.fromtimestamp(now, china)
    return SimpleNamespace(time=lambda: now, localtime=lambda: at, strftime=lambda form, at: at.strftime(form))


def parameters(rng, hostile, taken, character=lambda char: True):
    """Parameters of a call: objects carry them as attributes, of which those with a line in front are changed."""
    found = {}
    for name, value in hostile.distinct(hostile.form(rng)):
        name = "".join(filter(character, name)).lstrip("_")
        if name and name not in taken:
            found[name] = "".join(filter(character, value))
    return found


def call(api, found):
    """A call with its parameters."""
    for name, value in found.items():
        setattr(api, name, value)
    return api


def all_of(line):
    """The parameters of a line, without the signature; and that."""
    found = dict(parse_qsl(urlsplit(line["url"]).query, True) + parse_qsl(line["body"], True))
    return found, found.pop("sign")


def unsigned(rng, hostile, url, common, found):
    """A request to be signed: some of it in the query, some in a form."""
    line = {"method": "POST", "url": f"{url}?{urlencode(common)}", "headers": [], "body": "", "secret": hostile.secret(rng), "key_id": hostile.word(rng, 8)}
    if rng.random() < 0.3:
        return {**line, "url": f"{line['url']}&{urlencode(found)}"}
    return {**line, "headers": [["Content-Type", "application/x-www-form-urlencoded;charset=UTF-8"]], "body": urlencode(found)}


def vector(id, source, line, common):
    """A positive vector: all parameters are covered, and nothing else."""
    names = [f"query.{name}" for name in common]
    form = [f"form.{name}" for name, _ in parse_qsl(line["body"], True)]
    return {
        "id": id,
        "source": source,
        "expect": "verified",
        "covered": [*names, "query", *form, *(["form"] if form else []), "key-id", "secret"],
        "open": ["method", "scheme", "host", "path"],
        **line,
    }


AWKWARD = {"fields": "num_iid,title", "q": "中文 a&b=c", "num_iid": "11223344"}
