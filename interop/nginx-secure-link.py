#!/usr/bin/env python3
"""Whether nginx follows the links that Countersign signs: a live nginx with the expression of its manual, on loopback.

    nginx-secure-link.py --unsigned --count 300 > lines.jsonl
    countersign sign --jsonl < lines.jsonl | nginx-secure-link.py --verify

nginx itself is the judge, so that it is no driver of an SDK: it has to be installed, with its secure_link module.
"""

import argparse
import http.client
import json
import random
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import hostile  # noqa: E402  (found through the line above)

CONFIG = """
pid {folder}/pid; error_log {folder}/error; daemon off;
events {{}}
http {{
    access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    server {{
        listen 127.0.0.1:{port};
        location / {{
            secure_link $arg_md5,$arg_expires;
            secure_link_md5 "$secure_link_expires$uri$remote_addr secret";
            if ($secure_link = "") {{ return 403; }}
            if ($secure_link = "0") {{ return 410; }}
            return 204;
        }}
    }}
}}
"""


def unsigned(count, seed):
    for index in range(count):
        rng = random.Random(f"nginx/{seed}/{index}")
        # nginx reads the first of two parameters of a name, and ours refuses both.
        query = hostile.query_string(rng, [(name, value) for name, value in hostile.query(rng) if name not in ("md5", "expires")])
        variables = {"remote-addr": "127.0.0.1", "expires": str(int(time.time()) + 3600)}
        url = f"http://example.com{hostile.path(rng)}{'?' + query if query else ''}"
        yield {"id": f"nginx/{seed}/{index}", "scheme": "nginx-secure-link-md5", "method": "GET", "url": url, "secret": "secret", "vars": variables, "now": int(time.time())}


def verify(lines):
    with tempfile.TemporaryDirectory() as folder:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        config = Path(folder) / "nginx.conf"
        config.write_text(CONFIG.format(folder=folder, port=port))
        server = subprocess.Popen(["nginx", "-p", folder, "-c", str(config)], stderr=subprocess.DEVNULL)
        try:
            wait(port)
            for text in lines:
                line = json.loads(text)
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.putrequest("GET", line["url"].removeprefix("http://example.com"), skip_host=True)
                connection.putheader("Host", "example.com")
                connection.endheaders()
                print(json.dumps({"id": line["id"], "status": connection.getresponse().status}))
                connection.close()
        finally:
            server.terminate()
            server.wait()


def wait(port):
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit("nginx does not answer")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--unsigned", action="store_true")
    parser.add_argument("--verify", action="store_true")
    arguments = parser.parse_args()
    if arguments.unsigned:
        for line in unsigned(arguments.count, arguments.seed):
            print(json.dumps(line, ensure_ascii=False))
    if arguments.verify:
        verify(sys.stdin)


if __name__ == "__main__":
    main()
