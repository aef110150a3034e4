"""A model that does what it is asked to: `["what", argument, …]` in, `["done", result]` or `["refused", why]` out."""

import ctypes
import errno
import json
import multiprocessing
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

libc = ctypes.CDLL(None, use_errno=True)

# On x86-64 and elsewhere.
NUMBERS = {
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "bpf": (321, 280),
    "keyctl": (250, 219),
    "io_uring_setup": (425, 425),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "add_key": (248, 217),
    "open_by_handle_at": (304, 265),
    "init_module": (175, 105),
    "kexec_load": (246, 104),
    "swapon": (167, 224),
    "process_vm_readv": (310, 270),
    "ptrace": (101, 117),
    "fsopen": (430, 430),
    "open_tree": (428, 428),
    "clone with CLONE_NEWUSER": (56, 220),
}


def model_folder():
    return FOLDER


def read(path):
    return Path(path).read_bytes()[:100].decode(errors="replace")


def write(path):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a") as file:
        file.write("x")
    return "written"


def list_(path):
    return os.listdir(path)


def variable(name):
    return os.environ[name]


def variables():
    return dict(os.environ)


def descriptors():
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[name] = os.readlink(f"/proc/self/fd/{name}")
        except FileNotFoundError:
            continue
    return found


def write_descriptor(descriptor):
    return os.pwrite(descriptor, b"x", 0)


def status():
    lines = Path("/proc/self/status").read_text().splitlines()
    return dict(line.split(":\t", 1) for line in lines if ":\t" in line)


def connect(path):
    with socket.socket(socket.AF_UNIX) as to:
        to.connect(path)
    return "connected"


def abstract(name):
    return connect(f"\0{name}")


def tcp(host, port):
    socket.create_connection((host, port), timeout=3).close()
    return "connected"


def udp(host, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as to:
        return to.sendto(b"x", (host, port))


def resolve(name):
    return socket.getaddrinfo(name, 80)


def interfaces():
    return [name for _, name in socket.if_nameindex()]


def own_loopback():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return tcp("127.0.0.1", server.getsockname()[1])


def signal_(pid):
    os.kill(pid, 0)
    return "sent"


def trace(pid):
    attach = 16
    if libc.ptrace(attach, pid, None, None) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")
    return "traced"


def call(name):
    number = NUMBERS[name][0 if os.uname().machine == "x86_64" else 1]
    first = 0x1000_0000 if name.startswith(("clone", "unshare")) else 0
    if libc.syscall(ctypes.c_long(number), ctypes.c_long(first), None, None, None, None) < 0:
        raise OSError(ctypes.get_errno(), name)
    return "called"


def limit(name):
    return resource.getrlimit(getattr(resource, name))[1]


def square(number):
    return number * number


def pool():
    with multiprocessing.get_context("fork").Pool(2) as workers:
        return workers.map(square, range(4))


def command(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def daemon():
    """Leave the session, the parent and every way to be found by either."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            libc.prctl(4, 0, 0, 0, 0)  # and be root's in /proc
            os.write(writing, str(os.getpid()).encode())
            while True:
                time.sleep(60)
        os._exit(0)
    return int(os.read(reading, 100))


FOLDER = None
sys.modules["inference"] = sys.modules[__name__]


def model_fn(folder):
    global FOLDER
    FOLDER = folder
    return folder


def transform_fn(model, data, content_type, accept):
    name, *arguments = json.loads(data)
    try:
        answer = ["done", {"list": list_, "signal": signal_}.get(name, globals().get(name))(*arguments)]
    except OSError as error:
        answer = ["refused", errno.errorcode.get(error.errno, str(error))]
    return json.dumps(answer), "application/json"
