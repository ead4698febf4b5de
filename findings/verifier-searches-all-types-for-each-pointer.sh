#!/bin/sh
# Linux 6.3 and later, seen with 6.18.44 (5.5 MB of type information).
#
# A BPF program of tracing may load through a pointer that the verifier knows the type of, as that to the current task. One would
# expect a member that is a pointer to take the verifier as long as one that is a number: it has looked up the member's type anyhow.
#
# It takes more than two hundred times as long. To tell whether what is loaded is as trusted as what it is loaded through, the verifier looks
# for types named `NAME__safe_trusted`, `NAME__safe_rcu` and so on (`btf_nested_type_is_trusted`, kernel/bpf/btf.c): each time by
# comparing names with all types of the kernel one by one. So 400 such loads hold up a start by half a second, and a few
# dozen of them on many ways take longer to load than all else in a program together. Loads behind `bpf_rdonly_cast` and
# `bpf_probe_read_kernel` ask for nothing. No packages: the interpreter loads the program.
#
# Output seen:
#   400 loads of a number: 1875 us; of a pointer: 497348 us
set -eu
[ "$(id -u)" = 0 ] || { echo 'this takes root: it loads a BPF program' >&2; exit 1; }
exec python3 - <<'PYTHON'
import ctypes
import re
import struct
import sys

LOADS = 400
libc = ctypes.CDLL(None, use_errno=True)
btf = open("/sys/kernel/btf/vmlinux", "rb").read()
_, _, _, header, type_off, type_len, str_off, str_len = struct.unpack_from("<HBBIIIII", btf)
types = btf[header + type_off:header + type_off + type_len]
strings = btf[header + str_off:header + str_off + str_len]


def name(at):
    return strings[at:strings.index(b"\0", at)].decode()


# What follows a type of each kind (Documentation/bpf/btf.rst), for so many members.
EXTRA = {1: lambda n: 4, 3: lambda n: 12, 4: lambda n: 12 * n, 5: lambda n: 12 * n, 6: lambda n: 8 * n, 13: lambda n: 8 * n,
         14: lambda n: 4, 15: lambda n: 12 * n, 17: lambda n: 4, 19: lambda n: 12 * n}
at, number, found, members = 0, 0, {}, {}
while at < len(types):
    number += 1
    name_off, info, _ = struct.unpack_from("<III", types, at)
    kind, count = info >> 24 & 0x1f, info & 0xffff
    at += 12
    if kind == 8 and name(name_off) == "btf_trace_sys_exit":
        found["hook"] = number
    if kind == 4 and name(name_off) == "task_struct":
        for n in range(count):
            member, _, offset = struct.unpack_from("<III", types, at + 12 * n)
            members[name(member)] = (offset & 0xffffff) // 8
    at += EXTRA.get(kind, lambda n: 0)(count)


def instruction(code, to, source, offset, value):
    return struct.pack("<BBhi", code, source << 4 | to, offset, value)


def verified(member):
    """Microseconds that the verifier takes for a program with so many loads of a member of the current task."""
    GET_CURRENT_TASK_BTF, LOAD, RAW_TP, LOG_STATS = 158, 5, 23, 4
    program = instruction(0x85, 0, 0, 0, GET_CURRENT_TASK_BTF)
    program += instruction(0x79, 1, 0, members[member], 0) * LOADS
    program += instruction(0xb7, 0, 0, 0, 0) + instruction(0x95, 0, 0, 0, 0)
    code, licence, log = (ctypes.create_string_buffer(text) for text in (program, b"GPL", b"\0" * 65536))
    address = ctypes.addressof
    attributes = struct.pack(
        "<IIQQIIQII16sIIIIQIIQII", 26, len(program) // 8, address(code), address(licence), LOG_STATS, 65536, address(log), 0, 0,
        b"finding", 0, RAW_TP, 0, 0, 0, 0, 0, 0, 0, found["hook"]) + b"\0" * 32
    if libc.syscall(321, LOAD, ctypes.create_string_buffer(attributes, len(attributes)), len(attributes)) < 0:
        sys.exit(f"the program is not loaded, errno {ctypes.get_errno()}: {log.value.decode()}")
    return int(re.search(rb"verification time (\d+) usec", log.value)[1])


plain, pointer = verified("start_time"), verified("real_parent")
print(f"{LOADS} loads of a number: {plain} us; of a pointer: {pointer} us")
if pointer < 50 * plain:
    sys.exit("changed: a pointer takes the verifier no longer than that")
PYTHON
