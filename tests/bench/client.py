"""HTTP over one kept-alive connection, and workers that speak the protocol: as little of a client as measuring allows."""
import base64
import json
import os
import selectors
import socket
import struct
import time


class Http:
    """One connection, one request at a time."""

    def __init__(self, port, token):
        self.address = ("127.0.0.1", port)
        self.token = token
        self.socket = None

    def close(self):
        if self.socket:
            self.socket.close()
            self.socket = None

    def raw(self, method, path, body=b"", token=None, content="application/json"):
        """(status, body); a connection that went stale is opened again once."""
        head = (f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token or self.token}\r\n"
                f"Content-Type: {content}\r\nContent-Length: {len(body)}\r\n\r\n").encode()
        for attempt in (1, 2):
            try:
                if not self.socket:
                    self.socket = socket.create_connection(self.address, timeout=120)
                    self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.socket.sendall(head + body)
                return self._answer()
            except (ConnectionError, OSError):
                self.close()
                if attempt == 2:
                    raise
        raise AssertionError("unreachable")

    def _answer(self):
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._more()
        head, data = data.split(b"\r\n\r\n", 1)
        status = int(head.split(b" ", 2)[1])
        fields = {k.strip().lower(): v.strip() for k, _, v in (line.partition(b":") for line in head.split(b"\r\n")[1:])}
        if b"content-length" in fields:
            length = int(fields[b"content-length"])
            while len(data) < length:
                data += self._more()
        elif fields.get(b"transfer-encoding") == b"chunked":
            data = self._chunks(data)
        if fields.get(b"connection", b"").lower() == b"close":
            self.close()
        return status, data

    def _chunks(self, data):
        out = b""
        while True:
            while b"\r\n" not in data:
                data += self._more()
            size, data = data.split(b"\r\n", 1)
            length = int(size, 16)
            while len(data) < length + 2:
                data += self._more()
            out += data[:length]
            data = data[length + 2:]
            if length == 0:
                return out

    def _more(self):
        piece = self.socket.recv(1 << 18)
        if not piece:
            raise ConnectionError("closed")
        return piece

    def call(self, method, path, body=None):
        status, data = self.raw(method, path, b"" if body is None else json.dumps(body).encode())
        if status >= 300:
            raise RuntimeError(f"{method} {path}: {status} {data[:300]!r}")
        return json.loads(data) if data[:1] in (b"{", b"[") else data.decode()

    def get(self, path):
        return self.call("GET", path)

    def post(self, path, body):
        return self.call("POST", path, body)

    def deliver(self, job, records=(), logs=(), completion=None):
        """`logs`: (record id, offset, bytes). Returns the answer."""
        head = {"records": list(records), "logs": [{"record": r, "offset": o, "bytes": len(b)} for r, o, b in logs]}
        if completion:
            head["completion"] = {"result": completion, "message": "", "outputs": []}
        body = json.dumps(head).encode() + b"\n" + b"".join(b for _, _, b in logs)
        status, data = self.raw("POST", f"/_apis/slipway/jobs/{job['jobId']}/deliver", body, job["jobToken"],
                                "application/octet-stream")
        if status >= 300:
            raise RuntimeError(f"deliver: {status} {data[:300]!r}")
        return json.loads(data)


class Swarm:
    """Many workers of one process: a WebSocket each, offers collected as they come."""

    def __init__(self, system, count, pool="Default", slots=1):
        self.system, self.count, self.pool, self.slots = system, count, pool, slots
        self.selector = selectors.DefaultSelector()
        self.sockets = []
        self.buffers = {}
        self.offers = []  # (time, job message)

    def register(self):
        http = Http(self.system.port, self.system.token)
        pool = next(p for p in http.get("/_apis/distributedtask/pools")["value"] if p["name"] == self.pool)
        token = http.post(f"/_apis/slipway/pools/{pool['id']}/registrationtokens", {})["token"]
        for index in range(self.count):
            made = http.post("/_apis/slipway/workers", {"token": token, "name": f"swarm-{index}", "pool": self.pool, "version": "0",
                                                        "slots": self.slots, "capabilities": [{"name": "bash", "value": "/bin/bash"}]})
            yield made["id"], made["secret"]

    def connect(self):
        for worker, secret in self.register():
            s = socket.create_connection(("127.0.0.1", self.system.port), timeout=60)
            key = base64.b64encode(os.urandom(16)).decode()
            s.sendall((f"GET /_apis/slipway/workers/{worker}/channel HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
                       f"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
                       f"Authorization: Bearer {secret}\r\n\r\n").encode())
            data = b""
            while b"\r\n\r\n" not in data:
                data += s.recv(4096)
            if b" 101 " not in data.split(b"\r\n", 1)[0]:
                raise RuntimeError(data[:200])
            self.send(s, {"type": "hello", "protocol": 1, "version": "0", "slots": self.slots, "running": [],
                          "capabilities": [{"name": "bash", "value": "/bin/bash"}]})
            s.setblocking(False)
            self.sockets.append(s)
            self.buffers[s.fileno()] = data.split(b"\r\n\r\n", 1)[1]
            self.selector.register(s, selectors.EVENT_READ, s)
        welcomed = 0
        end = time.monotonic() + 300
        while welcomed < self.count:
            welcomed += sum(1 for frame in self.poll(1.0) if frame[1].get("type") == "welcome")
            if time.monotonic() > end:
                raise TimeoutError(f"{welcomed} of {self.count} workers were welcomed")

    @staticmethod
    def send(s, frame, opcode=1):
        payload = frame if isinstance(frame, bytes) else json.dumps(frame).encode()
        head = bytes([0x80 | opcode])
        if len(payload) < 126:
            head += bytes([0x80 | len(payload)])
        else:
            head += bytes([0x80 | 126]) + struct.pack(">H", len(payload))
        s.sendall(head + b"\0\0\0\0" + payload)  # a mask of zeros

    def poll(self, timeout):
        """[(socket, frame)] that arrived; pings are answered."""
        frames = []
        for key, _ in self.selector.select(timeout):
            s = key.data
            try:
                data = s.recv(1 << 18)
            except BlockingIOError:
                continue
            if not data:
                self.selector.unregister(s)
                continue
            now = time.time()
            buffer = self.buffers[s.fileno()] + data
            while len(buffer) >= 2:
                length, at = buffer[1] & 0x7F, 2
                if length == 126:
                    if len(buffer) < 4:
                        break
                    length, at = struct.unpack(">H", buffer[2:4])[0], 4
                elif length == 127:
                    if len(buffer) < 10:
                        break
                    length, at = struct.unpack(">Q", buffer[2:10])[0], 10
                if len(buffer) < at + length:
                    break
                opcode, payload, buffer = buffer[0] & 15, buffer[at:at + length], buffer[at + length:]
                if opcode == 9:
                    self.send(s, payload, 10)
                elif opcode == 1:
                    frame = json.loads(payload)
                    if frame.get("type") == "jobOffer":
                        self.offers.append((now, frame["job"]))
                    frames.append((s, frame))
            self.buffers[s.fileno()] = buffer
        return frames

    def offer(self, seconds=60):
        """The next offer: (time of its arrival, job message)."""
        end = time.monotonic() + seconds
        while not self.offers:
            self.poll(0.5)
            if time.monotonic() > end:
                raise TimeoutError("no job was offered")
        return self.offers.pop(0)

    def close(self):
        for s in self.sockets:
            s.close()
