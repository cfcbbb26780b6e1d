"""A Belfry image in QEMU, software emulation only. What the tests and the soak tools use of it: power, the serial line, SIP, the
admin. Everything listens on 127.0.0.1. Nothing here judges."""

import codecs
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request

FIRMWARE = "/usr/share/OVMF/OVMF_%s_4M.fd"
# Every limit is for an idle machine of two cores, times this.
SLOW = float(os.environ.get("SLOW", "4"))


def free_ports(kind, count):
    """Ports that nobody listens on; all at once, so that none comes twice."""
    held = [socket.socket(socket.AF_INET, kind) for _ in range(count)]
    for s in held:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def qemu(disk_flags, work, forwards, serial, memory=512, extra=()):
    """The command line; `serial` is the flags of the serial ports."""
    os.makedirs(work, exist_ok=True)
    variables = f"{work}/firmware.fd"
    if not os.path.exists(variables):
        shutil.copy(FIRMWARE % "VARS", variables)
    rules = ",".join(f"hostfwd={kind}:127.0.0.1:{outside}-:{inside}" for kind, outside, inside in forwards)
    # KVM is not asked for: where only a page-table hypervisor is offered, a stock kernel hangs on it. The processor is the oldest
    # one with AES: without it HTTPS costs the emulator three times as much.
    return ["qemu-system-x86_64", "-name", "belfry", "-machine", "pc", "-accel", "tcg,thread=multi", "-cpu", "Westmere",
            "-smp", "2", "-m", str(memory), "-nodefaults", "-display", "none",
            "-drive", f"if=pflash,unit=0,readonly=on,format=raw,file={FIRMWARE % 'CODE'}",
            "-drive", f"if=pflash,unit=1,format=raw,file={variables}",
            *disk_flags, "-device", "virtio-blk-pci,drive=d0,bootindex=1,serial=belfry0", *serial,
            "-netdev", f"user,id=n0,{rules}", "-device", "virtio-net-pci,netdev=n0,romfile=", "-device", "virtio-rng-pci",
            "-device", "i6300esb", "-action", "watchdog=reset", *extra]


