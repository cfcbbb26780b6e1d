"""A recogniser of speech that knows two words: 600 Hz is "sales", 1400 Hz is "support", anything else "pizza". It speaks the
protocol of the Vosk server over a WebSocket of its own (RFC 6455), with nothing but Python's library.

    python3 recogniser.py ADDRESS PORT

Prints "listens", then for each connection the words it was told and what it understood, with the length of the sound.
"""

import base64
import hashlib
import json
import math
import socket
import struct
import sys
import threading

WORDS = {600: "sales", 1400: "support"}
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def share(samples, hz):
    """How much of the loudness lies at a frequency, 0 to 1."""
    power = sum(s * s for s in samples)
    turn = 2 * math.pi * hz / 8000
    real = sum(s * math.cos(turn * n) for n, s in enumerate(samples))
    imaginary = sum(s * math.sin(turn * n) for n, s in enumerate(samples))
    return 2 * (real * real + imaginary * imaginary) / (len(samples) * power) if power else 0.0


def understand(samples):
    """The word of the loudest 0.2 s."""
    blocks = [samples[n : n + 1600] for n in range(0, len(samples), 1600)]
    block = max(blocks, key=lambda b: sum(s * s for s in b), default=[])
    known = [word for hz, word in WORDS.items() if block and share(block, hz) > 0.6]
    if known:
        return known[0]
    return "pizza" if block and max(map(abs, block)) > 1000 else ""


class Connection:
    def __init__(self, stream):
        self.stream = stream
        self.file = stream.makefile("rb")

    def shake(self):
        key = b""
        for line in iter(self.file.readline, b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"sec-websocket-key":
                key = value.strip()
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        self.stream.sendall(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )

    def take(self, count):
        data = self.file.read(count)
        if len(data) < count:
            raise EOFError
        return data

    def frame(self):
        first, second = self.take(2)
        length = second & 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", self.take(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self.take(8))
        mask = self.take(4) if second & 0x80 else bytes(4)
        data = bytes(b ^ mask[n % 4] for n, b in enumerate(self.take(length)))
        return first & 0x0F, data

    def say(self, message):
        data = json.dumps(message).encode()
        assert len(data) < 65536
        head = struct.pack("!BB", 0x81, len(data)) if len(data) < 126 else struct.pack("!BBH", 0x81, 126, len(data))
        self.stream.sendall(head + data)

    def serve(self):
        self.shake()
        samples, told = [], False
        while True:
            kind, data = self.frame()
            if kind == 8:
                return
            if kind == 2:
                samples.extend(struct.unpack(f"<{len(data) // 2}h", data))
                if not told and len(samples) > 4800:
                    told = True
                    self.say({"partial": "..." + understand(samples)})
            elif kind == 1 and data == b'{"eof" : 1}':
                word = understand(samples)
                print(f"understood {word or 'nothing'} in {len(samples)} samples", flush=True)
                self.say({"text": word, "result": [{"word": word, "conf": 0.93}] if word else []})
            elif kind == 1:
                config = json.loads(data)["config"]
                print("told", config["sample_rate"], config["language"], *config["phrase_list"], flush=True)


def attend(stream):
    try:
        Connection(stream).serve()
    except (EOFError, OSError):
        pass
    finally:
        stream.close()


def main():
    listener = socket.create_server((sys.argv[1], int(sys.argv[2])))
    print("listens", flush=True)
    while True:
        stream, _ = listener.accept()
        threading.Thread(target=attend, args=(stream,), daemon=True).start()


main()
