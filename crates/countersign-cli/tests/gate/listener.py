"""A Listener of multiprocessing.connection: says back what it is sent, until it is killed."""

import sys
from multiprocessing.connection import AuthenticationError, Listener

with Listener(("127.0.0.1", 0), authkey=sys.argv[1].encode()) as listener:
    print("%s:%d" % listener.address, flush=True)
    while True:
        try:
            with listener.accept() as connection:
                while True:
                    connection.send(connection.recv())
        except (EOFError, OSError, AuthenticationError):
            pass
