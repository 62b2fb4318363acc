"""DingTalk's group robots, by DingtalkChatbot."""

from dingtalkchatbot.chatbot import DingtalkChatbot

SDK = "DingtalkChatbot==1.5.7"
SCHEMES = ["dingtalk-bot"]

ADDRESS = "https://oapi.dingtalk.com/robot/send?access_token="


def sign(scheme, rng, hostile):
    key = {"key_id": hostile.word(rng, 64), "secret": f"SEC{hostile.secret(rng)}"}
    return signed(key, hostile.body_text(rng), hostile.now(rng), rng.randint(0, 999))


def signed(key, body, now, millis):
    robot = DingtalkChatbot(ADDRESS + key["key_id"], secret=key["secret"])
    robot.webhook, robot.start_time = ADDRESS + key["key_id"], now + millis / 1000
    robot.update_webhook()
    headers = [["Content-Type", "application/json; charset=utf-8"]]
    return {"method": "POST", "url": robot.webhook, "headers": headers, "body": body, **key, "now": now}


def fixed(scheme):
    key = {"key_id": "d1f0a2", "secret": "SEC7ef8dd46a2a1cbf7a9d8f5f6a1f0cdd2b1"}
    return [
        {
            "id": f"dingtalkchatbot-{id}",
            "source": f"{SDK}, DingtalkChatbot.update_webhook",
            "expect": "verified",
            "covered": ["query.timestamp", "query.sign", "secret"],
            "open": ["method", "scheme", "host", "path", "query", "body", "header.content-type", "key-id"],
            **signed(key, body, now, 123),
        }
        for id, body, now in [
            ("text", '{"msgtype":"text","text":{"content":"hello"}}', 1714566896),
            ("later", '{"msgtype":"text","text":{"content":"你好"}}', 1767225600),
        ]
    ]
