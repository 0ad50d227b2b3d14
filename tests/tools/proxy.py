"""A TCP proxy between worker and server whose network can be made bad while it runs."""
import contextlib
import random
import select
import socket
import struct
import threading
import time

CHUNK = 65536


def reset(connection):
    """Closes with RST instead of FIN, as a broken network does."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Pair:
    """One connection of a client and its counterpart at the server."""

    def __init__(self, client, server):
        self.client, self.server = client, server
        self.ready_at = 0.0  # when bytes may go on (delay)

    def other(self, end):
        return self.server if end is self.client else self.client


class Proxy:
    """Listens on a free port of 127.0.0.1 and forwards to `target`'s port. One thread of its own.

    Modes: pass; refuse (new connections are reset); stall (bytes wait); mute (bytes of the server are
    thrown away: requests arrive, answers do not); delay (each chunk waits up to `pause`)."""

    def __init__(self, target, seed):
        self.target = target
        self.random = random.Random(seed)
        self.mode = "pass"
        self.pause = 0.0
        self.tear_after = None  # bytes of the server until all connections are reset
        self.torn = self.connections = self.bytes = 0
        self.lock = threading.Lock()
        self.pairs = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.closing = False
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def close(self):
        self.closing = True
        self.thread.join()
        self.listener.close()
        self.reset_all()

    def set(self, mode, pause=0.0):
        with self.lock:
            self.mode, self.pause = mode, pause

    def reset_all(self):
        """Breaks every connection; how many there were."""
        with self.lock:
            count = len(self.pairs)
            for pair in self.pairs:
                reset(pair.client)
                reset(pair.server)
            self.pairs = []
            return count

    def tear(self, after):
        """Breaks every connection once `after` more bytes of the server have passed."""
        with self.lock:
            self.tear_after = after

    def accept(self):
        client, _ = self.listener.accept()
        if self.mode == "refuse":
            return reset(client)
        try:
            server = socket.create_connection(("127.0.0.1", self.target), 5)
        except OSError:
            return reset(client)
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.connections += 1
        self.pairs.append(Pair(client, server))
        return None

    def drop(self, pair):
        self.pairs.remove(pair)
        pair.client.close()
        pair.server.close()

    def forward(self, pair, end):
        """Moves what `end` sent; true when the tear is due."""
        try:
            limit = CHUNK if self.tear_after is None or end is pair.client else max(1, min(CHUNK, self.tear_after))
            data = end.recv(limit)
            if not data:
                self.drop(pair)
                return False
            self.bytes += len(data)
            if end is pair.server and self.mode == "mute":
                return False
            pair.other(end).sendall(data)
        except OSError:
            self.drop(pair)
            return False
        if self.mode == "delay":
            pair.ready_at = time.monotonic() + self.random.uniform(0, self.pause)
        if end is pair.server and self.tear_after is not None:
            self.tear_after -= len(data)
            return self.tear_after <= 0
        return False

    def serve(self):
        while not self.closing:
            now = time.monotonic()
            with self.lock:
                open_ends = {} if self.mode == "stall" else {
                    end: pair for pair in self.pairs if pair.ready_at <= now for end in (pair.client, pair.server)}
            try:
                ready, _, _ = select.select([self.listener, *open_ends], [], [], 0.02)
            except (OSError, ValueError):
                continue  # reset meanwhile
            torn = False
            with self.lock:
                for end in ready:
                    if end is self.listener:
                        self.accept()
                    elif open_ends[end] in self.pairs:
                        torn = self.forward(open_ends[end], end) or torn
            if torn:
                self.tear_after = None
                self.torn += 1
                self.reset_all()
