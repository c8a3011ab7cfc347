import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf } from "./engine-address.ts";

test("an engine's address is a socket of this machine or a host with a port", () => {
  const usual = { socketPath: "/var/run/docker.sock" };
  assert.deepEqual(addressOf(null).options, usual);
  assert.deepEqual(addressOf("").options, usual);
  for (const text of ["unix:///tmp/a.sock", "/tmp/a.sock"])
    assert.deepEqual(addressOf(text), {
      text: "unix:///tmp/a.sock",
      isLocal: true,
      options: { socketPath: "/tmp/a.sock" },
    });
  assert.deepEqual(addressOf("tcp://[::1]:99"), {
    text: "tcp://[::1]:99",
    isLocal: false,
    options: { host: "::1", port: 99, protocol: "http" },
  });
  assert.equal((addressOf("tcp://engine.example").options as { port: number }).port, 2375);
});

test("anything else is refused with what is expected", () => {
  for (const text of ["ssh://host", "unix://relative", "npipe:////./pipe/x", "engine", "tcp://"])
    assert.throws(() => addressOf(text), { code: "invalid_settings", message: /must be/ }, text);
});
