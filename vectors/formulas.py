#!/usr/bin/env python3
"""Signs requests by the formulas that starters and gateways publish, for schemes whose clients cannot be installed here.

    python3 vectors/formulas.py NAME > vectors/NAME/sdk.jsonl
    python3 vectors/formulas.py --all            # writes them all

Each function is the formula of one scheme, written down anew from what its `source` names: nothing of the engine is
used, and nothing of the vendor's code is in it. Where the formula is that of an article, its client is called.
"""

import base64
import hashlib
import hmac
import json
import subprocess
import sys
from email.utils import formatdate
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "examples" / "articles"))
import md5_token  # noqa: E402  (found through the line above)
import oneworldsync  # noqa: E402
import spring_sign  # noqa: E402

FORM = ["Content-Type", "application/x-www-form-urlencoded"]
JSON = ["Content-Type", "application/json"]
NOW = 1714566896


def mac(hash, key, text):
    return hmac.digest(key.encode(), text if isinstance(text, bytes) else text.encode(), hash)


def b64(data):
    return base64.b64encode(data).decode()


def digest(name, text):
    return hashlib.new(name, text if isinstance(text, bytes) else text.encode(), usedforsecurity=False).hexdigest()


def parts(url):
    """Authority, path and query of a URL, as sent."""
    found = urlsplit(url)
    return found.netloc, found.path or "/", found.query


def decoded(url):
    return parse_qsl(parts(url)[2], keep_blank_values=True)


def target(url):
    _, path, query = parts(url)
    return path + (f"?{query}" if query else "")


def with_query(url, *pairs):
    """The URL with parameters appended, encoded as a client encodes them."""
    text = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in pairs)
    return f"{url}{'&' if '?' in url else '?'}{text}"


def case(id, source, line, covered, opened):
    return {"id": id, "source": source, "expect": "verified", "covered": covered, "open": opened, "now": NOW, **line}


# --- gateways ---


def kong(line, listed, hash="sha256"):
    """Kong: one `name: value` for each listed field, the target as `@request-target: get /path?query`."""
    headers = [["Date", formatdate(NOW, usegmt=True)], *line["headers"]]
    headers.append(["Digest", "SHA-256=" + b64(hashlib.sha256(line.get("body", "").encode()).digest())])
    values = {name.lower(): value for name, value in headers}
    values["@request-target"] = f"{line['method'].lower()} {target(line['url'])}"
    values["host"] = parts(line["url"])[0]
    text = "\n".join(f"{name}: {values[name]}" for name in listed.split())
    signature = b64(mac(hash, line["secret"], text))
    written = f'hmac username="{line["key_id"]}", algorithm="hmac-{hash}", headers="{listed}", signature="{signature}"'
    return {**line, "headers": [*headers, ["Authorization", written]]}


def kong_hmac_auth():
    source = "the formula of kong/plugins/hmac-auth/access.lua, Kong/kong@22246ef"
    covered = ["method", "path", "query", "body", "header.date", "header.digest", "header.authorization", "secret"]
    opened = ["scheme", "key-id", "header.x-other"]
    key = {"key_id": "alice123", "secret": "secret"}
    get = {"method": "GET", "url": "http://localhost:8000/requests?x=1&y=a%20b", "headers": [], **key}
    post = {"method": "POST", "url": "https://api.example.com/a%20b/", "headers": [JSON, ["X-Tag", 'a "b"']], "body": "{\"a\": 1}", **key}
    yield case("kong-get", source, kong(get, "date @request-target digest"), covered, [*opened, "host"])
    yield case(
        "kong-post", source, kong(post, "x-tag host digest @request-target date"), [*covered, "host", "header.x-tag"], [*opened, "header.content-type"]
    )


def apisix_v1_text(line, algorithm, date, signed):
    """METHOD, path, query sorted by name and encoded, key, date, and `name:value` of each listed field, a line each."""
    _, path, _ = parts(line["url"])
    pairs = sorted(decoded(line["url"]), key=lambda pair: pair[0])
    query = "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in pairs)
    values = {name.lower(): value for name, value in line["headers"]} | {"host": parts(line["url"])[0]}
    lines = [line["method"], unquote(path), query, line["key_id"], date]
    lines += [f"{name}:{values[name.lower()]}" for name in signed.split(";") if name]
    return b64(mac(algorithm.removeprefix("hmac-"), line["secret"], "\n".join(lines) + "\n"))


