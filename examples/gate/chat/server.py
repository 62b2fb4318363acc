"""The chat: whoever is connected says a name, and then lines, which everybody else gets.

The service knows nothing of secrets. It listens on this machine alone, and the gate before it lets in who proves to
have one.
"""

import argparse
import socketserver
import threading


class Room:
    """Who is there. Names are taken once."""

    def __init__(self):
        self.lock = threading.Lock()
        self.there = {}

    def enter(self, name, wfile):
        with self.lock:
            if name in self.there:
                return False
            self.there[name] = wfile
            return True

    def leave(self, name):
        with self.lock:
            self.there.pop(name, None)

    def say(self, name, text):
        line = f"{name}: {text}\n".encode()
        with self.lock:
            for other, wfile in self.there.items():
                if other != name:
                    try:
                        wfile.write(line)
                        wfile.flush()
                    except OSError:
                        pass  # Its own thread notices.


class Guest(socketserver.StreamRequestHandler):
    def handle(self):
        room = self.server.room
        name = self.line()
        if not name:
            return
        if not room.enter(name, self.wfile):
            self.wfile.write(b"* this name is taken\n")
            return
        self.wfile.write(f"* welcome, {name}\n".encode())
        try:
            room.say("*", f"{name} is here")
            while (text := self.line()) is not None:
                room.say(name, text)
        finally:
            room.leave(name)
            room.say("*", f"{name} has left")

    def line(self):
        """A line of text, or None where there are no more."""
        try:
            raw = self.rfile.readline(4096)
        except OSError:
            return None
        return raw.decode("utf-8", "replace").strip() if raw.endswith(b"\n") else None


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=9000)
    arguments = parser.parse_args()
    with Server(("127.0.0.1", arguments.port), Guest) as server:
        server.room = Room()
        print("listening on %s:%d" % server.server_address, flush=True)
        server.serve_forever()
