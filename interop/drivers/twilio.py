"""Twilio's webhooks, by Twilio's library for Python."""

from urllib.parse import parse_qsl

from twilio.request_validator import RequestValidator

SDK = "twilio==9.13.0"
SCHEMES = ["twilio-form"]


class Parameters(dict):
    """What a web framework hands on: several values of one name."""

    def getall(self, name):
        return self[name]


def parameters(body):
    found = Parameters()
    for name, value in parse_qsl(body, keep_blank_values=True):
        found.setdefault(name, []).append(value)
    return found


def sign(scheme, rng, hostile):
    line = unsigned(scheme, rng, hostile)
    # Whether there is a port in what Twilio signs depends on the product.
    host = line["url"].split("/")[2]
    port = rng.choice(["", ":443"]) if ":" not in host else ""
    return signed(line, line["url"].replace(host, host + port, 1))


def unsigned(scheme, rng, hostile):
    query = hostile.query_string(rng, hostile.query(rng), plus=True, bare=True)
    # The library drops a `;` at the end of the path when it verifies.
    path = hostile.path(rng).rstrip(";")
    url = f"https://{hostile.host(rng)}{path}" + (f"?{query}" if query else "")
    line = {"method": "POST", "secret": hostile.secret(rng), "now": hostile.now(rng)}
    if rng.random() < 0.3:
        body = hostile.json_text(rng)
        digest = RequestValidator("").compute_hash(body)
        url += ("&" if query else "?") + f"bodySHA256={digest}"
        return {**line, "url": url, "headers": [["Content-Type", "application/json"]], "body": body}
    body = hostile.query_string(rng, hostile.form(rng), plus=True)
    return {**line, "url": url, "headers": [["Content-Type", "application/x-www-form-urlencoded"]], "body": body}


def signed(line, url):
    form = "form" in line["headers"][0][1]
    signature = RequestValidator(line["secret"]).compute_signature(url, parameters(line["body"]) if form else {})
    return {**line, "headers": [*line["headers"], ["X-Twilio-Signature", signature]]}


def verify(scheme, line):
    headers = {name.lower(): value for name, value in line["headers"]}
    form = "form" in headers["content-type"]
    body = parameters(line["body"]) if form else line["body"]
    return RequestValidator(line["secret"]).validate(line["url"], body, headers["x-twilio-signature"])


def fixed(scheme):
    form = "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&Digits=5678&From=Zo%C3%AB+B"
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    json = '{"property": "value", "boolean": true}'
    where = ["scheme", "host", "path", "query", "query.foo", "query.bar"]
    parts = [f"form.{name}" for name in ("CallSid", "Caller", "Digits", "From")]
    digest = RequestValidator("").compute_hash(json)
    for id, url, kind, body, covered, opened in [
        ("form", url, "application/x-www-form-urlencoded", form, [*where, *parts, "form"], []),
        ("form-port", "https://mycompany.com:8443/myapp.php?foo=1&bar=2", "application/x-www-form-urlencoded", form, [*where, *parts], []),
        ("json", f"{url}&bodySHA256={digest}", "application/json", json, [*where, "query.bodySHA256", "body"], []),
    ]:
        line = {
            "id": f"twilio-{id}",
            "source": f"{SDK}, RequestValidator.compute_signature",
            "expect": "verified",
            "covered": [*covered, "header.x-twilio-signature", "secret"],
            "open": ["method", "header.content-type", "header.i-twilio-idempotency-token", *opened],
            "method": "POST",
            "url": url,
            "headers": [["Content-Type", kind]],
            "body": body,
            "secret": "12345",
            "now": 1714566896,
        }
        yield signed(line, url)