def apisix_v1(line, algorithm, signed):
    date = formatdate(NOW, usegmt=True)
    signature = apisix_v1_text(line, algorithm, date, signed)
    headers = [
        *line["headers"],
        ["X-HMAC-SIGNATURE", signature],
        ["X-HMAC-ALGORITHM", algorithm],
        ["X-HMAC-ACCESS-KEY", line["key_id"]],
        ["Date", date],
    ]
    if signed:
        headers.append(["X-HMAC-SIGNED-HEADERS", signed])
    return {**line, "headers": headers}


APISIX_V1 = "the formula of apisix/plugins/hmac-auth.lua of 2020, apache/apisix@02b6e31"
APISIX_V1_COVERED = ["method", "path", "query", "query.age", "secret"]
APISIX_KEY = {"key_id": "user-key", "secret": "my-secret-key"}
APISIX_GET = {
    "method": "GET",
    "url": "http://127.0.0.1:9080/index.html?name=ja%20mes&age=36&age=3%2B7",
    "headers": [["User-Agent", "curl/7.29.0"], ["x-custom-a", "test"]],
    **APISIX_KEY,
}


def apisix_hmac_v1():
    fields = [f"header.x-hmac-{name}" for name in ("signature", "algorithm", "access-key")] + ["header.date"]
    get = apisix_v1(APISIX_GET, "hmac-sha256", "User-Agent;x-custom-a")
    listed = ["header.x-hmac-signed-headers", "header.user-agent", "header.x-custom-a"]
    yield case("apisix-v1-get", APISIX_V1, get, [*APISIX_V1_COVERED, *fields, *listed], ["scheme", "host", "body", "header.x-other"])
    post = {**APISIX_GET, "method": "POST", "headers": [JSON], "body": '{"a":1}', "alg": "hmac-sha512"}
    made = apisix_v1(post, "hmac-sha512", "host")
    yield case("apisix-v1-post", APISIX_V1, made, [*APISIX_V1_COVERED, *fields, "host"], ["scheme", "body", "header.x-other"])
    post = {**APISIX_GET, "method": "PUT", "url": "http://127.0.0.1:9080/a%20b?age=", "headers": [], "body": "x", "alg": "hmac-sha1"}
    made = apisix_v1(post, "hmac-sha1", "")
    yield case("apisix-v1-put", APISIX_V1, made, [*APISIX_V1_COVERED, *fields], ["scheme", "host", "body", "header.x-other"])


def apisix_hmac_v1_body():
    """The same, and the body's HMAC in a field that is not signed."""
    source = "the formula of apisix/plugins/hmac-auth.lua with validate_request_body, from the documentation of APISIX 3.9"
    fields = [f"header.x-hmac-{name}" for name in ("signature", "algorithm", "access-key", "digest")] + ["header.date"]
    for method, body in (("POST", '{"a":1}'), ("GET", "")):
        line = {**APISIX_GET, "method": method, "headers": [JSON], "body": body}
        line["headers"].append(["X-HMAC-DIGEST", b64(mac("sha256", line["secret"], body))])
        made = apisix_v1(line, "hmac-sha256", "host")
        yield case(f"apisix-v1-body-{method.lower()}", source, made, [*APISIX_V1_COVERED, *fields, "host", "body"], ["scheme", "header.x-other"])


def apisix_hmac_v1_authorization():
    date = formatdate(NOW, usegmt=True)
    signed = "User-Agent;x-custom-a"
    signature = apisix_v1_text(APISIX_GET, "hmac-sha256", date, signed)
    written = "#".join(["hmac-auth-v1", "user-key", signature, "hmac-sha256", date, signed])
    line = {**APISIX_GET, "headers": [*APISIX_GET["headers"], ["Authorization", written]]}
    covered = [*APISIX_V1_COVERED, "header.authorization", "header.user-agent", "header.x-custom-a"]
    yield case("apisix-v1-authorization", APISIX_V1, line, covered, ["scheme", "host", "body", "header.x-other"])


def apisix_v2(line, listed, hash="sha256"):
    """Key, then a line for each listed field; the target is a line without a name; and a line feed at the end."""
    headers = [["Date", formatdate(NOW, usegmt=True)], *line["headers"]]
    if "body" in line:
        headers.append(["Digest", "SHA-256=" + b64(hashlib.sha256(line["body"].encode()).digest())])
    values = {name.lower(): value for name, value in headers} | {"host": parts(line["url"])[0]}
    lines = [line["key_id"]]
    for name in listed.split():
        lines.append(f"{line['method']} {target(line['url'])}" if name == "@request-target" else f"{name}: {values[name]}")
    signature = b64(mac(hash, line["secret"], "\n".join(lines) + "\n"))
    written = f'Signature keyId="{line["key_id"]}",algorithm="hmac-{hash}",headers="{listed}",signature="{signature}"'
    return {**line, "headers": [*headers, ["Authorization", written]]}


