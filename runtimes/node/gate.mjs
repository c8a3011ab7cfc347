import { randomBytes } from "node:crypto";
import { closeSync, readSync, writeSync } from "node:fs";
import { endProcess } from "./session.mjs";

const RANDOM_BYTES = 64;
/** Nobody let the process through, or it could not go. */
const EXIT_GATE = 72;

/**
 * Says that everything is loaded, and waits. In between a virtual machine may be made into a snapshot, of which many others begin: what this process knows so far they
 * all know. So nothing that was random or of the past clock is used afterwards. Blocks; no other thread runs meanwhile.
 * @param {string} where `fd:4`
 * @param {{isControl: boolean, reseed: string | undefined}} options `isControl`: the control stream begins where the randomness has ended. `reseed`: a module that has
 * OpenSSL's generators seeded anew when it is loaded; left out: they notice by themselves, as the clock leaps
 */
export function passGate(where, { isControl, reseed }) {
  const fd = Number(/^fd:(\d+)$/.exec(where)?.[1]);
  if (!Number.isInteger(fd)) throw new Error(`ISOLA_GATE must be fd:N, not ${where}`);
  if (reseed !== undefined) {
    // Where it cannot be, that is told before anybody depends on it.
    load(reseed);
    // What the first use of OpenSSL's generators takes is done here, once for all siblings.
    randomBytes(1);
  }
  writeSync(fd, "\0");
  const random = Buffer.alloc(RANDOM_BYTES);
  for (let at = 0; at < RANDOM_BYTES; ) {
    const bytes = readSync(fd, random, at, RANDOM_BYTES - at, null);
    if (bytes === 0) endProcess(EXIT_GATE);
    at += bytes;
  }
  if (!isControl) closeSync(fd);
  replaceRandom(random);
  if (reseed !== undefined) load(reseed);
  renewTimeOrigin();
}

/** Says why it could not, and ends the process. @param {string} path */
function load(path) {
  try {
    process.dlopen({ exports: {} }, path);
  } catch (error) {
    writeSync(2, `isola: ${/** @type {Error} */ (error).message}\n`);
    endProcess(EXIT_GATE);
  }
}

/** V8's own generator cannot be seeded again. @param {Buffer} seed */
function replaceRandom(seed) {
  const next = generatorOf(seed);
  const { random } = {
    random() {
      return next();
    },
  };
  Object.defineProperty(Math, "random", {
    ...{ value: random, writable: true, enumerable: false, configurable: true },
  });
}

/**
 * Numbers of 0 to 1 by two generators sfc32 (C. Doty-Humphrey, PractRand), one for the upper 26 bits of each and one for the lower 27: with 32-bit arithmetic alone, as
 * V8's numbers of 64 bits are slow.
 * @param {Buffer} seed 32 bytes and more @returns {() => number}
 */
export function generatorOf(seed) {
  const [high, low] = [wordsOf(seed.subarray(0, 16)), wordsOf(seed.subarray(16, 32))];
  return () => ((high() >>> 6) * 2 ** 27 + (low() >>> 5)) / 2 ** 53;
}

/** Rounds after which the seed has spread over the whole state. */
const ROUNDS = 16;

/** @param {Buffer} seed 16 bytes @returns {() => number} */
function wordsOf(seed) {
  let a = seed.readInt32LE(0);
  let b = seed.readInt32LE(4);
  let c = seed.readInt32LE(8);
  let counter = seed.readInt32LE(12);
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum;
  };
  for (let round = 0; round < ROUNDS; round++) next();
  return next;
}

/** The moment at which the clock of `performance.now` was 0, by the clock that is right now. */
function renewTimeOrigin() {
  const origin = Date.now() - performance.now();
  Object.defineProperty(Performance.prototype, "timeOrigin", {
    ...{ get: () => origin, enumerable: true, configurable: true },
  });
}
