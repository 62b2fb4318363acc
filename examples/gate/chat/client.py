"""A client of the chat: the article's handshake, then lines both ways.

The gate sends 32 random bytes, and the client answers with their HMAC, which is MD5's as in the article. Lines of
standard input are said, and what others say is printed.
"""

import argparse
import hmac
import socket
import sys
import threading


def prove(stream, secret):
    """Answers the gate's challenge. All of it has to be there: one `recv` may bring less."""
    challenge = b""
    while len(challenge) < 32:
        piece = stream.recv(32 - len(challenge))
        if not piece:
            raise ConnectionError("the gate has hung up")
        challenge += piece
    stream.sendall(hmac.new(secret, challenge, "md5").digest())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gate", default="127.0.0.1:8090", metavar="HOST:PORT")
    parser.add_argument("--secret", required=True)
    parser.add_argument("--name", required=True)
    arguments = parser.parse_args()
    host, port = arguments.gate.rsplit(":", 1)
    with socket.create_connection((host, int(port))) as stream:
        prove(stream, arguments.secret.encode())
        # Right behind the answer: the gate knows where the answer ends.
        stream.sendall(f"{arguments.name}\n".encode())
        lines = stream.makefile("r", encoding="utf-8")
        try:
            welcome = lines.readline()
        except ConnectionError:
            welcome = ""
        if not welcome:
            print("refused: wrong secret", flush=True)
            return 1
        print(welcome, end="", flush=True)

        def listen():
            for line in lines:
                print(line, end="", flush=True)

        listening = threading.Thread(target=listen)
        listening.start()
        for line in sys.stdin:
            stream.sendall(line.encode())
        # Nothing more to say; what others say still comes, until the service has noticed.
        stream.shutdown(socket.SHUT_WR)
        listening.join()
    return 0


if __name__ == "__main__":
    sys.exit(main())