def apisix_hmac_v2():
    source = "the formula of apisix/plugins/hmac-auth.lua, apache/apisix@f519a0f"
    key = {"key_id": "john-key", "secret": "john-secret-key"}
    covered = ["method", "path", "query", "body", "key-id", "header.date", "header.authorization", "secret"]
    get = {"method": "GET", "url": "http://127.0.0.1:9080/get?a=1&b=%20c", "headers": [], **key}
    yield case("apisix-v2-get", source, apisix_v2(get, "@request-target date"), covered, ["scheme", "host", "header.x-other"])
    post = {"method": "POST", "url": "http://127.0.0.1:9080/po%20st", "headers": [JSON, ["X-Tag", "a, b"]], "body": '{"name":"test"}', **key, "alg": "hmac-sha512"}
    made = apisix_v2(post, "date host @request-target x-tag digest", "sha512")
    yield case("apisix-v2-post", source, made, [*covered, "host", "header.x-tag", "header.digest"], ["scheme", "header.x-other"])


# --- Apache ShenYu ---

SHENYU = "apache/shenyu@eb6f1c5"
SHENYU_KEY = {"key_id": "1TEST123456781", "secret": "506EEB535CF740D7A755CB4B9F4A1536"}


def java(value):
    """What Java's String.valueOf makes of what Jackson read: maps as {a=1, b=x}, lists as [1, x]."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}={java(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(java, value)) + "]"
    return {True: "true", False: "false", None: "null"}[value] if value is None or isinstance(value, bool) else str(value)


def shenyu_v1(line, with_body):
    """MD5 of all names and values, sorted by name, without anything between, and the secret behind them."""
    _, path, query = parts(line["url"])
    stamp = str(NOW * 1000 + 186)
    signed = {"timestamp": stamp, "path": path, "version": "1.0.0"}
    if with_body:
        if line.get("body"):
            signed |= {name: java(value) for name, value in json.loads(line["body"]).items()}
        signed |= dict(pair.split("=", 1) for pair in query.split("&") if pair)
    text = "".join(f"{name}{signed[name]}" for name in sorted(signed, key=lambda name: name.encode("utf-16-be")))
    sign = digest("md5", text + line["secret"]).upper()
    headers = [*line["headers"], ["timestamp", stamp], ["appKey", line["key_id"]], ["sign", sign], ["version", "1.0.0"]]
    return {**line, "headers": headers}


SHENYU_V1_COVERED = ["path", "header.timestamp", "header.sign", "header.version", "secret"]


def shenyu_sign_v1():
    source = f"the formula of VersionOneSignProvider without a body, {SHENYU}"
    opened = ["method", "scheme", "host", "query", "body", "key-id"]
    line = {"method": "GET", "url": "http://gw.example.com/api/service/abc", "headers": [], **SHENYU_KEY}
    yield case("shenyu-v1-get", source, shenyu_v1(line, False), SHENYU_V1_COVERED, opened)
    line = {"method": "POST", "url": "http://gw.example.com/a%20b/?x=1", "headers": [JSON], "body": "{}", **SHENYU_KEY}
    yield case("shenyu-v1-post", source, shenyu_v1(line, False), SHENYU_V1_COVERED, opened)


def shenyu_sign_v1_body():
    source = f"the formula of VersionOneSignProvider with signRequestBody, {SHENYU}"
    opened = ["method", "scheme", "host", "key-id"]
    line = {"method": "GET", "url": "http://gw.example.com/api/service/abc?b=1%2B2&a=x%20y", "headers": [], **SHENYU_KEY}
    yield case("shenyu-v1-body-get", source, shenyu_v1(line, True), [*SHENYU_V1_COVERED, "query", "query.a", "query.b"], opened)
    body = '{"name":"ShenYu 😀","count":2, "tags":["a",{"b":null,"c":[]}],"flag":true,"none":null,"big":12345678901234567890,"\\uff61":"k"}'
    line = {"method": "POST", "url": "http://gw.example.com/a%20b/?q=1", "headers": [JSON], "body": body, **SHENYU_KEY}
    covered = [*SHENYU_V1_COVERED, "query", "query.q", "json", "json.name", "json.count", "json.flag", "json.big"]
    yield case("shenyu-v1-body-post", source, shenyu_v1(line, True), covered, opened)


def shenyu_v2(line, alg, with_body=False):
    """Base64 of the parameters, path and query decoded, and the body if the rule says so; signed, in capitals."""
    _, path, query = parts(line["url"])
    parameters = {"alg": alg, "version": "2.0.0", "appKey": line["key_id"], "timestamp": str(NOW * 1000 + 186)}
    encoded = b64(json.dumps(parameters).encode())
    text = encoded + unquote(path) + (f"?{unquote(query)}" if query else "") + (line.get("body", "") if with_body else "")
    if alg == "MD5":
        sign = digest("md5", text + line["secret"])
    else:
        sign = mac({"HMD5": "md5", "HS256": "sha256", "HS512": "sha512"}[alg], line["secret"], text).hex()
    headers = [["version", "2.0.0"], *line["headers"], ["ShenYu-Authorization", f"{encoded}.{sign.upper()}"]]
    return {**line, "headers": headers}


def shenyu_v2_cases(name, algs, with_body, rule):
    source = f"the formula of VersionTwoSignProvider{rule}, {SHENYU}"
    covered = ["path", "query", "query.a", "header.version", "header.shenyu-authorization", "secret"]
    opened = ["method", "scheme", "host"]
    for alg, key in algs:
        line = {"method": "GET", "url": "http://gw.example.com/a%20b/c?a=x%26y", "headers": [], **SHENYU_KEY, **key}
        made = shenyu_v2(line, alg, with_body)
        yield case(f"{name}-{alg.lower()}", source, made, covered + ["body"] * with_body, opened + ["body"] * (not with_body))
    line = {**line, "method": "POST", "headers": [JSON], "body": '{"data": "data"}'}
    made = shenyu_v2(line, alg, with_body)
    yield case(f"{name}-post", source, made, covered + ["body"] * with_body, opened + ["body"] * (not with_body))


HMACS = [("HS512", {"alg": "hmac-sha512"}), ("HMD5", {"alg": "hmac-md5"}), ("HS256", {})]


def shenyu_sign_v2():
    yield from shenyu_v2_cases("shenyu-v2", HMACS, False, " without a body")


def shenyu_sign_v2_body():
    yield from shenyu_v2_cases("shenyu-v2-body", HMACS, True, " with signRequestBody")


def shenyu_sign_v2_md5():
    yield from shenyu_v2_cases("shenyu-v2", [("MD5", {})], False, " with alg MD5")


# --- Spring starters ---


def satoken_text(pairs, secret):
    """Parameters by name, empty ones left out, and `key=SECRET` behind them."""
    return "&".join(f"{k}={v}" for k, v in sorted(pairs) if v) + f"&key={secret}"


SATOKEN = "the formula of SaSignTemplate, dromara/Sa-Token@2fbe902"
SATOKEN_SECRET = {"secret": "kQwIOrYvnXmSDkwEiFngrKidMcdrgKor"}
SATOKEN_ADDED = [("timestamp", NOW * 1000), ("nonce", "KZ1z0k5a2b3c4d5e6f7g8h9i0j1k2l3m")]


def satoken_sign():
    covered = ["query.timestamp", "query.nonce", "query.sign", "query", "secret"]
    opened = ["method", "scheme", "host", "path", "header.x-other"]
    url = with_query("http://sso.example.com/sso/user?loginId=10001&name=a%20%26b&admin=", *SATOKEN_ADDED)
    sign = digest("md5", satoken_text(decoded(url), SATOKEN_SECRET["secret"]))
    # Empty parameters are not signed, so one can be taken away.
    more = ["query.admin:removed", "body"]
    line = {"method": "GET", "url": with_query(url, ("sign", sign)), "headers": [], **SATOKEN_SECRET}
    yield case("satoken-get", SATOKEN, line, [*covered, "query.loginId", "query.name"], [*opened, *more])
    url = with_query("http://sso.example.com/sso/user?b=2", *SATOKEN_ADDED)
    body = "a=1+x&c=%E4%B8%AD"
    sign = digest("sha256", satoken_text(decoded(url) + parse_qsl(body), SATOKEN_SECRET["secret"]))
    line = {"method": "POST", "url": with_query(url, ("sign", sign)), "headers": [FORM], "body": body, **SATOKEN_SECRET, "alg": "sha256"}
    yield case("satoken-post-sha256", SATOKEN, line, [*covered, "form", "form.a", "form.c"], opened)


def satoken_sign_form():
    url = "http://sso.example.com/sso/user?b=2"
    pairs = [("loginId", "10001"), *((k, str(v)) for k, v in SATOKEN_ADDED)]
    sign = digest("md5", satoken_text(decoded(url) + pairs, SATOKEN_SECRET["secret"]))
    body = "&".join(f"{k}={v}" for k, v in [*pairs, ("sign", sign)])
    line = {"method": "POST", "url": url, "headers": [FORM], "body": body, **SATOKEN_SECRET}
    covered = ["form", "form.loginId", "form.timestamp", "form.nonce", "form.sign", "query", "query.b", "secret"]
    yield case("satoken-form", SATOKEN, line, covered, ["method", "scheme", "host", "path", "header.x-other"])


def yudao(line):
    """Parameters by name, the body if it is JSON, `appId=…&nonce=…&timestamp=…` and the secret, side by side."""
    pairs = decoded(line["url"])
    kind = dict(line["headers"]).get("Content-Type", "")
    body = line.get("body", "")
    if kind == FORM[1]:
        pairs += parse_qsl(body, keep_blank_values=True)
    nonce, stamp = "d0f1a2b3c4", str(NOW * 1000)
    text = "&".join(f"{k}={v}" for k, v in sorted(pairs)) + (body if kind.startswith("application/json") else "")
    text += f"appId={line['key_id']}&nonce={nonce}&timestamp={stamp}{line['secret']}"
    fields = [["appId", line["key_id"]], ["timestamp", stamp], ["nonce", nonce], ["sign", digest("sha256", text)]]
    return {**line, "headers": [*line["headers"], *fields]}


def yudao_signature():
    source = "the formula of ApiSignatureAspect, YunaiV/ruoyi-vue-pro@e4e460d"
    covered = ["query", "key-id", "header.appId", "header.timestamp", "header.nonce", "header.sign", "secret"]
    opened = ["method", "scheme", "host", "path", "header.x-other"]
    key = {"key_id": "xxxxxx", "secret": "yyyyyy"}
    line = {"method": "GET", "url": "http://api.example.com/test?k=v%26w&a=", "headers": [], **key}
    yield case("yudao-get", source, yudao(line), [*covered, "query.k", "query.a"], [*opened, "body"])
    line = {"method": "POST", "url": "http://api.example.com/test?k=1", "headers": [["Content-Type", "application/json;charset=UTF-8"]], "body": '{"a": "b"}', **key}
    yield case("yudao-json", source, yudao(line), [*covered, "query.k", "body"], opened)
    line = {"method": "POST", "url": "http://api.example.com/test", "headers": [FORM], "body": "z=1&b=2+x", **key}
    yield case("yudao-form", source, yudao(line), [*covered, "form", "form.b"], opened)


def opencloud_sign():
    """Parameters by name, trimmed, empty ones left out, each with `&` behind it, and `SecretKey=SECRET`."""
    source = "the formula of SignatureUtils.getSign, uhonliu/open-platform@96d1050"
    key = {"key_id": "1552274783265", "secret": "0osTIhce7uPvDKHz6aa67bhCukaKoYl4"}
    covered = ["query", "key-id", "secret", *(f"query.{name}" for name in ("AppId", "Timestamp", "Nonce", "SignType", "Sign"))]
    opened = ["method", "scheme", "host", "path", "header.x-other"]
    # 2024-05-01 12:34:56 UTC is 20:34:56 in China.
    for kind, more in (("SHA256", {}), ("MD5", {"alg": "md5"})):
        url = with_query(
            "http://open.example.com/a?user=%E5%BC%A0+%26&empty=",
            ("AppId", key["key_id"]), ("Nonce", "lcuwdteo5p0uyuzdw6vxz85mi"), ("SignType", kind), ("Timestamp", "20240501203456"),
        )  # fmt: skip
        text = "".join(f"{k}={v.strip()}&" for k, v in sorted(decoded(url)) if v.strip()) + f"SecretKey={key['secret']}"
        line = {"method": "GET", "url": with_query(url, ("Sign", digest(kind.lower(), text))), "headers": [], **key, **more}
        yield case(f"opencloud-{kind.lower()}", source, line, [*covered, "query.user"], [*opened, "body", "query.empty:removed"])


def jeecg(line):
    """One sorted JSON object of strings: parameters, members of a JSON body, a last segment with commas; and the secret."""
    _, path, _ = parts(line["url"])
    signed = dict(decoded(line["url"]))
    last = path.rsplit("/", 1)[1]
    if "," in last:
        signed["x-path-variable"] = unquote(last)
    if line.get("body"):
        for name, value in json.loads(line["body"], parse_float=str).items():
            signed[name] = {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
    signed.pop("_t", None)
    ordered = dict(sorted(signed.items(), key=lambda pair: pair[0].encode("utf-16-be")))
    text = json.dumps(ordered, ensure_ascii=False, separators=(",", ":")) + line["secret"]
    sign = digest("md5", text).upper()
    return {**line, "headers": [*line["headers"], ["X-TIMESTAMP", str(NOW * 1000)], ["X-Sign", sign]]}


def jeecg_sign():
    source = "the formula of SignUtil and HttpUtils, jeecgboot/JeecgBoot@cb4d606"
    secret = {"secret": "dd05f1c54d63749eda95f9fa6d49v442a"}
    covered = ["query", "header.x-sign", "secret"]
    # The time is not signed; but one that has another form, or lies outside of the window, is refused.
    opened = ["method", "scheme", "host", "query._t:flipped", "header.x-other"]
    line = {"method": "GET", "url": "http://boot.example.com/sys/dict/getDictItems/sys_user,real%20name,id?_t=1714566896&b=%22x%22&a=1", "headers": [], **secret}
    yield case("jeecg-get", source, jeecg(line), [*covered, "query.a", "query.b", "path:deeper", "path:flipped", "path:shorter"], opened)
    body = '{"id":1,"name":"张 \\"三\\"\\n","price":12.5,"ok":true, "e":"/😀","\\uff61":""}'
    line = {"method": "POST", "url": "http://boot.example.com/sys/a?b=2&_t=1", "headers": [JSON], "body": body, **secret}
    covered += ["query.b", "json", "json.id", "json.name", "json.price", "json.ok", "json.e"]
    yield case("jeecg-post", source, jeecg(line), covered, [*opened, "path"])


# --- our own, and those of the articles ---


def countersign_v1():
    """schemes/countersign-v1.toml, in Python."""
    source = "the formula of schemes/countersign-v1.toml, in Python"
    key = {"key_id": "alice", "secret": "correct horse battery staple"}
    get = {"method": "GET", "url": "https://api.example.com/orders?dry=1&b=%20", "headers": [], **key}
    post = {"method": "POST", "url": "https://api.example.com:8443/orders", "headers": [JSON], "body": '{"item":7}', **key}
    for id, line in (("get", get), ("post", post)):
        nonce = "3f9c1d0a7b5e42688c11"
        kind = dict(line["headers"]).get("Content-Type")
        lines = ["countersign-v1", line["method"], parts(line["url"])[0], target(line["url"])]
        lines += [f"content-type:{kind}"] if kind else []
        lines += [digest("sha256", line.get("body", "")), line["key_id"], str(NOW), nonce]
        day = hmac.digest(line["secret"].encode(), b"20240501", "sha256")
        signature = b64(hmac.digest(hmac.digest(day, b"countersign-v1", "sha256"), "\n".join(lines).encode(), "sha256"))
        written = f'Countersign key-id="alice", timestamp={NOW}, nonce="{nonce}", signature="{signature}"'
        covered = ["method", "host", "path", "query", "body", "key-id", "header.content-type", "header.authorization", "secret"]
        made = {**line, "headers": [*line["headers"], ["Authorization", written]]}
        yield case(f"countersign-{id}", source, made, covered, ["scheme", "header.x-other"])


def spring_line(line, nonce, sign):
    fields = [["appid", "alice"], ["timestamp", str(NOW)], ["nonce", nonce], ["sign", sign]]
    return {**line, "key_id": "alice", "headers": [*line["headers"], *fields]}


SPRING_GET = {"method": "GET", "url": "https://api.example.com/a%20b?b=2&a=x%20y&a=1", "headers": []}
SPRING_POST = {"method": "POST", "url": "https://api.example.com/api/transfer?to=b", "headers": [JSON], "body": '{"from": "a", "amount": 100}'}
SPRING_NONCE = "8c1de47a5a6f4c0fb1b0c7d0"
SPRING_COVERED = ["path", "query", "body", "header.timestamp", "header.nonce", "header.sign", "secret"]


def spring_sign_md5():
    for id, line in (("get", SPRING_GET), ("post", SPRING_POST)):
        secret = "a shared secret of some length"
        body = line.get("body", "").encode()
        sign = spring_sign.md5_sign(parts(line["url"])[1], decoded(line["url"]), body, SPRING_NONCE, NOW, secret)
        made = spring_line({**line, "secret": secret}, SPRING_NONCE, sign.upper() if id == "post" else sign)
        opened = ["method", "scheme", "host", "key-id", "header.content-type"]
        yield case(f"spring-{id}", "examples/articles/spring_sign.py, md5_sign", made, SPRING_COVERED, opened)


def spring_text(line):
    """schemes/spring-sign-hmac.toml, in Python."""
    pairs = sorted((quote(k, safe="~"), quote(v, safe="~")) for k, v in decoded(line["url"]))
    authority, path, _ = parts(line["url"])
    query = "&".join(f"{k}={v}" for k, v in pairs)
    return "\n".join([line["method"], authority, path, query, digest("sha256", line.get("body", "")), SPRING_NONCE, str(NOW)])


def spring_sign_hmac():
    for id, line in (("get", SPRING_GET), ("post", SPRING_POST)):
        secret = "a shared secret of some length"
        made = spring_line({**line, "secret": secret}, SPRING_NONCE, mac("sha256", secret, spring_text(line)).hex())
        source = "the formula of schemes/spring-sign-hmac.toml, in Python"
        yield case(f"spring-hmac-{id}", source, made, ["method", "host", *SPRING_COVERED], ["scheme", "key-id", "header.content-type"])


def openssl(arguments, text):
    return subprocess.run(["openssl", *arguments], input=text.encode(), capture_output=True, check=True).stdout


def spring_sign_rsa():
    for id, line in (("get", SPRING_GET), ("post", SPRING_POST)):
        key = HERE / "keys" / "rsa.pem"
        made = spring_line({**line, "private_key": key.read_text()}, SPRING_NONCE, b64(openssl(["dgst", "-sha256", "-sign", str(key)], spring_text(line))))
        source = "the formula of schemes/spring-sign-rsa.toml, in Python, signed by OpenSSL"
        yield case(f"spring-rsa-{id}", source, made, ["method", "host", *SPRING_COVERED], ["scheme", "key-id", "header.content-type"])


def md5_token_article():
    for id, url in (("get", "http://x/p"), ("query", "https://example.com/asset/?page=2")):
        made = md5_token.attach_token(url, "alice", NOW, "s3cr3t")
        line = {"method": "GET", "url": made, "headers": [], "key_id": "alice", "secret": "s3cr3t"}
        covered = ["key-id", "query.user", "query.timestamp", "query.token", "secret"]
        opened = ["method", "scheme", "host", "path", "query", "body"]
        yield case(f"md5-token-{id}", "examples/articles/md5_token.py, attach_token", line, covered, opened)


def oneworldsync_v2():
    source = "examples/articles/oneworldsync.py, string_to_hash and hash_code"
    query = oneworldsync.parameters("9af172d4", "2024-05-01T12:34:56Z", "00007252147019")
    for id, more in (("search", []), ("awkward", [("name", "a b&c=d é"), ("empty", "")])):
        code = oneworldsync.hash_code(oneworldsync.string_to_hash("/V2/products", query + more), "XXXXX")
        url = with_query("https://marketplace.api.1worldsync.com/V2/products", *query, *more, ("hash_code", code))
        line = {"method": "GET", "url": url, "headers": [], "key_id": "9af172d4", "secret": "XXXXX"}
        covered = ["path", "query", "key-id", "secret", *(f"query.{name}" for name in ("app_id", "TIMESTAMP", "hash_code", "query"))]
        yield case(f"1worldsync-{id}", source, line, covered, ["method", "scheme", "host", "body"])


def oneworldsync_content1():
    """Content1: the same text, with the hash in a field."""
    source = "the formula of the Content1 HMAC guide 1.2, by way of examples/articles/oneworldsync.py"
    for id, line in (
        ("post", {"method": "POST", "headers": [JSON], "body": "{}"}),
        ("get", {"method": "GET", "headers": []}),
    ):
        query = [("pageSize", "1000"), ("name", "a b"), ("timestamp", "2024-05-01T12:34:56Z")]
        code = oneworldsync.hash_code(oneworldsync.string_to_hash("/V1/product/fetch", query), "secret123")
        url = with_query("https://content1-api.1worldsync.com/V1/product/fetch", *query)
        headers = [*line["headers"], ["appId", "appid123"], ["hashCode", code]]
        covered = ["path", "query", "secret", "query.timestamp", "query.name", "header.hashcode"]
        made = {**line, "url": url, "headers": headers, "key_id": "appid123", "secret": "secret123"}
        yield case(f"1worldsync-content1-{id}", source, made, covered, ["method", "scheme", "host", "body", "key-id"])


def cavage(line, listed, sign):
    """draft-cavage-12: a line for each name that is listed, joined by line feeds."""
    headers = [["Host", parts(line["url"])[0]], ["Date", formatdate(NOW, usegmt=True)], *line["headers"]]
    if "body" in line:
        headers.append(["Digest", "SHA-256=" + b64(hashlib.sha256(line["body"].encode()).digest())])
    values = {name.lower(): value for name, value in headers} | {"(request-target)": f"{line['method'].lower()} {target(line['url'])}"}
    signature = sign("\n".join(f"{name}: {values[name]}" for name in listed.split()))
    written = f'Signature keyId="Test",algorithm="hs2019",headers="{listed}",signature="{b64(signature)}"'
    return {**line, "key_id": "Test", "headers": [*headers, ["Authorization", written]]}


def cavage_cases(key, arguments):
    path = HERE / "keys" / f"{key}.pem"
    source = "the formula of draft-cavage-http-signatures-12, signed by OpenSSL"
    get = {"method": "GET", "url": "https://example.com/foo?param=value&pet=dog", "headers": [], "private_key": path.read_text()}
    post = {**get, "method": "POST", "headers": [JSON], "body": '{"hello": "world"}'}
    covered = ["method", "host", "path", "query", "query.pet", "body", "header.date", "header.authorization", "secret"]
    for id, line, listed in (("get", get, "(request-target) host date"), ("post", post, "date digest host (request-target)")):
        made = cavage(line, listed, lambda text: openssl(["dgst", *arguments, "-sign", str(path)], text))
        yield case(f"cavage-{key}-{id}", source, made, covered + ["header.digest"] * (id == "post"), ["scheme", "header.x-other"])


def draft_cavage_12_ecdsa_p256():
    yield from cavage_cases("p256", ["-sha256"])


def draft_cavage_12_rsa_pss_sha512():
    yield from cavage_cases("rsa", ["-sha512", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:64"])


FORMULAS = {
    "1worldsync": oneworldsync_v2,
    "1worldsync-content1": oneworldsync_content1,
    "apisix-hmac-v1": apisix_hmac_v1,
    "apisix-hmac-v1-body": apisix_hmac_v1_body,
    "apisix-hmac-v1-authorization": apisix_hmac_v1_authorization,
    "apisix-hmac-v2": apisix_hmac_v2,
    "countersign-v1": countersign_v1,
    "draft-cavage-12-ecdsa-p256": draft_cavage_12_ecdsa_p256,
    "draft-cavage-12-rsa-pss-sha512": draft_cavage_12_rsa_pss_sha512,
    "jeecg-sign": jeecg_sign,
    "kong-hmac-auth": kong_hmac_auth,
    "md5-token": md5_token_article,
    "opencloud-sign": opencloud_sign,
    "satoken-sign": satoken_sign,
    "satoken-sign-form": satoken_sign_form,
    "shenyu-sign-v1": shenyu_sign_v1,
    "shenyu-sign-v1-body": shenyu_sign_v1_body,
    "shenyu-sign-v2": shenyu_sign_v2,
    "shenyu-sign-v2-body": shenyu_sign_v2_body,
    "shenyu-sign-v2-md5": shenyu_sign_v2_md5,
    "spring-sign": spring_sign_md5,
    "spring-sign-hmac": spring_sign_hmac,
    "spring-sign-rsa": spring_sign_rsa,
    "yudao-signature": yudao_signature,
}


def main(names):
    if names == ["--all"]:
        for name, formula in FORMULAS.items():
            (HERE / name).mkdir(exist_ok=True)
            lines = [json.dumps(line, ensure_ascii=False) for line in formula()]
            (HERE / name / "sdk.jsonl").write_text("\n".join(lines) + "\n")
        return
    for name in names:
        for line in FORMULAS[name]():
            print(json.dumps(line, ensure_ascii=False))


if __name__ == "__main__":
    main(sys.argv[1:])
