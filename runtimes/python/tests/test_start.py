"""Start, init, loading, breaches and the end of the process."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import unittest

from harness import HANG_GUARD_S, ROOT, Files, Host, code_archive, frames, started

ECHO = "def handler(event, context):\n    return event\n"


class Start(unittest.TestCase):
    def test_hello_says_who_it_is_and_ping_is_answered_while_blank(self) -> None:
        with Host() as host:
            hello = host.hello()
            self.assertEqual(hello["protocol"], 1)
            self.assertEqual(hello["runtime"], f"python{sys.version_info[0]}.{sys.version_info[1]}")
            self.assertEqual(hello["pid"], host.process.pid)
            opaque, cpu, memory, running = host.ping()
            self.assertEqual((opaque, running), (b"12345678", 0))
            self.assertGreater(cpu, 0)
            self.assertGreater(memory, 1_000_000)

    def test_the_control_stream_may_be_a_unix_socket(self) -> None:
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
            listener.bind(folder + "/s")
            listener.listen()
            listener.settimeout(HANG_GUARD_S)
            child = subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", str(ROOT / "main.py")],
                env={"ISOLA_CONTROL": f"unix:{folder}/s"},
            )
            with listener.accept()[0] as stream:
                (frame,) = frames.FrameReader("host").push(stream.recv(65_536))
                self.assertEqual(frame[0], frames.HELLO)
            self.assertEqual(child.wait(HANG_GUARD_S), 0)

    def test_the_control_stream_may_be_the_pipes_on_0_and_1(self) -> None:
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", "-B", str(ROOT / "main.py")],
            env={"ISOLA_CONTROL": "stdio"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert child.stdin is not None and child.stdout is not None and child.stderr is not None
        with child.stdin, child.stdout, child.stderr:
            reader = frames.FrameReader("host")
            self.assertEqual(
                reader.push(os.read(child.stdout.fileno(), 65_536))[0][0], frames.HELLO
            )
            child.stdin.write(frames.frame(frames.PING, 0, 0, b"12345678"))
            child.stdin.flush()
            self.assertEqual(reader.push(os.read(child.stdout.fileno(), 65_536))[0][0], frames.PONG)
            # What the code has there is not the stream.
            null, out, error = (os.readlink(f"/proc/{child.pid}/fd/{fd}") for fd in range(3))
            self.assertEqual(null, os.devnull)
            self.assertEqual(out, error)
            child.stdin.close()
            self.assertEqual(child.wait(HANG_GUARD_S), 0)

    def test_without_a_control_stream_it_says_so(self) -> None:
        for env in ({}, {"ISOLA_CONTROL": "tcp:1"}, {"ISOLA_CONTROL": "unix:/nowhere/s"}):
            argv = [sys.executable, "-I", "-S", "-B", str(ROOT / "main.py")]
            done = subprocess.run(argv, env=env, stderr=subprocess.PIPE, check=False)
            self.assertEqual(done.returncode, 64)
            self.assertIn(b"ISOLA_CONTROL", done.stderr)

    def test_the_host_closing_its_end_ends_the_process(self) -> None:
        host = started({"app.py": ECHO})
        host.socket.shutdown(socket.SHUT_RDWR)
        self.assertEqual(host.exit_code(), 0)
        host.close()

    def test_environment_path_and_folder_are_those_of_the_contract(self) -> None:
        code = (
            "import os, sys, time\n"
            "def handler(event, context):\n"
            "    found = {'env': dict(os.environ), 'path': sys.path[0], 'cwd': os.getcwd()}\n"
            "    return {**found, 'zone': time.tzname[0], 'bytecode': sys.dont_write_bytecode}\n"
        )
        with started({"app.py": code}, env={"KEY": "ü", "_HANDLER": "mine"}) as host:
            found = host.call().json
            env = found["env"]
            self.assertNotIn("ISOLA_CONTROL", env)
            self.assertEqual(env["KEY"], "ü")
            for name, value in {
                "AWS_LAMBDA_FUNCTION_NAME": "hello",
                "AWS_LAMBDA_FUNCTION_VERSION": "3",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
                "_HANDLER": "app.handler",
                "LAMBDA_TASK_ROOT": host.task_root,
                "ISOLA_FUNCTION_NAME": "hello",
                "ISOLA_TASK_ROOT": host.task_root,
                "TZ": ":UTC",
            }.items():
                self.assertEqual(env[name], value)
            self.assertEqual(found["path"], host.task_root)
            self.assertEqual(found["cwd"], host.task_root)
            self.assertEqual((found["zone"], found["bytecode"]), ("UTC", True))

    def test_a_time_zone_of_the_function_is_in_force(self) -> None:
        code = "import time\ndef handler(event, context):\n    return time.tzname[0]\n"
        with started({"app.py": code}, env={"TZ": "JST-9"}) as host:
            self.assertEqual(host.event(None).json, "JST")

    def test_child_processes_do_not_inherit_the_control_stream(self) -> None:
        code = (
            "import os, subprocess\n"
            "def handler(event, context):\n"
            "    listing = subprocess.run(['ls', '-l', '/proc/self/fd'], capture_output=True,\n"
            "        close_fds=False, stdin=subprocess.DEVNULL)\n"
            "    return listing.stdout.decode()\n"
        )
        with started({"app.py": code}) as host:
            self.assertNotIn("socket", host.call().body.decode())

    def test_a_forked_child_cannot_disturb_the_stream(self) -> None:
        code = (
            "import os\n"
            "def handler(event, context):\n"
            "    pid = os.fork()\n"
            "    if pid == 0:\n"
            "        print('from the child', flush=True)\n"
            "        return 'child'\n"
            "    os.waitpid(pid, 0)\n"
            "    return 'parent'\n"
        )
        with started({"app.py": code}) as host:
            self.assertEqual(host.call().body, b"parent")
            self.assertEqual(host.call().body, b"parent")
            host.send(frames.shutdown(5000))
            host.exit_code()
            assert host.process.stdout is not None
            self.assertEqual(host.process.stdout.read(), b"from the child\n" * 2)


class Loading(unittest.TestCase):
    def refusal(self, files: Files, handler: str = "app.handler") -> dict[str, str]:
        with Host() as host:
            host.hello()
            frame = host.init(files, handler=handler)
            self.assertEqual((frame.type, frame.stream), (frames.ERROR, 0))
            error: dict[str, str] = json.loads(frame.payload)
            self.assertEqual(error["code"], "init_failed")
            host.ping()
            return error

    def test_a_missing_module_is_named_with_what_is_there(self) -> None:
        error = self.refusal({"index.py": ECHO, "lib/x.py": ""})
        self.assertIn("no module 'app'", error["message"])
        self.assertIn("index.py, lib/", error["message"])
        self.assertIn("no module 'lib.y'", self.refusal({"lib/x.py": ""}, "lib.y.z")["message"])

    def test_a_missing_attribute_is_named_with_what_is_there(self) -> None:
        error = self.refusal({"app.py": "def handle(event, context): ...\n_hidden = 1\n"})
        self.assertIn("app.py has no 'handler'; it has: handle", error["message"])

    def test_a_failing_import_shows_the_frames_of_the_function_only(self) -> None:
        error = self.refusal({"app.py": "import lib\n", "lib.py": "1 / 0\n"})
        self.assertEqual(error["type"], "ZeroDivisionError")
        self.assertIn("importing 'app' failed: ZeroDivisionError", error["message"])
        self.assertIn("lib.py", error["stack"])
        self.assertNotIn("isola_runtime", error["stack"])
        self.assertNotIn("importlib", error["stack"])

    def test_a_missing_dependency_a_syntax_error_and_exit_are_failed_imports(self) -> None:
        for code, text in (
            ("import nowhere_to_be_found\n", "No module named 'nowhere_to_be_found'"),
            ("def handler(:\n", "SyntaxError"),
            ("import sys; sys.exit(3)\n", "called sys.exit(3) on import"),
        ):
            self.assertIn(text, self.refusal({"app.py": code})["message"])

    def test_what_is_no_handler_is_refused(self) -> None:
        for code, text in (
            ("handler = 5\n", "is 5; expected handler(event, context)"),
            ("class handler: ...\n", "is a class"),
            ("def handler(): ...\n", "takes ()"),
        ):
            self.assertIn(text, self.refusal({"app.py": code})["message"])
        self.assertIn("module.function", self.refusal({"app.py": ""}, "app")["message"])

    def test_handlers_are_found_in_packages_and_folders(self) -> None:
        files: Files = {"pkg/__init__.py": "", "pkg/mod.py": ECHO, "dir/mod.py": ECHO}
        for handler in ("pkg.mod.handler", "pkg/mod.handler", "dir/mod.handler"):
            with started(files, handler=handler) as host:
                self.assertEqual(host.event({"a": 1}).json, {"a": 1})

    def test_the_default_handler_falls_back_to_the_one_application(self) -> None:
        app = "def app(environ, start_response):\n    start_response('204 x', [])\n    return []\n"
        with started({"app.py": app}) as host:
            self.assertEqual(host.call().status, 204)
        both = app + "application = app\n"
        self.assertIn("has no 'handler'", self.refusal({"app.py": both})["message"])

    def test_code_that_cannot_be_written_fails_the_init(self) -> None:
        with Host() as host:
            host.hello()
            frame = host.init({"app.py": ECHO}, taskRoot="/proc/nowhere")
            self.assertIn("could not be unpacked", json.loads(frame.payload)["message"])


class Breaches(unittest.TestCase):
    def assert_breach(self, host: Host, reason: str) -> None:
        code, errors = host.end()
        host.close()
        self.assertEqual(code, 70, errors)
        self.assertIn(reason, errors)

    def test_each_breach_ends_the_process_with_a_reason(self) -> None:
        head = frames.invoke(frames.END, 1, (1, 1.0), "\n".join(["x"] * 9))
        for data, reason in (
            (b"\xff" * 12, "unknown frame type 0xff"),
            (frames.frame(frames.INIT, 0, 0, b"{}"), "init: sandbox must be of type str"),
            (frames.frame(frames.INIT, 0, 0, b"nonsense"), "init is not JSON"),
            (frames.frame(frames.CODE, frames.END, 0), "code outside of init"),
            (head, "invoke before ready"),
        ):
            host = Host()
            host.hello()
            host.send(data)
            self.assert_breach(host, reason)

    def test_breaches_of_a_ready_runtime(self) -> None:
        head = "\n".join(["i", "GET", "/", "", "", "HTTP/1.1", "http", "$default", ""])
        slow = "import time\ndef handler(event, context):\n    time.sleep(60)\n"
        more = 2**31 - 1
        for data, reason in (
            (frames.invoke(0, 2, (1, 1.0), head), "invoke on stream 2 instead of 1"),
            (frames.invoke(0, 1, (1, 1.0), "a\nb"), "has 2 lines instead of 9"),
            (frames.invoke(0, 1, (1, 1.0), head + "\nname"), "name without a value"),
            (frames.invoke(0, 1, (1, 1.0), head + "\na\nb\r"), "holds CR or NUL"),
            (frames.body(0, 1, b"x"), "stream 1, which never was"),
            (frames.frame(frames.INIT, 0, 0, b"{}"), "second init"),
            (
                frames.invoke(0, 1, (1, 1.0), head) + frames.invoke(0, 2, (1, 1.0), head),
                "more than 1 invocations at once",
            ),
            (
                frames.invoke(frames.END, 1, (1, 1.0), head) + frames.body(0, 1, b"x"),
                "goes on after its end",
            ),
            (
                frames.invoke(0, 1, (1, 1.0), head) + frames.credit(1, more) + frames.credit(1, 1),
                "credit overflows the window",
            ),
        ):
            with self.subTest(reason):
                host = started({"app.py": slow})
                host.send(data)
                self.assert_breach(host, reason)

    def test_a_body_beyond_the_window_is_a_breach(self) -> None:
        app = "import time\ndef app(environ, start_response):\n    time.sleep(60)\n"
        host = started({"app.py": app}, handler="app.app")
        stream = host.open()
        host.send(frames.body(0, stream, bytes(frames.WINDOW_BYTES + 1)))
        self.assert_breach(host, "was sent 1 bytes beyond its window")

    def test_a_cut_frame_and_a_wrong_archive_are_breaches(self) -> None:
        host = started({"app.py": ECHO})
        host.send(b"\x01")
        host.socket.shutdown(socket.SHUT_WR)
        self.assert_breach(host, "inside a frame")
        host = Host()
        host.hello()
        host.send_init({})
        host.send(frames.frame(frames.CODE, frames.END, 0, code_archive({"a": "1"})[:1024]))
        self.assert_breach(host, "ends without its end mark")


class End(unittest.TestCase):
    def test_shutdown_runs_exit_hooks_and_ends_with_zero(self) -> None:
        code = "import atexit\natexit.register(lambda: print('bye'))\n" + ECHO
        with started({"app.py": code}) as host:
            host.call()
            host.send(frames.shutdown(10_000))
            self.assertEqual(host.end()[0], 0)
            self.assertEqual([log.text for log in host.logs], ["bye"])

    def test_shutdown_lets_a_running_call_finish(self) -> None:
        code = "def handler(event, context):\n    print('in')\n    return open(event).read()\n"
        with tempfile.TemporaryDirectory() as folder, started({"app.py": code}) as host:
            os.mkfifo(folder + "/gate")
            stream = host.invoke("", json.dumps(folder + "/gate").encode(), is_event=True)
            host.log("in")
            host.send(frames.shutdown(10_000))
            host.ping()
            with open(folder + "/gate", "w") as gate:
                gate.write("done")
            self.assertEqual(host.answer(stream).json, "done")
            self.assertEqual(host.end()[0], 0)

    def test_shutdown_ends_a_stuck_call_after_the_grace(self) -> None:
        code = "import time\ndef handler(event, context):\n    print('in')\n    time.sleep(600)\n"
        with started({"app.py": code}) as host:
            host.invoke()
            host.log("in")
            host.send(frames.shutdown(50))
            self.assertEqual(host.end()[0], 0)

    def test_exit_in_a_handler_ends_the_process_with_its_code(self) -> None:
        code = (
            "import os, sys\n"
            "def handler(event, context):\n"
            "    print('leaving', end='')\n"
            "    if event == 'os': os._exit(5)\n"
            "    if event == 'text': sys.exit('reason')\n"
            "    exit(event)\n"
        )
        for event, expected in ((3, 3), (None, 0), ("text", 1), ("os", 5)):
            with started({"app.py": code}) as host:
                host.invoke("", json.dumps(event).encode(), is_event=True)
                self.assertEqual(host.end()[0], expected)
                texts = [log.text for log in host.logs]
                expected_texts = {"os": [], "text": ["reason", "leaving"]}
                self.assertEqual(texts, expected_texts.get(str(event), ["leaving"]))
