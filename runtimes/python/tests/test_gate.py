"""The gate at which a snapshot of a virtual machine may be taken."""

from __future__ import annotations

import os
import subprocess
import sys
import unittest

from harness import HANG_GUARD_S, ROOT, Host, frames

CODE = """
import os
def handler(event, context):
    return {"gate": os.environ.get("ISOLA_GATE")}
"""
# What a process gives that had used everything random before it came to its gate.
SCRIPT = """
import logging, random, ssl, sys, tempfile, time
sys.path.insert(0, sys.argv[1])
from isola_runtime.gate import renew
random.seed(1)
names = tempfile._get_candidate_names()
names.rng.seed(1)
logging._startTime = type(logging._startTime)(0)
renew(bytes.fromhex(sys.argv[2]))
started = logging._startTime
print(random.random(), next(tempfile._get_candidate_names()), ssl.RAND_bytes(8).hex())
print(time.time() - (started / 1e9 if isinstance(started, int) else started))
"""

# Walks the way of a first call, and says what that has changed in the process itself.
REHEARSAL = """
import os, sys, threading
sys.path.insert(0, sys.argv[1])
from isola_runtime import boot, preload, rehearsal
preload.preload_whole()
def state():
    is_left = os.path.exists(f"/tmp/isola-rehearsal-{os.getpid()}")
    return (dict(os.environ), os.getcwd(), sorted(sys.modules), list(sys.path), is_left,
        sorted(os.listdir("/proc/self/fd")), threading.active_count(), sys.stdout)
heard = []
wait = rehearsal._await
def note(fd, kind, stream, until):
    wait(fd, kind, stream, until)
    heard.append(kind)
rehearsal._await = note
before = state()
rehearsal.rehearse(boot._serve)
print(heard, before == state())
"""


def given_with(seed: bytes) -> list[str]:
    argv = [sys.executable, "-I", "-c", SCRIPT, str(ROOT), seed.hex()]
    done = subprocess.run(argv, stdout=subprocess.PIPE, check=True, timeout=HANG_GUARD_S)
    return done.stdout.decode().split()


class Gate(unittest.TestCase):
    def test_nothing_is_said_before_the_gate_is_open_and_behind_it_a_function_is_served(
        self,
    ) -> None:
        with Host(has_gate=True) as host:
            self.assertEqual(len(host.gate.recv(16)), 1)
            host.socket.setblocking(False)
            with self.assertRaises(BlockingIOError):
                host.socket.recv(1)
            host.socket.settimeout(HANG_GUARD_S)
            host.gate.sendall(os.urandom(64))
            host.hello()
            host.init({"app.py": CODE})
            self.assertEqual(host.event({}).json, {"gate": None})

    def test_where_the_gate_is_the_control_stream_that_begins_behind_the_seed(self) -> None:
        with Host(is_gated=True) as host:
            self.assertEqual(host.socket.recv(16), b"\0")
            seed = os.urandom(64)
            host.socket.sendall(seed[:5])
            host.socket.sendall(seed[5:])
            host.hello()
            host.init({"app.py": CODE})
            self.assertEqual(host.event({}).json, {"gate": None})

    def test_the_seed_alone_decides_what_random_gives(self) -> None:
        seed = os.urandom(64)
        one, same, other = map(given_with, (seed, seed, os.urandom(64)))
        self.assertEqual(one[0], same[0])
        self.assertNotEqual(one[0], other[0])
        # Names of files and what OpenSSL gives are nobody's to foresee.
        self.assertNotEqual(one[1], same[1])
        self.assertNotEqual(one[2], same[2])

    def test_what_counts_from_the_start_counts_from_the_gate(self) -> None:
        self.assertLess(float(given_with(os.urandom(64))[3]), 60)

    def test_a_first_call_is_rehearsed_and_leaves_the_process_as_it_was(self) -> None:
        argv = [sys.executable, "-I", "-c", REHEARSAL, str(ROOT)]
        done = subprocess.run(argv, stdout=subprocess.PIPE, check=True, timeout=HANG_GUARD_S)
        self.assertEqual(done.stdout.decode().strip(), f"{[frames.READY, frames.HEAD]} True")

    def test_a_gate_that_nobody_opens_ends_the_process(self) -> None:
        with Host(has_gate=True) as host:
            host.gate.recv(16)
            host.gate.close()
            self.assertEqual(host.exit_code(), 72)


if __name__ == "__main__":
    unittest.main()
