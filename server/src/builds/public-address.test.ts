import assert from "node:assert/strict";
import { test } from "node:test";
import { isPublicAddress } from "./public-address.ts";

test("addresses of loopback, private, link-local and other networks of no registry are not public, in any spelling", () => {
  const hidden = [
    ...["127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255"],
    ...[
      "192.168.1.1",
      "169.254.169.254",
      "100.64.0.1",
      "198.18.0.1",
      "224.0.0.1",
      "255.255.255.255",
    ],
    ...[
      "::",
      "::1",
      "::127.0.0.1",
      "fe80::1",
      "fe80::1%eth0",
      "fd00::1",
      "fc00::1",
      "ff02::1",
      "fec0::1",
    ],
    ...["::ffff:127.0.0.1", "::ffff:7f00:1", "::FFFF:10.0.0.1", "::ffff:a9fe:a9fe"],
    ...["64:ff9b::10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001::1"],
    ...["", "localhost", "1", "0x7f000001", "127.1", "[::1]"],
  ];
  for (const address of hidden) assert.equal(isPublicAddress(address), false, address);
});

test("other addresses are", () => {
  const shown = [
    ...["1.1.1.1", "172.32.0.1", "11.0.0.1", "192.169.0.1", "100.128.0.1", "203.0.113.80"],
    ...["2606:4700::6810:1", "::ffff:1.1.1.1", "64:ff9b::101:101", "2a00::1"],
  ];
  for (const address of shown) assert.equal(isPublicAddress(address), true, address);
});
