import type { OtherWords } from "./spellings.ts";

/** Of other programs and platforms that our pages name. */
export const otherWords: OtherWords = {
  flags: new Set([
    ...["--against", "--seed"], // of the bench
    ...["--no-binary", "--only-binary"], // pip
    ...["--single-threaded", "--single-threaded-gc", "--optimize-for-size", "--no-opt"], // V8
    ...["--no-maglev", "--v8-pool-size", "--no-concurrent-marking", "--lite-mode"],
    ...["--host-uds", "--oci-seccomp", "--pass-fd"], // runsc
    ...["--log-opt", "--build-arg", "--privileged"], // docker
  ]),
  words: new Set([
    ...["memoryBytesMax", "isWarm"], // examples of how we name
    "partialSuccess", // OTLP
    "mem_limit", // compose
    ...["build_args", "environment_file", "readonly_root_filesystem"], // of OpenFaaS
    ...["exec_timeout", "max_inflight"],
  ]),
};