class Vm:
    """One box. `writes` names a file that keeps every write and flush of the disk, in order (QEMU's blklogwrites)."""

    def __init__(self, disk, work, writes=None, memory=512, extra=()):
        self.work, self.disk, self.writes = work, disk, writes
        os.makedirs(work, exist_ok=True)
        self.https, self.http, self.shell = free_ports(socket.SOCK_STREAM, 3)
        self.sip, = free_ports(socket.SOCK_DGRAM, 1)
        forwards = [("udp", self.sip, 5060), ("tcp", self.https, 443), ("tcp", self.http, 80), ("tcp", self.shell, 7000)]
        if writes:
            open(writes, "wb").close()
            drive = (f"driver=blklogwrites,id=d0,if=none,file.driver=raw,file.file.driver=file,file.file.filename={disk},"
                     f"log.driver=file,log.filename={writes},log-sector-size=512,cache.direct=off,cache.no-flush=off,"
                     # The record knows what was flushed; the machine's own disk need not wait for it.
                     "file.cache.no-flush=on,log.cache.no-flush=on")
        else:
            drive = f"file={disk},format=raw,if=none,id=d0,cache=unsafe,discard=unmap"
        serial = ["-chardev", f"socket,id=console,path={work}/console,server=on,wait=off,logfile={work}/console.log,logappend=on",
                  "-serial", "chardev:console"]
        serial += ["-qmp", f"unix:{work}/qmp,server=on,wait=off"]
        self.command = qemu(["-drive", drive], work, forwards, serial, memory, extra)
        self.token = self.process = None

    # --- power
    def start(self):
        for name in ("console", "qmp"):
            if os.path.exists(f"{self.work}/{name}"):
                os.unlink(f"{self.work}/{name}")
        self.began = time.monotonic()
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stderr=open(f"{self.work}/qemu.err", "ab"))
        self.console = Line(self._connect("console"))
        self.qmp = self._connect("qmp").makefile("rw")
        self.qmp.readline()
        self.events = []
        self.ask_emulator("qmp_capabilities")
        return self

    def _connect(self, name):
        for _ in range(200):
            try:
                s = socket.socket(socket.AF_UNIX)
                s.connect(f"{self.work}/{name}")
                return s
            except OSError:
                self.must_run()
                time.sleep(0.05)
        raise TimeoutError(f"no {name}")

    def fork(self, disk, work):
        """Another box that goes on from this moment, with a copy of the disk: what two have in common is lived through once."""
        moment = f"{work}/moment"
        self.ask_emulator("stop")
        subprocess.run(["cp", "--sparse=always", self.disk, disk], check=True)
        shutil.copy(f"{self.work}/firmware.fd", f"{work}/firmware.fd")
        self.ask_emulator("migrate", uri=f"exec:cat > {moment}")
        self.until(lambda: self.ask_emulator("query-migrate").get("status") == "completed", 30, "copy of the memory")
        other = Vm(disk, work)
        other.command += ["-incoming", f"exec:cat {moment}"]
        try:
            other.start()
            other.console.raw, other.token = self.console.raw, self.token
            other.until(lambda: other.ask_emulator("query-status").get("status") != "inmigrate", 30, "box with a copied memory")
            os.unlink(moment)
            for box in (self, other):
                box.ask_emulator("cont")
        except Exception:
            other.quit()
            raise
        return other

    def must_run(self):
        if self.process.poll() is not None:
            raise RuntimeError("the emulator ended: " + open(f"{self.work}/qemu.err").read()[-500:])

    def ask_emulator(self, command, **arguments):
        self.qmp.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.qmp.flush()
        while True:
            answer = json.loads(self.qmp.readline())
            if "event" not in answer:
                return answer.get("return", answer)
            self.events.append((time.monotonic(), answer["event"]))

    def press(self, key, down):
        """One turn of a key of the emulated keyboard; a held key says again and again that it is down."""
        self.ask_emulator("input-send-event", events=[{"type": "key", "data": {"down": down, "key": {"type": "qcode", "data": key}}}])

    def emulator_events(self):
        self.ask_emulator("query-status")
        return self.events

    def cut_power(self):
        """The emulator gets SIGKILL: memory is gone, and so is what was not flushed in a rebuilt disk."""
        self.process.kill()
        self.process.wait()

    def quit(self):
        if self.process and self.process.poll() is None:
            self.cut_power()

    def elapsed(self):
        return time.monotonic() - self.began

    def cpu(self):
        """CPU seconds of the emulator: comparable between a busy and an idle machine."""
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    # --- the test shell (test images only)
    def sh(self, command, limit=60):
        """Output of a line; raises when it fails."""
        text, status = self.try_sh(command, limit)
        if status != 0:
            raise RuntimeError(f"{command}: ended with {status}: {text}")
        return text

    def try_sh(self, command, limit=60):
        end = time.monotonic() + limit * SLOW
        while time.monotonic() < end:
            self.must_run()
            try:
                with socket.create_connection(("127.0.0.1", self.shell), 10) as s:
                    s.settimeout(limit * SLOW)
                    s.sendall(command.encode() + b"\n")
                    text = b"".join(iter(lambda: s.recv(65536), b"")).decode("utf-8", "replace")
                found = re.search(r"(?s)^(.*)=== (\d+)\n$", text)
                if found:
                    return found[1].strip(), int(found[2])
            except OSError:
                pass
            # The box starts, or goes down.
            time.sleep(1)
        raise TimeoutError(f"the shell of the box does not answer to {command!r}; the console said: {self.console.text[-800:]}")

    def last_words(self, command):
        """A line after which no answer comes."""
        with socket.create_connection(("127.0.0.1", self.shell), 10) as s:
            s.sendall(command.encode() + b"\n")
            time.sleep(1)

    # --- SIP
    def options(self, limit=1.0):
        """Whether an OPTIONS is answered with 200. Late answers to earlier ones count."""
        if not hasattr(self, "probe"):
            self.probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.probe.settimeout(limit)
        number = time.time_ns()
        try:
            self.probe.sendto((f"OPTIONS sip:belfry@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK{number}\r\n"
                               f"From: <sip:probe@127.0.0.1>;tag=p{number}\r\nTo: <sip:belfry@127.0.0.1>\r\nCall-ID: probe{number}\r\n"
                               "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n").encode(), ("127.0.0.1", self.sip))
            return self.probe.recv(4096).startswith(b"SIP/2.0 200")
        except OSError:
            return False

    def wait_sip(self, limit=90):
        return self._until(lambda: self.options(), limit, "SIP")

    def forget_probes(self):
        """Answers to what was asked so far count no more: another box, or another boot, is asked next."""
        if hasattr(self, "probe"):
            self.probe.close()
            del self.probe

    def wait_no_sip(self, limit=60):
        silent = self._until(lambda: not self.options(4.0) and not self.options(4.0), limit, "silence")
        self.forget_probes()
        return silent

    def _until(self, true, limit, what):
        self.until(true, limit, what)
        return self.elapsed()

    def until(self, true, limit, what):
        """What `true` says once it says something."""
        end = time.monotonic() + limit * SLOW
        while time.monotonic() < end:
            self.must_run()
            said = true()
            if said:
                return said
            time.sleep(0.2)
        raise TimeoutError(f"no {what}; the console said: {self.console.text[-1500:]}")

    # --- the admin
    def ask(self, method, path, body=None, headers=(), limit=30):
        """Status, JSON body and ETag of the API. Uses the token once there is one."""
        request = urllib.request.Request(f"https://127.0.0.1:{self.https}/api/v1{path}", method=method)
        for name, value in headers:
            request.add_header(name, value)
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        # The certificate is the box's own; who it is was not the question here.
        trust = ssl._create_unverified_context()
        try:
            with urllib.request.urlopen(request, body, timeout=limit * SLOW, context=trust) as answer:
                return answer.status, json.loads(answer.read() or b"null"), answer.headers
        except urllib.error.HTTPError as refused:
            text = refused.read()
            try:
                return refused.code, json.loads(text or b"null"), refused.headers
            except ValueError:
                return refused.code, text.decode("utf-8", "replace"), refused.headers

    def get(self, path, limit=120):
        """The body of a GET. A box that has only just started may not answer the first of them."""
        end = time.monotonic() + limit * SLOW
        while True:
            try:
                status, body, _ = self.ask("GET", path)
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(1)
        if status != 200:
            raise RuntimeError(f"GET {path}: {status} {body}")
        return body


class Line:
    """One serial line, read as text without terminal codes. A thread takes every byte at once: the emulator hands them over one
    by one, some 280 of those fill a socket that nobody reads, and what comes then is lost."""

    def __init__(self, stream):
        self.stream, self.raw = stream, ""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        try:
            while data := self.stream.recv(65536):
                self.raw += decoder.decode(data)
        except OSError:
            pass  # The emulator was killed.

    @property
    def text(self):
        return re.sub(r"\x1b\[[0-9;=?]*[A-Za-z]", "", self.raw).replace("\r", "")

    def wait(self, pattern, limit, start=None):
        start = len(self.text) if start is None else start
        end = time.monotonic() + limit
        while time.monotonic() < end:
            time.sleep(0.1)
            found = re.search(pattern, self.text[start:])
            if found:
                return found
        raise TimeoutError(f"{pattern!r} not seen; last: {self.text[-800:]!r}")

    def send(self, text):
        self.stream.sendall(text.encode())
