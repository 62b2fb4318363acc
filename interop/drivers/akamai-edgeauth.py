"""Akamai's EdgeAuth tokens, by Akamai's library."""

from urllib.parse import quote

from akamai.edgeauth import EdgeAuth

SDK = "akamai-edgeauth==0.3.2"
SCHEMES = ["akamai-edgeauth"]
QUICK = True


def sign(scheme, rng, hostile):
    # The library escapes nothing: what holds `~` passes for another field. Its own token then has two readings.
    def plain(text):
        return text.replace("~", "-")

    now = hostile.now(rng)
    path = plain(hostile.path(rng))
    options = {"end_time": now + rng.randint(1, 9999)}
    if rng.random() < 0.3:
        options["start_time"] = now - rng.randint(1, 9999)
    if rng.random() < 0.3:
        options["salt"] = hostile.word(rng)
    if rng.random() < 0.3:
        options["session_id"] = plain(hostile.text(rng, control=False))
    if rng.random() < 0.3:
        options["payload"] = plain(hostile.text(rng, control=False))
    if rng.random() < 0.3:
        options["ip"] = rng.choice(["192.0.2.7", "2001:db8::7"])
    acl = None
    if rng.random() < 0.5:
        own = path[: rng.randint(1, len(path))].replace("!", "?") + "*"
        acl = rng.sample(["/x/*", "/none", own], 3)[: rng.randint(1, 3)]
        acl += [] if own in acl else [own]
    query = hostile.query_string(rng, hostile.query(rng))
    line = {"method": rng.choice(["GET", "HEAD"]), "headers": [], "now": now, "secret": rng.randbytes(rng.randint(8, 32)).hex()}
    return signed(line, f"https://{hostile.host(rng)}", path, query, options, acl, rng.choice(["sha256", "sha256", "sha1", "md5"]))


def signed(line, origin, path, query, options, acl=None, algorithm="sha256"):
    auth = EdgeAuth(key=line["secret"], algorithm=algorithm, **options)
    token = auth.generate_acl_token(acl) if acl else auth.generate_url_token(path)
    line = {**line, "url": f"{origin}{path}?{query + '&' if query else ''}__token__={quote(token, safe='~*!')}"}
    if "salt" in options:
        line["vars"] = {"salt": options["salt"]}
    if "ip" in options:
        line["peer"] = options["ip"]
    if algorithm != "sha256":
        line["alg"] = f"hmac-{algorithm}"
    return line


def fixed(scheme):
    line = {"method": "GET", "headers": [], "now": 1714566896, "secret": "52a152a152a152a152a152a152a1"}
    options = {"end_time": 1714570496, "start_time": 1714566000, "session_id": "s-1", "payload": "k=v", "salt": "grain"}
    common = {"expect": "verified", "open": ["method", "scheme", "host", "query", "body", "header.user-agent"]}
    url = {**common, "id": "akamai-edgeauth-url", "source": f"{SDK}, generate_url_token", "covered": ["path", "query.__token__", "secret"]}
    acl = {**common, "id": "akamai-edgeauth-acl", "source": f"{SDK}, generate_acl_token", "covered": ["path", "query.__token__", "var.salt", "secret"]}
    # These paths fit the list, too.
    acl["open"] = [*acl["open"], "path:longer", "path:deeper", "path:shorter"]
    origin = "https://cdn.example.com"
    return [
        {**url, **signed(line, origin, "/videos/a%20b.mp4", "x=1", {"end_time": 1714570496, "ip": "192.0.2.7"})},
        {**acl, **signed(line, origin, "/videos/1/a.mp4", "", options, ["/videos/*", "/i?/*"])},
    ]
