"""WeChat Pay APIv3, by wechatpayv3: requests as it sends them, and answers and notifications as it checks them."""

import json
import uuid
from pathlib import Path
from types import SimpleNamespace

import requests
from wechatpayv3 import core, utils
from wechatpayv3.type import RequestType

SDK = "wechatpayv3==2.0.4"
SCHEMES = ["wechatpay-v3", "wechatpay-v3-response"]

KEYS = Path(__file__).resolve().parents[2] / "vectors/keys"
PRIVATE = (KEYS / "rsa.pem").read_text()
PUBLIC = (KEYS / "rsa.pub.pem").read_text()
SERIAL = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
PUBLIC_KEY_ID = "PUB_KEY_ID_0114232134912410000000000000"
TYPE = "WECHATPAY2-SHA256-RSA2048"


def client():
    return core.Core("1900009191", SERIAL, PRIVATE, "0" * 32, public_key=PUBLIC, public_key_id=PUBLIC_KEY_ID)


def sign(scheme, rng, hostile):
    now = hostile.now(rng)
    if scheme == "wechatpay-v3":
        path = hostile.path(rng)
        found = hostile.query(rng)
        if found:
            path += "?" + hostile.query_string(rng, found)
        method = rng.choice(list(RequestType)[:5])
        # Of an empty object the SDK signs nothing and sends `{}`.
        data = (hostile.json(rng) or {"a": ""}) if method in (RequestType.POST, RequestType.PATCH, RequestType.PUT) else None
        return request(method, path, data, now, uuid.UUID(int=rng.getrandbits(128)))
    line = unsigned(scheme, rng, hostile)
    del line["private_key"]
    return signed({**line, "public_key": PUBLIC, "now": now}, hostile.word(rng, 32))


def request(method, path, data, now, nonce):
    """The request that goes out for a call, with the SDK's clock and nonce."""
    sent = {}

    def capture(method):
        def send(url, headers, json=None, data=None, files=None, **_):
            prepared = requests.Request(method, url, headers=headers, json=json, data=data, files=files).prepare()
            body = prepared.body or b""
            sent.update(
                method=prepared.method,
                url=prepared.url,
                headers=[[name, value] for name, value in prepared.headers.items() if name in ("Content-Type", "Authorization")],
                body=body.decode() if isinstance(body, bytes) else body,
            )
            return SimpleNamespace(status_code=200, text="", content=b"", headers={})

        return send

    core.requests = SimpleNamespace(**{name: capture(name.upper()) for name in ("get", "post", "patch", "put", "delete")})
    utils.time = SimpleNamespace(time=lambda: now)
    utils.uuid = SimpleNamespace(uuid4=lambda: nonce)
    client().request(path, method=method, data=data, skip_verify=True)
    return {**sent, "key_id": SERIAL, "public_key": PUBLIC, "now": now}


def unsigned(scheme, rng, hostile):
    if scheme == "wechatpay-v3":
        method = hostile.method(rng)
        return {
            "method": method,
            "url": f"https://api.mch.weixin.qq.com{hostile.path(rng)}",
            "headers": [["Content-Type", "application/json"]],
            "body": hostile.json_text(rng) if method in ("POST", "PUT", "PATCH") else "",
            "key_id": SERIAL,
            "private_key": PRIVATE,
            "vars": {"mchid": "1900009191"},
        }
    line = {
        "headers": [["Content-Type", "application/json"]],
        # An empty body makes a signature without its type, which the SDK insists on.
        "body": hostile.body_text(rng) or "{}",
        "key_id": PUBLIC_KEY_ID,
        "private_key": PRIVATE,
        "now": hostile.now(rng),
    }
    if rng.random() < 0.5:
        return {**line, "status": rng.choice([200, 201, 204])}
    return {**line, "method": "POST", "url": f"https://{hostile.host(rng)}{hostile.path(rng)}"}


def signed(line, nonce):
    """What WeChat Pay would send: the SDK's function signs it."""
    text = f"{line['now']}\n{nonce}\n{line['body']}\n"
    signature = utils.rsa_sign(utils.load_private_key(PRIVATE), text)
    fields = {"Serial": line["key_id"], "Signature-Type": TYPE, "Timestamp": str(line["now"]), "Nonce": nonce, "Signature": signature}
    return {**line, "headers": line["headers"] + [[f"Wechatpay-{name}", value] for name, value in fields.items()]}


def verify(scheme, line):
    if scheme == "wechatpay-v3":
        # The SDK is a client. What it would sign of the same request is what was signed.
        parameters = dict(item.split("=", 1) for item in header(line, "Authorization").split(" ", 1)[1].split(","))
        parameters = {name: value.strip('"') for name, value in parameters.items()}
        target = line["url"].removeprefix("https://api.mch.weixin.qq.com")
        text = "\n".join([line["method"], target, parameters["timestamp"], parameters["nonce_str"], line["body"], ""])
        return utils.rsa_sign(utils.load_private_key(PRIVATE), text) == parameters["signature"]
    return client()._verify_signature({name.title(): value for name, value in line["headers"]}, line["body"])


def header(line, name):
    return next(value for known, value in line["headers"] if known.lower() == name.lower())


def fixed(scheme):
    now = 1714566896
    if scheme == "wechatpay-v3":
        covered = ["method", "path", "query", "body", "header.authorization", "secret"]
        calls = [
            ("get", RequestType.GET, "/v3/pay/transactions/out-trade-no/1217752501201407033233368018?mchid=1900009191", None),
            ("post", RequestType.POST, "/v3/pay/transactions/jsapi", {"mchid": "1900009191", "out_trade_no": "中文 a&b", "amount": {"total": 1}}),
            ("patch", RequestType.PATCH, "/v3/a%2Fb/%E4%B8%AD?x=a+b&x=%26", {"a": 1.0}),
            ("delete", RequestType.DELETE, "/v3/marketing/favor/callbacks", None),
        ]
        return [
            {
                "id": f"wechatpayv3-{id}",
                "source": f"{SDK}, Core.request",
                "expect": "verified",
                "covered": covered,
                # The serial number names the key, and nothing else.
                "open": ["scheme", "host", "key-id", "header.content-type"],
                **request(method, path, data, now, uuid.UUID(int=0x593BEC0C930BF1AFEB40B4A08C8FB242 + index)),
            }
            for index, (id, method, path, data) in enumerate(calls)
        ]
    lines = []
    for id, message in [
        ("notification", {"method": "POST", "url": "https://example.com/notify?a=b", "body": json.dumps({"id": "EV-1", "resource_type": "encrypt-resource"})}),
        ("answer", {"status": 200, "body": '{"prepay_id":"wx1"}'}),
        ("answer-unicode", {"status": 400, "body": '{"message":"订单号\\n重复", "n":1.0}'}),
    ]:
        line = {
            "id": f"wechatpayv3-{id}",
            "source": f"{SDK}, utils.rsa_sign; Core._verify_signature accepts it",
            "expect": "verified",
            "covered": ["body", "header.wechatpay-timestamp", "header.wechatpay-nonce", "header.wechatpay-signature", "secret"],
            "open": ["key-id", "header.content-type"] + (["status"] if "status" in message else ["method", "scheme", "host", "path", "query"]),
            "headers": [["Content-Type", "application/json"]],
            "key_id": PUBLIC_KEY_ID,
            "public_key": PUBLIC,
            "now": now,
            **message,
        }
        lines.append(signed(line, "DpJG3ZkFVjTyAj1eQEVgTc6w6q8W1kCt"))
        assert verify(scheme, lines[-1])
    return lines
