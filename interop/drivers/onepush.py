"""Feishu's (Lark's) group robots, by onepush."""

import onepush.providers.lark
from onepush.providers.lark import Lark

import recorder

SDK = "onepush==1.10.0"
ALSO = ["requests==2.34.2"]
SCHEMES = ["feishu-bot"]


def sign(scheme, rng, hostile):
    return signed({"secret": hostile.secret(rng)}, hostile.text(rng), hostile.now(rng))


def signed(key, content, now):
    robot, session = Lark(), recorder.Recorder()
    prepare = {"keyword": "", "sign": key["secret"], "content": content}
    recorder.clocked(onepush.providers.lark, now, 0, lambda: robot._prepare_data(**prepare))
    session.post("https://open.feishu.cn/open-apis/bot/v2/hook/x", json=robot.data)
    return {**recorder.line(session.sent), **key, "now": now}


def fixed(scheme):
    key = {"secret": "demo"}
    return [
        {
            "id": f"onepush-{id}",
            "source": f"{SDK}, Lark._prepare_data",
            "expect": "verified",
            "covered": ["json.timestamp", "json.sign", "secret"],
            "open": ["method", "scheme", "host", "path", "query", "json", "header.content-type"],
            **signed(key, content, now),
        }
        for id, content, now in [("text", "hello", 1714566896), ("unicode", "你好 \" &", 1767225600)]
    ]
