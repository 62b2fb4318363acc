"""Alipay's gateway, by Alipay's library for Python: requests as it sends them, answers as it checks them, notifications
as its functions sign and check them."""

import datetime
import json
from pathlib import Path
from urllib.parse import parse_qsl, quote_plus, urlsplit

import rsa
from alipay.aop.api import DefaultAlipayClient as module
from alipay.aop.api.AlipayClientConfig import AlipayClientConfig
from alipay.aop.api.request.AlipayTradeQueryRequest import AlipayTradeQueryRequest
from alipay.aop.api.util import SignatureUtils
from Crypto.PublicKey import RSA

SDK = "alipay-sdk-python==3.7.1411"
SCHEMES = ["alipay-rsa2", "alipay-notify"]

KEYS = Path(__file__).resolve().parents[2] / "vectors/keys"
PEM = (KEYS / "rsa.pem").read_text()
PUBLIC = (KEYS / "rsa.pub.pem").read_text()
# It reads keys in PKCS#1, without the lines around them.
BARE_PRIVATE = "".join(RSA.import_key(PEM).export_key("PEM", pkcs=1).decode().splitlines()[1:-1])
BARE_PUBLIC = "".join(PUBLIC.splitlines()[1:-1])
APP = "2016073100135823"
GATEWAY = "https://openapi.alipay.com/gateway.do"
ROOT = "alipay_trade_query_response"
CHINA = datetime.timezone(datetime.timedelta(hours=8))
module.THREAD_LOCAL.logger = None
module.THREAD_LOCAL.uuid = ""
# The library encodes values and not names.
NAMES = ["biz_content", "notify_url", "return_url", "app_auth_token", "x.y-z", "A", "_a", "buyer", "b_2"]


def client(charset="utf-8"):
    config = AlipayClientConfig()
    config.app_id = APP
    config.app_private_key = BARE_PRIVATE
    config.alipay_public_key = BARE_PUBLIC
    config.charset = charset
    return module.DefaultAlipayClient(config)


def sign(scheme, rng, hostile):
    now = hostile.now(rng)
    parameters = {name: value(rng, hostile, name) for name in rng.sample(NAMES, rng.randint(0, 5))}
    charset = "GBK" if rng.random() < 0.4 and fits(parameters, "GBK") else "utf-8"
    if scheme == "alipay-notify":
        return notification(parameters, charset, now, rng.random() < 0.3)
    if rng.random() < 0.4:
        return answer(hostile.json_text(rng), now)
    return request(parameters, charset, now, rng.random() < 0.5)


def value(rng, hostile, name):
    """A value. Of its own parameters the library signs empty ones, and does not send them."""
    own = name in ("notify_url", "return_url", "app_auth_token")
    return hostile.value(rng) or ("x" if own else "")


def fits(parameters, charset):
    try:
        return bool("".join(parameters.values()).encode(charset))
    except UnicodeEncodeError:
        return False


def request(parameters, charset, now, everything_in_the_query):
    """The request that goes out for a call at a time, in the SDK's two ways."""
    local = datetime.datetime.fromtimestamp(now, CHINA).replace(tzinfo=None)
    module.datetime = type("datetime", (), {"datetime": type("datetime", (), {"now": staticmethod(lambda: local)})})
    call = AlipayTradeQueryRequest()
    for name, value in parameters.items():
        call.add_other_text_param(name, value)
    line = {"method": "GET", "headers": [], "body": "", "key_id": APP, "public_key": PUBLIC, "now": now}
    if everything_in_the_query:
        return {**line, "url": client(charset).page_execute(call, "GET")}

    def post(url, query, headers, params, charset, timeout):
        body = module.url_encode(params, charset) if params else ""
        line.update(method="POST", url=f"{url}?{query}", body=body, headers=[["Content-Type", headers["Content-type"]]])
        raise InterruptedError

    module.do_post = post
    try:
        client(charset).execute(call)
    except InterruptedError:
        return line


def asked():
    return {"method": "POST", "url": f"{GATEWAY}?method=alipay.trade.query&app_id={APP}", "headers": [], "body": ""}


def answer(content, now, root=ROOT):
    """What Alipay would answer: the SDK's function signs it."""
    sign = SignatureUtils.sign_with_rsa2(BARE_PRIVATE, content, "utf-8")
    body = f'{{"{root}":{content},"sign":"{sign}"}}'
    return {"status": 200, "headers": [], "body": body, "request": asked(), "public_key": PUBLIC, "now": now}


