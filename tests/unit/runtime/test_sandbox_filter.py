"""The filter of system calls, run here as the kernel would run it, for every machine it is made for."""

import errno
import socket
import struct

import pytest

from moorage.runtime.sandbox import bpf
from moorage.runtime.sandbox.seccomp import REFUSED, build_filter
from moorage.runtime.sandbox.syscalls import ARCHITECTURES, Architecture

ALLOWED = 0x7FFF_0000
FAILS_WITH = 0x0005_0000
X32 = 0x4000_0000
CLONE_THREAD_AND_MORE = 0x003D_0F00  # as glibc's pthread_create passes


def run(program: bytes, *, audit: int, number: int, first: int = 0) -> int:
    """The verdict of a program of classic BPF."""
    data = struct.pack("=IIQQ", number & 0xFFFF_FFFF, audit, 0, first)
    steps = [struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)]
    word = at = 0
    while True:
        code, if_true, if_false, value = steps[at]
        at += 1
        match code:
            case 0x20:
                (word,) = struct.unpack_from("=I", data, value)
            case 0x06:
                return value
            case 0x15 | 0x35 | 0x45:
                holds = {0x15: word == value, 0x35: word >= value, 0x45: bool(word & value)}[code]
                at += if_true if holds else if_false
            case _:
                raise AssertionError(f"no such instruction: {code:#x}")


@pytest.fixture(params=ARCHITECTURES)
def architecture(request) -> Architecture:
    return ARCHITECTURES[request.param]


def verdict(architecture: Architecture, name: str, first: int = 0, *, has_network: bool = True) -> int:
    program = build_filter(architecture, has_network=has_network)
    return run(program, audit=architecture.audit, number=architecture.numbers[name], first=first)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_fails_with_eperm(architecture, name) -> None:
    if name in architecture.numbers:
        assert FAILS_WITH | errno.EPERM == verdict(architecture, name)


def test_the_calls_refused_are_those_that_have_a_number_somewhere() -> None:
    known = set().union(*(architecture.numbers for architecture in ARCHITECTURES.values()))
    assert set() == set(REFUSED) - known


@pytest.mark.parametrize("number", [0, 1, 57, 59, 60, 61, 202, 231, 334, 449, 1000])
def test_other_calls_are_allowed(architecture, number) -> None:
    if number not in architecture.numbers.values():
        program = build_filter(architecture, has_network=True)
        assert ALLOWED == run(program, audit=architecture.audit, number=number)


def test_threads_may_be_made_and_namespaces_not(architecture) -> None:
    assert ALLOWED == verdict(architecture, "clone", CLONE_THREAD_AND_MORE)
    for kind in (0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000):
        assert FAILS_WITH | errno.EPERM == verdict(architecture, "clone", CLONE_THREAD_AND_MORE | kind), hex(kind)
    assert FAILS_WITH | errno.ENOSYS == verdict(architecture, "clone3")


def test_calls_by_another_machines_numbers_do_not_exist(architecture) -> None:
    program = build_filter(architecture, has_network=True)
    i386 = 0x4000_0003
    for number in (0, 1, 20, 101, X32):
        assert FAILS_WITH | errno.ENOSYS == run(program, audit=i386, number=number)
    if architecture.foreign_from is not None:
        ptrace = X32 | 521
        assert FAILS_WITH | errno.ENOSYS == run(program, audit=architecture.audit, number=ptrace)


def test_without_network_there_are_unix_sockets_only(architecture) -> None:
    for name in ("socket", "socketpair"):
        assert ALLOWED == verdict(architecture, name, socket.AF_UNIX, has_network=False)
        for family in (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_PACKET, 40):
            assert FAILS_WITH | errno.EPERM == verdict(architecture, name, family, has_network=False)
            assert ALLOWED == verdict(architecture, name, family)


def test_a_label_that_is_nowhere_is_a_fault_of_the_program() -> None:
    with pytest.raises(KeyError, match="nowhere"):
        bpf.assemble([bpf.Load(0), bpf.If("equal", 1, "nowhere"), bpf.Return(0)])


def test_a_jump_backwards_or_too_far_is_a_fault_of_the_program() -> None:
    with pytest.raises(struct.error):
        bpf.assemble([bpf.Label("above"), bpf.Load(0), bpf.If("equal", 1, "above"), bpf.Return(0)])
    filler: list[bpf.Step] = [bpf.Load(0)] * 300
    with pytest.raises(struct.error):
        bpf.assemble([bpf.If("equal", 1, "end"), *filler, bpf.Label("end"), bpf.Return(0)])
