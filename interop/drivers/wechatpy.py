"""WeChat Pay APIv2, by wechatpy: requests as it sends them, checked as it checks answers."""

import re
from types import SimpleNamespace

import xmltodict
from wechatpy import pay
from wechatpy.pay import utils

SDK = "wechatpy==1.8.18"
# What it imports and does not ask for.
ALSO = ["cryptography==50.0.2", "setuptools==65.5.0"]
SCHEMES = ["wechatpay-v2-md5", "wechatpay-v2-hmac"]

SECRET = "192006250b4c09247ec02edce69f6a2d"
NAMES = ["appid", "attach", "body", "detail", "device_info", "out_trade_no", "spbill_create_ip", "total_fee", "x.1-a", "größe", "_a"]


def sign(scheme, rng, hostile):
    parameters = {name: value(rng, hostile) for name in rng.sample(NAMES, rng.randint(0, 6))}
    # A number is signed as its digits; of 0 the SDK makes an element that it does not sign.
    if rng.random() < 0.5:
        parameters["total_fee"] = rng.randint(1, 10**9)
    return request(scheme, parameters, hostile.secret(rng, 32, 32), hostile.word(rng, 32), hostile.now(rng))


def value(rng, hostile):
    """A text that XML can hold and that the SDK writes as it signs it: in a CDATA section, which `]]>` would end, and
    whose carriage returns are line feeds to whoever reads them."""
    text = re.sub("[\\x00-\\x08\\x0b-\\x1f]", "", hostile.value(rng))
    return text.replace("]]>", "]]")


def request(scheme, parameters, secret, nonce, now):
    """The request that goes out for a call, with the SDK's nonce."""
    client = pay.WeChatPay("wxd930ea5d5a258f4f", secret, "10000100")
    sent = {}
    client._http = SimpleNamespace(request=lambda method, url, data, **_: sent.update(method=method.upper(), url=url, body=data.decode()) or answer)
    answer = SimpleNamespace(raise_for_status=lambda: None, text="")
    pay.random_string = lambda length: nonce
    data = {"appid": "wxd930ea5d5a258f4f", **parameters}
    if scheme == "wechatpay-v2-hmac":
        data["sign_type"] = "HMAC-SHA256"
    client.post("pay/unifiedorder", data=data)
    return {**sent, "headers": [["Content-Type", "text/xml"]], "key_id": "10000100", "secret": secret, "now": now}


def unsigned(scheme, rng, hostile):
    # Where it reads XML, the SDK drops white space around a text.
    parameters = {name: value(rng, hostile).strip() for name in rng.sample(NAMES, rng.randint(0, 6))}
    return {
        "method": "POST",
        "url": "https://api.mch.weixin.qq.com/pay/unifiedorder",
        "headers": [["Content-Type", "text/xml"]],
        "body": utils.dict_to_xml(parameters),
        "key_id": "10000100",
        "secret": hostile.secret(rng, 32, 32),
    }


def verify(scheme, line):
    parameters = dict(xmltodict.parse(line["body"])["xml"])
    if scheme == "wechatpay-v2-md5":
        return pay.WeChatPay("wxd930ea5d5a258f4f", line["secret"], "10000100").check_signature(parameters)
    return parameters.pop("sign") == utils.calculate_signature_hmac(parameters, line["secret"])


def fixed(scheme):
    elements = ["xml.appid", "xml.body", "xml.nonce_str", "xml.mch_id"]
    lines = []
    for id, parameters, more in [
        ("order", {"body": "test", "device_info": "1000"}, ["xml.device_info"]),
        ("awkward", {"body": "a&b=c<d>", "attach": "中文 \"é\"", "total_fee": 1}, ["xml.attach", "xml.total_fee"]),
        ("empty", {"body": "x", "detail": ""}, []),
    ]:
        lines.append({
            "id": f"wechatpy-{id}",
            "source": f"{SDK}, WeChatPay.post",
            "expect": "verified",
            "covered": [*elements, *more, "xml.sign", "xml", "key-id", "secret"],
            "open": ["method", "scheme", "host", "path", "query", "header.content-type"],
            **request(scheme, parameters, SECRET, "ibuaiVcKdpRxkhJA", 1714566896),
        })
    return lines
