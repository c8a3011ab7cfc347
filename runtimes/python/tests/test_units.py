"""Archive, line assembler, event and answer by themselves."""

from __future__ import annotations

import contextlib
import json
import os
import random
import tempfile
import unittest
from decimal import Decimal
from typing import Any

from harness import Files, code_archive, frames, remove_tree
from isola_runtime.answer import event_answer, http_answer
from isola_runtime.archive import ArchiveError, Unpacker
from isola_runtime.event import clf_time, http_event
from isola_runtime.heads import BadResponse, InvocationHead
from isola_runtime.log_lines import LineAssembler
from isola_runtime.settings import parse_settings

LIMIT = 1000


def settings() -> Any:
    texts = dict.fromkeys(("sandbox", "project", "function", "handler"), "x")
    numbers = {"revision": 1, "concurrency": 1, "memoryMiB": 1, "timeoutMs": 1, "initTimeoutMs": 1}
    limits = dict.fromkeys(("requestBodyBytesMax", "responseBodyBytesMax"), 1)
    rest = {"env": {}, "taskRoot": "/x", "logLineBytesMax": 1}
    return parse_settings(json.dumps({**texts, **numbers, **limits, **rest}).encode())


class Archive(unittest.TestCase):
    def setUp(self) -> None:
        self.root = tempfile.mkdtemp(prefix="isola-archive-test-")
        self.addCleanup(remove_tree, self.root)

    def unpack(self, data: bytes, step: int = 65_536) -> Unpacker:
        unpacker = Unpacker(self.root + "/task")
        for at in range(0, len(data), step):
            unpacker.feed(data[at : at + step])
        unpacker.finish()
        return unpacker

    def test_files_folders_long_names_and_modes_arrive_in_steps_of_any_size(self) -> None:
        long_name = "d" * 90 + "/" + "é" * 60 + "/" + "f" * 99 + ".txt"
        files: Files = {
            "app.py": "x = 1\n",
            "run.sh": "#!/bin/sh\n",
            long_name: b"\0" * 3000,
            "empty": b"",
        }
        for step in (7, 512, 65_536):
            with self.subTest(step=step):
                self.unpack(code_archive(files), step)
                for name, data in files.items():
                    path = f"{self.root}/task/{name}"
                    with open(path, "rb") as file:
                        expected = data.encode() if isinstance(data, str) else data
                        self.assertEqual(file.read(), expected)
                    mode = 0o555 if name.endswith(".sh") else 0o444
                    self.assertEqual(os.stat(path).st_mode & 0o777, mode)
                self.assertEqual(os.stat(f"{self.root}/task/{'d' * 90}").st_mode & 0o777, 0o555)
                self.assertEqual(os.stat(f"{self.root}/task").st_mode & 0o777, 0o555)
                remove_tree(self.root + "/task")

    def test_paths_that_leave_the_root_are_refused(self) -> None:
        for name in ("/etc/x", "../x", "a/../x", "a//x", "./x", "a/./x"):
            with self.subTest(name), self.assertRaises(ArchiveError):
                self.unpack(archive_of(name, b"0"))
        self.assertEqual(os.listdir(self.root + "/task"), [])

    def test_links_devices_and_duplicates_are_refused(self) -> None:
        for kind in (b"1", b"2", b"3", b"4", b"6", b"g", b"L"):
            with self.subTest(kind), self.assertRaises(ArchiveError):
                self.unpack(archive_of("x", kind))
        with self.assertRaisesRegex(ArchiveError, "twice"):
            self.unpack(archive_of("x", b"0")[:512] + archive_of("x", b"0"))

    def test_wrong_checksum_missing_end_and_trailing_data_are_refused(self) -> None:
        good = code_archive({"a": "1"})
        for bad in (b"b" + good[1:], good[:1024], good + b"x" * 512, b"x" * 1024):
            with self.assertRaises(ArchiveError):
                self.unpack(bad)
            remove_tree(self.root + "/task")

    def test_mutated_archives_are_unpacked_or_refused_and_never_leave_the_root(self) -> None:
        chance = random.Random(7)
        good = code_archive({"a/b.py": "1" * 700, "c" * 120: "2"})
        for _ in range(300):
            data = bytearray(good)
            for _ in range(chance.randrange(1, 4)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            with contextlib.suppress(ArchiveError, OSError):
                self.unpack(bytes(data), chance.randrange(1, 4000))
            self.assertEqual(os.listdir(self.root), ["task"])
            remove_tree(self.root + "/task")


def archive_of(name: str, kind: bytes) -> bytes:
    """One entry without content, its checksum right, whatever its name and type."""
    header = bytearray(512)
    header[: len(name)] = name.encode()
    header[100:108] = b"0000644\0"
    header[124:136] = b"00000000000\0"
    header[156:157] = kind
    header[257:265] = b"ustar\x0000"
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + bytes(1024)


class Lines(unittest.TestCase):
    def assembled(self, pieces: list[bytes], limit: int = 262_144) -> list[tuple[int, bytes]]:
        lines = LineAssembler(1, 0, limit)
        out: list[bytes] = []
        for piece in pieces:
            out += lines.feed(piece)
        if not lines.is_clean:
            lines.end_line(out)
        found = frames.FrameReader("host").push(b"".join(out))
        return [(flags, payload[8:]) for _, flags, _, payload in found]

    def test_pieces_become_lines(self) -> None:
        found = self.assembled([b"a", b"b\n\nc", b"\nd"])
        self.assertEqual(found, [(0, b"ab"), (0, b""), (0, b"c"), (0, b"d")])

    def test_a_long_line_goes_in_partial_pieces_between_characters(self) -> None:
        text = "é".encode() * 70_001
        found = self.assembled([b"x" + text + b"\n"])
        self.assertEqual([flags for flags, _ in found], [frames.PARTIAL, frames.PARTIAL, 0])
        self.assertEqual(b"".join(piece for _, piece in found), b"x" + text)
        for _, piece in found:
            piece.decode()

    def test_what_exceeds_the_limit_is_dropped_up_to_the_line_feed(self) -> None:
        for pieces in ([b"x" * 101 + b"\ny\n"], [b"x" * 60, b"x" * 60, b"xx\ny\n"]):
            expected = [(frames.TRUNCATED, b"x" * 100), (0, b"y")]
            self.assertEqual(self.assembled(pieces, 100), expected)
        self.assertEqual(self.assembled([b"x" * 100 + b"\n"], 100), [(0, b"x" * 100)])

    def test_a_line_above_frame_and_limit_ends_with_one_truncated_piece(self) -> None:
        found = self.assembled([b"x" * 200_000 + b"\n"], 150_000)
        self.assertEqual(
            [flags for flags, _ in found], [frames.PARTIAL, frames.PARTIAL, frames.TRUNCATED]
        )
        self.assertEqual(sum(len(piece) for _, piece in found), 150_000)


class Event(unittest.TestCase):
    def event(self, target: str, headers: list[str], body: bytes) -> dict[str, Any]:
        lines = ["i", "GET", target, "", "ip", "HTTP/1.1", "http", "GET /:a", "a=%2Fx%20+&b=c=d"]
        text = "\n".join(lines + headers)
        return http_event(
            InvocationHead(bytes(12) + text.encode("latin-1"), False), settings(), body
        )

    def test_path_is_raw_and_parameters_are_decoded(self) -> None:
        event = self.event("/%2Fa%20b?q=a+b&q=%C3%A9&e", ["host", "api.test:80"], b"")
        self.assertEqual(event["rawPath"], "/%2Fa%20b")
        self.assertEqual(event["rawQueryString"], "q=a+b&q=%C3%A9&e")
        self.assertEqual(event["queryStringParameters"], {"q": "a b,é", "e": ""})
        self.assertEqual(event["pathParameters"], {"a": "/x +", "b": "c=d"})
        self.assertEqual(event["requestContext"]["domainName"], "api.test")
        self.assertEqual(event["requestContext"]["domainPrefix"], "api")
        self.assertNotIn("body", event)
        self.assertIs(event["isBase64Encoded"], False)

    def test_the_body_is_text_for_text_types_and_base64_otherwise(self) -> None:
        for kind, data, text in (
            ("text/plain", b"a", "a"),
            ("application/json; charset=utf-8", "é".encode(), "é"),
            ("application/problem+JSON", b"{}", "{}"),
            ("image/svg+xml", b"<a/>", "<a/>"),
            ("application/x-www-form-urlencoded", b"a=1", "a=1"),
            ("text/plain", b"\xff", None),
            ("application/octet-stream", b"a", None),
            ("", b"a", None),
        ):
            event = self.event("/", ["content-type", kind] if kind else [], data)
            self.assertEqual(event["isBase64Encoded"], text is None, kind)
            if text is not None:
                self.assertEqual(event["body"], text)
        self.assertEqual(self.event("/", [], b"\0\xff")["body"], "AP8=")

    def test_duplicate_headers_are_joined_and_cookies_are_listed(self) -> None:
        event = self.event(
            "/", ["x-a", "1", "x-a", "2", "cookie", "a=1; b=2", "cookie", "c=3"], b""
        )
        self.assertEqual(event["headers"], {"x-a": "1,2"})
        self.assertEqual(event["cookies"], ["a=1", "b=2", "c=3"])

    def test_the_time_is_that_of_common_log_format(self) -> None:
        self.assertEqual(clf_time(1_583_348_638.39), "04/Mar/2020:19:03:58 +0000")


class Answer(unittest.TestCase):
    def test_results_become_responses(self) -> None:
        json_head = b"200\ncontent-type\napplication/json"
        described = {
            "statusCode": "201",
            "headers": {"X-A": 1, "Content-Type": "text/html", "x-l": ["a", "b"], "x-n": None},
            "cookies": ["a=1", "b=2"],
            "body": "aGk=",
            "isBase64Encoded": True,
        }
        head = b"201\nx-a\n1\ncontent-type\ntext/html\nx-l\na\nx-l\nb"
        head += b"\nset-cookie\na=1\nset-cookie\nb=2"
        for result, expected in (
            ({"a": "é"}, (json_head, '{"a":"é"}'.encode())),
            (None, (json_head, b"null")),
            ([1, 2.5, True], (json_head, b"[1,2.5,true]")),
            ("plain", (json_head, b"plain")),
            ({"n": Decimal("1.5"), "i": Decimal(3)}, (json_head, b'{"n":1.5,"i":3}')),
            ("\ud800", (json_head, b"?")),
            ({"s": "\ud800"}, (json_head, b'{"s":"\\ud800"}')),
            (b"\0", (b"200\ncontent-type\napplication/octet-stream", b"\0")),
            ({"statusCode": 204}, (b"204", b"")),
            ({"statusCode": 200, "body": "x"}, (json_head, b"x")),
            (described, (head, b"hi")),
        ):
            self.assertEqual(http_answer(result, LIMIT), expected)
        self.assertEqual(event_answer("x", LIMIT), (json_head, b'"x"'))

    def test_what_cannot_be_sent_is_named(self) -> None:
        for result, text in (
            (object(), "object is not something JSON can express"),
            ({"a": float("nan")}, "JSON"),
            ({"statusCode": 99}, "from 200 to 599, not 99"),
            ({"statusCode": True}, "whole number"),
            ({"statusCode": 200, "headers": []}, "headers must be an object, not list"),
            ({"statusCode": 200, "headers": {"a b": "x"}}, "header name 'a b'"),
            ({"statusCode": 200, "headers": {"a": "x\r\ny: z"}}, "control character"),
            ({"statusCode": 200, "headers": {"a": "€"}}, "ISO-8859-1"),
            ({"statusCode": 200, "headers": {"a": {}}}, "must be a string, not dict"),
            ({"statusCode": 200, "cookies": "a"}, "cookies must be a list"),
            ({"statusCode": 200, "body": {}}, "body must be a string or bytes, not dict"),
            ({"statusCode": 200, "body": "%", "isBase64Encoded": True}, "not base64"),
            ("x" * 1001, "1001 bytes exceeds 1000"),
        ):
            with self.assertRaises(BadResponse) as caught:
                http_answer(result, LIMIT)
            self.assertIn(text, str(caught.exception))
        endless: list[Any] = []
        endless.append(endless)
        with self.assertRaises(BadResponse):
            event_answer(endless, LIMIT)
