"""The codec against the golden frames, and against bytes that are no frames."""

from __future__ import annotations

import json
import random
import unittest
from typing import Any

from harness import ROOT, frames

GOLDEN: dict[str, Any] = json.loads(
    (ROOT.parent.parent / "protocol/golden/frames.json").read_text()
)


def golden_bytes(entry: dict[str, Any]) -> bytes:
    repeat = entry.get("repeat", {"hex": "", "times": 0})
    times = int(repeat["times"])
    return bytes.fromhex(entry["hex"]) + bytes.fromhex(repeat["hex"]) * times


def encoded(entry: dict[str, Any], payload: bytes) -> bytes:
    """The frame as the codec writes it from what it means, where there is a function for that."""
    kind, flags, stream = entry["type"], entry["flags"], entry["stream"]
    if kind == frames.INVOKE:
        timing = (entry["timeoutMs"], entry["deadlineMs"])
        return frames.invoke(flags, stream, timing, entry["text"])
    if kind == frames.BODY:
        return frames.body(flags, stream, payload)
    if kind == frames.CREDIT:
        return frames.credit(stream, entry["bytes"])
    if kind == frames.LOG:
        return frames.log(flags, stream, entry["at"], entry["text"].encode())
    if kind == frames.PONG:
        numbers = (entry["cpuMicros"], entry["residentBytes"], entry["inProgress"])
        return frames.pong(bytes.fromhex(entry["opaqueHex"]), *numbers)
    if kind == frames.SHUTDOWN:
        return frames.shutdown(entry["graceMs"])
    return frames.frame(kind, flags, stream, payload)


class Golden(unittest.TestCase):
    def test_every_golden_frame_is_decoded_whole_and_byte_by_byte(self) -> None:
        self.assertGreater(len(GOLDEN["frames"]), 30)
        for entry in GOLDEN["frames"]:
            with self.subTest(entry["name"]):
                data = golden_bytes(entry)
                side = "sandbox" if entry["from"] == "host" else "host"
                expected = [(entry["type"], entry["flags"], entry["stream"], data[12:])]
                self.assertEqual(frames.FrameReader(side).push(data), expected)
                reader = frames.FrameReader(side)
                step = max(1, len(data) // 40)
                pieces = [data[at : at + step] for at in range(0, len(data), step)]
                found = [frame for piece in pieces for frame in reader.push(piece)]
                self.assertEqual(found, expected)
                self.assertEqual(reader.pending_bytes, 0)

    def test_every_golden_frame_is_encoded_to_the_same_bytes(self) -> None:
        for entry in GOLDEN["frames"]:
            with self.subTest(entry["name"]):
                data = golden_bytes(entry)
                self.assertEqual(encoded(entry, data[12:]), data)

    def test_every_broken_frame_is_refused_for_its_reason(self) -> None:
        self.assertGreater(len(GOLDEN["broken"]), 30)
        for entry in GOLDEN["broken"]:
            with self.subTest(entry["name"]):
                reader = frames.FrameReader(entry["side"])
                with self.assertRaises(frames.FrameError) as caught:
                    reader.push(bytes.fromhex(entry["hex"]))
                self.assertIn(entry["reason"], str(caught.exception))
                self.assertEqual(reader.push(frames.frame(frames.PING, 0, 0, bytes(8))), [])


class Fuzz(unittest.TestCase):
    def test_mutated_streams_give_frames_or_a_breach_and_nothing_else(self) -> None:
        chance = random.Random(20_261_124)
        whole = [golden_bytes(e) for e in GOLDEN["frames"] if e["from"] == "host"]
        whole = [data for data in whole if len(data) < 1000]
        breaches = 0
        for _ in range(3000):
            data = bytearray(b"".join(chance.choices(whole, k=3)))
            for _ in range(chance.randrange(4)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            reader = frames.FrameReader("sandbox")
            found: list[tuple[int, int, int, bytes]] = []
            at = 0
            try:
                while at < len(data):
                    step = chance.randrange(1, 80)
                    found += reader.push(bytes(data[at : at + step]))
                    at += step
            except frames.FrameError:
                breaches += 1
            consumed = b"".join(frames.frame(*frame) for frame in found)
            self.assertTrue(bytes(data).startswith(consumed))
        self.assertGreater(breaches, 100)
        self.assertLess(breaches, 2900)

    def test_a_body_of_any_size_is_cut_into_frames_with_the_end_on_the_last(self) -> None:
        for size in (0, 1, 65_536, 65_537, 131_072, 200_000):
            data = bytes(range(256)) * (size // 256 + 1)
            found = frames.FrameReader("host").push(frames.body(frames.END, 1, data[:size]))
            self.assertEqual(b"".join(frame[3] for frame in found), data[:size])
            flags = [frame[1] for frame in found]
            self.assertEqual(flags, [0] * (len(found) - 1) + [frames.END])
