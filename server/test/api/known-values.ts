import fc from "fast-check";

const word = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,10}$/);
/** Names that mean something to JavaScript; data as any other. */
const oddNames = ["constructor", "toString", "hasOwnProperty", "valueOf", "__defineGetter__"];
const labelValue = fc.stringMatching(/^[A-Za-z0-9]([A-Za-z0-9_.-]{0,20}[A-Za-z0-9])?$/);
const text = fc.string({ unit: "binary", maxLength: 40 });

/** What is looked for in answers that must not hold it. */
export const MARK = "s3cr3t-mark";

const envName = fc
  .oneof(word, fc.constantFrom(...oddNames))
  .filter((name) => !/^(AWS_LAMBDA_|ISOLA_|LD_|DYLD_|GLIBC_TUNABLES$|_HANDLER$)/.test(name));
const files = fc
  .dictionary(
    fc.oneof(
      fc.constantFrom(...oddNames),
      fc.stringMatching(/^[a-z]{1,8}(\/[a-z]{1,8}){0,3}\.mjs$/),
    ),
    text,
    { maxKeys: 4, noNullPrototype: true },
  )
  .map((more) => ({ ...more, "index.mjs": "export const handler = () => 'x';" }));

const route = fc.record({
  path: fc
    .tuple(fc.uuid(), fc.array(fc.constantFrom("a", "b.c", ":x", ":y"), { maxLength: 3 }))
    .map(([id, rest]) => `/${[id, ...new Set(rest)].join("/")}`),
  methods: fc.subarray(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
});

const schedules = fc.uniqueArray(
  fc.record(
    {
      name: fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/),
      // None of them comes due while tests run.
      cron: fc.constantFrom("0 0 29 2 *", "@yearly", "0  0 L 2 *", "5 4 1W 1 SUN#1"),
      timeZone: fc.constantFrom("UTC", "Europe/Berlin", "America/New_York"),
      event: fc.jsonValue({ noUnicodeString: false }),
      enabled: fc.boolean(),
    },
    { requiredKeys: ["name", "cron"] },
  ),
  { selector: ({ name }) => name, maxLength: 4 },
);

/** Values of the members whose further rules the document says in prose alone. */
export const knownValues: ReadonlyMap<string, fc.Arbitrary<unknown>> = new Map<
  string,
  fc.Arbitrary<unknown>
>([
  ["runtime", fc.constantFrom("nodejs", "nodejs26", "python")],
  ["handler", fc.constantFrom("index.handler", "src/app.main", "a.b.c$")],
  ["route", fc.oneof(fc.constant(null), route)],
  [
    "env",
    fc.dictionary(
      envName,
      fc.oneof(
        fc.constant(MARK),
        text.map((one) => one.replaceAll("\0", "")),
      ),
      { maxKeys: 5, noNullPrototype: true },
    ),
  ],
  [
    "labels",
    fc.dictionary(
      fc.oneof(
        labelValue,
        labelValue.map((one) => `example.com/${one}`),
      ),
      fc.oneof(fc.constant(""), labelValue),
      { maxKeys: 5, noNullPrototype: true },
    ),
  ],
  ["code", files.map((one) => ({ files: one }))],
  ["files", files],
  // Whether another one is taken depends on the machine.
  ["driver", fc.constant("process")],
  // It would be made of packages, each time.
  ["offline", fc.constant(false)],
  ["schedules", schedules],
  // Only the driver docker has one.
  ["network", fc.constant("none")],
  // A bundle of code that is no code fails, as it should.
  [
    "build",
    fc.record(
      {
        dependencies: fc.constantFrom("auto", "none"),
        scripts: fc.boolean(),
        bundle: fc.constant(false),
      },
      { requiredKeys: [] },
    ),
  ],
  // None is kept, for each would be started.
  ["minSandboxes", fc.constant(0)],
  // At most `concurrency`, and less than what the server takes at once.
  ["concurrencyTarget", fc.constantFrom(null, 1)],
  ["reservedConcurrency", fc.constantFrom(null, 1, 9999)],
  // What is deployed is in this one.
  ["query.project", fc.constant("default")],
  ["project", fc.constantFrom(null, "default")],
  // Cursors are those of earlier pages: the test follows them.
  ["query.cursor", fc.constant(undefined)],
]);