def notification(parameters, charset, now, with_type):
    time = datetime.datetime.fromtimestamp(now, CHINA).strftime("%Y-%m-%d %H:%M:%S")
    parameters = {"app_id": APP, "notify_time": time, "notify_type": "trade_status_sync", "charset": charset, **parameters}
    signed = {**parameters, "sign_type": "RSA2"} if with_type else parameters
    sign = SignatureUtils.sign_with_rsa2(BARE_PRIVATE, SignatureUtils.get_sign_content(signed), charset)
    form = module.url_encode({**parameters, "sign_type": "RSA2", "sign": sign}, charset)
    headers = [["Content-Type", f"application/x-www-form-urlencoded; charset={charset}"]]
    return {"method": "POST", "url": "https://example.com/notify", "headers": headers, "body": form, "key_id": APP, "public_key": PUBLIC, "now": now}


def unsigned(scheme, rng, hostile):
    parameters = {name: hostile.value(rng) for name in rng.sample(NAMES, rng.randint(0, 5))}
    encoded = "&".join(f"{name}={quote_plus(value)}" for name, value in {**parameters, "charset": "utf-8"}.items())
    line = {"headers": [], "body": "", "key_id": APP, "private_key": PEM, "now": hostile.now(rng)}
    if scheme == "alipay-notify":
        return {**line, "method": "POST", "url": "https://example.com/notify", "body": encoded}
    if rng.random() < 0.4:
        return {**line, "status": 200, "body": f'{{"{ROOT}":{hostile.json_text(rng)}}}', "request": asked()}
    url = f"{GATEWAY}?method=alipay.trade.query&version=1.0"
    if rng.random() < 0.5:
        return {**line, "method": "GET", "url": f"{url}&{encoded}"}
    return {**line, "method": "POST", "url": url, "body": encoded}


def verify(scheme, line):
    if "status" in line:
        try:
            client()._DefaultAlipayClient__parse_response(line["body"].encode())
            return True
        except module.ResponseException:
            return False
    query = urlsplit(line["url"]).query
    parameters = dict(parse_qsl(query, True) + parse_qsl(line["body"], True))
    sign = parameters.pop("sign")
    if scheme == "alipay-notify":
        del parameters["sign_type"]
    content = SignatureUtils.get_sign_content(parameters)
    try:
        return SignatureUtils.verify_with_rsa(BARE_PUBLIC, content.encode(), sign)
    except rsa.VerificationError:
        return False


def fixed(scheme):
    now = 1714566896
    source = f"{SDK}, DefaultAlipayClient"
    biz = json.dumps({"out_trade_no": "中文 a&b=c", "n": 1}, ensure_ascii=False)
    if scheme == "alipay-notify":
        names = ["form.app_id", "form.notify_time", "form.total_amount", "form.sign", "form", "key-id", "secret"]
        lines = {
            "plain": notification({"total_amount": "0.01", "subject": "a+b&c"}, "utf-8", now, False),
            "with-sign-type": notification({"total_amount": "0.01", "subject": "中文"}, "utf-8", now, True),
            "gbk": notification({"total_amount": "0.01", "subject": "中文"}, "GBK", now, False),
        }
        opened = ["method", "scheme", "host", "path", "query", "header.content-type"]
        return [vector(id, f"{SDK}, sign_with_rsa2", names, opened, line) for id, line in lines.items()]
    common = [f"query.{name}" for name in ("app_id", "method", "timestamp", "charset", "sign_type", "sign")]
    requests = {
        "get": request({"biz_content": biz, "buyer": ""}, "utf-8", now, True),
        "post": request({"biz_content": biz}, "utf-8", now, False),
        "gbk": request({"biz_content": biz}, "GBK", now, False),
    }
    lines = [
        vector(id, source, [*common, "query", "key-id", "secret", *(["form.biz_content", "form"] if line["body"] else ["query.biz_content"])], ["method", "scheme", "host", "path"], line)
        for id, line in requests.items()
    ]
    content = '{"code":"10000", "msg":"Success","buyer":{"a":"}\\"{","n":1.0},"sign":"x"}'
    for id, root, covered in [("answer", ROOT, ["request.query.method"]), ("error-answer", "error_response", [])]:
        made = answer(content, now, root)
        assert verify(scheme, made)
        lines.append(vector(id, source, [f"json.{root}", "json.sign", "secret", *covered], ["status", "json"], made))
    return lines


def vector(id, source, covered, opened, line):
    return {"id": f"alipay-sdk-python-{id}", "source": source, "expect": "verified", "covered": covered, "open": opened, **line}
