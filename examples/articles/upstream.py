#!/usr/bin/env python3
"""An upstream that verifies nothing: it answers with what it got, and writes it down as a line of JSON.

    python3 upstream.py --port 8000 --log upstream.jsonl

Whatever stands in that log came through the gateway. The first line says where it listens.
"""

import argparse
import base64
import json
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any, TextIO


class Upstream(ThreadingHTTPServer):
    def __init__(self, port: int, log: TextIO) -> None:
        super().__init__(("127.0.0.1", port), Echo)
        self.log = log
        self.lock = Lock()

    def note(self, entry: dict[str, Any]) -> None:
        """One line, whole, before the answer is given."""
        with self.lock:
            print(json.dumps(entry, ensure_ascii=False), file=self.log, flush=True)


class Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Upstream

    def answer(self) -> None:
        # The gateway frames anew what it forwards, and always with a length.
        if self.headers["Transfer-Encoding"] is not None:
            self.send_error(411)
            return
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        got = {"method": self.command, "target": self.path, **text_or_base64(body)}
        self.server.note({**got, "headers": list(self.headers.items())})
        identity = {name: value for name, value in self.headers.items() if name.lower().startswith("countersign-")}
        answer = json.dumps({**got, **identity}, ensure_ascii=False).encode() + b"\n"
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the log of requests is the one above."""


def text_or_base64(body: bytes) -> dict[str, str]:
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}


def main() -> None:
    parser = argparse.ArgumentParser(description="Answers with what it got, and logs it as JSON lines.")
    parser.add_argument("--port", type=int, default=8000, help="0 for any that is free")
    parser.add_argument("--log", type=argparse.FileType("w", encoding="utf-8"), default=sys.stdout, metavar="FILE")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Upstream(options.port, options.log) as server:
        server.note({"listening": f"http://127.0.0.1:{server.server_port}"})
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
