"""What the benchmarks share: the box as the measuring contract starts it, what it draws, a SIP end that asks, SIPp."""
import csv, os, re, select, shutil, signal, socket, subprocess, tempfile, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
START = os.path.join(ROOT, "tools/peers/belfry/start.sh")
TARGET = ("127.0.0.1", 5060)
GEN_CPU = os.environ.get("GEN_CPU", "1")


def emit(metric, value, unit):
    print(f"{metric},{value:.3f},{unit}", flush=True)


def tree(pid):
    children = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            parent = int(open(f"/proc/{name}/stat").read().rsplit(")", 1)[1].split()[1])
            children.setdefault(parent, []).append(int(name))
        except OSError:
            pass
    out = [pid]
    for p in out:
        out.extend(children.get(p, []))
    return out


def cpu(pid):
    total = 0
    for p in tree(pid):
        try:
            total += sum(int(x) for x in open(f"/proc/{p}/stat").read().rsplit(")", 1)[1].split()[11:15])
        except OSError:
            pass
    return total / os.sysconf("SC_CLK_TCK")


def pss(pid):
    total = 0
    for p in tree(pid):
        try:
            total += int(re.search(r"^Pss:\s+(\d+)", open(f"/proc/{p}/smaps_rollup").read(), re.M).group(1))
        except (OSError, AttributeError):
            pass
    return total


def written(pid):
    """Bytes that the tree made dirty, page by page (write_bytes of proc_pid_io(5))."""
    total = 0
    for p in tree(pid):
        try:
            total += int(re.search(r"^write_bytes: (\d+)", open(f"/proc/{p}/io").read(), re.M).group(1))
        except (OSError, AttributeError):
            pass
    return total


class Box:
    """The box, started by the contract's script and stopped at the end of the block."""

    def __init__(self, **settings):
        self.environment = dict(os.environ, **settings)

    def __enter__(self):
        self.data = self.environment.setdefault("DATA", tempfile.mkdtemp(prefix="belfry-bench."))
        started = subprocess.run([START], check=True, capture_output=True, text=True, env=self.environment)
        self.pid = int(started.stdout)
        time.sleep(1.5)
        begin, used = time.time(), cpu(self.pid)
        time.sleep(2)
        self.idle = (cpu(self.pid) - used) / (time.time() - begin)
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGTERM)
        for _ in range(50):
            if not os.path.exists(f"/proc/{self.pid}"):
                break
            time.sleep(0.1)
        else:
            os.kill(self.pid, signal.SIGKILL)
        shutil.rmtree(self.data, ignore_errors=True)
        for rest in (".toml", ".log"):
            if os.path.exists(self.data + rest):
                os.remove(self.data + rest)

    def pids(self):
        """Processes of both roles, by role."""
        roles = {}
        for pid in tree(self.pid)[1:]:
            try:
                words = open(f"/proc/{pid}/cmdline").read().split("\0")
            except OSError:
                continue
            roles.update({role: pid for role in ("control", "media") if role in words})
        return roles


class Caller:
    """A SIP end on 127.0.0.2, a trunk without authentication: asks, and knows how long the answer took."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.2", 0))
        self.socket.setblocking(False)
        self.number = 0

    def send(self, method, user, number, branch, to_tag=""):
        port = self.socket.getsockname()[1]
        sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.2\r\ns=-\r\nc=IN IP4 127.0.0.2\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n"
        body = sdp if method == "INVITE" else ""
        self.socket.sendto((f"{method} sip:{user}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2:{port};branch=z9hG4bK{branch};rport\r\n"
            f"From: <sip:1000@127.0.0.2>;tag=b{number}\r\nTo: <sip:{user}@127.0.0.1>{to_tag}\r\nCall-ID: bench-{port}-{number}\r\n"
            f"CSeq: {2 if method == 'BYE' else 1} {method}\r\nContact: <sip:1000@127.0.0.2:{port}>\r\nMax-Forwards: 70\r\n"
            f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode(), TARGET)

    def ask(self, method, user, patience):
        """Sends one request; the code of its final answer (0: none came in time), ms until it, the answer."""
        self.number += 1
        begin, branch = time.time(), f"{os.getpid()}x{self.number}"
        try:
            self.send(method, user, self.number, branch)
            while time.time() - begin < patience:
                ready, _, _ = select.select([self.socket], [], [], max(0, patience - (time.time() - begin)))
                text = self.socket.recv(65535).decode() if ready else ""
                if text.startswith("SIP/2.0") and branch in text and not text.startswith("SIP/2.0 1"):
                    took = (time.time() - begin) * 1000
                    if method == "INVITE":
                        tag = re.search(r"^To:.*(;tag=\S+)", text, re.M)
                        same = branch if not text.startswith("SIP/2.0 2") else branch + "a"
                        self.send("ACK", user, self.number, same, tag.group(1) if tag else "")
                        if text.startswith("SIP/2.0 2"):
                            self.tag = tag.group(1)
                    return int(text[8:11]), took, text
        except OSError:
            time.sleep(0.001)
        return 0, (time.time() - begin) * 1000, ""

    def hang_up(self, user):
        self.send("BYE", user, self.number, f"{os.getpid()}x{self.number}b", self.tag)


def quantile(values, q):
    return sorted(values)[min(len(values) - 1, int(len(values) * q))] if values else float("nan")


def sipp(folder, *arguments):
    command = ["taskset", "-c", GEN_CPU, "sipp", *map(str, arguments), "-nostdin"]
    errors = open(os.path.join(folder, "errors"), "a")
    return subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)


def scenario(name):
    return os.path.join(ROOT, "tools/load", name + ".xml")


def statistics(path):
    return list(csv.DictReader(open(path), delimiter=";"))


def seconds(text):
    parts = [float(x) for x in text.split(":")]
    return parts[0] * 3600 + parts[1] * 60 + parts[2] + (parts[3] / 1e6 if len(parts) > 3 else 0)
