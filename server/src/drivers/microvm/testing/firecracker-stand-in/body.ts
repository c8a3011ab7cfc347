/** Answered with status 400 and this text. */
export class Fault extends Error {}

type Check = (value: unknown, name: string) => void;
/** By name; those that end in `?` may be left out. */
type Shape = Record<string, Check>;

function wrong(value: unknown, expected: string): Fault {
  return broken(`invalid type: ${typeof value} ${JSON.stringify(value)}, expected ${expected}`);
}

function among(words: readonly string[]): string {
  const quoted = words.map((word) => `\`${word}\``);
  if (quoted.length < 3) return `expected ${quoted.join(" or ")}`;
  return `expected one of ${quoted.join(", ")}`;
}

export function broken(how: string): Fault {
  return new Fault(`An error occurred when deserializing the json body of a request: ${how}.`);
}

const text: Check = (value) => {
  if (typeof value !== "string") throw wrong(value, "a string");
};
const truth: Check = (value) => {
  if (typeof value !== "boolean") throw wrong(value, "a boolean");
};
const count: Check = (value) => {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw wrong(value, "usize");
};
const oneOf =
  (...words: string[]): Check =>
  (value) => {
    if (!words.includes(value as string))
      throw broken(`unknown variant \`${String(value)}\`, ${among(words)}`);
  };
const object =
  (shape: Shape, isClosed = true): Check =>
  (value) =>
    check(value, shape, isClosed);

const bucket = object({ size: count, "one_time_burst?": count, refill_time: count }, false);
const limiter = object({ "bandwidth?": bucket, "ops?": bucket });

/** The bodies that Isola sends, by method and path, with every field that Firecracker 1.16.1 knows there. */
export const shapes = {
  "PUT /boot-source": { kernel_image_path: text, "initrd_path?": text, "boot_args?": text },
  "PUT /machine-config": {
    ...{ vcpu_count: count, mem_size_mib: count, "smt?": truth, "cpu_template?": text },
    ...{ "track_dirty_pages?": truth, "huge_pages?": oneOf("None", "2M") },
  },
  "PUT /drives": {
    ...{ drive_id: text, "partuuid?": text, is_root_device: truth, "cache_type?": text },
    ...{ "is_read_only?": truth, "path_on_host?": text, "rate_limiter?": limiter },
    ...{ "io_engine?": oneOf("Sync", "Async"), "socket?": text },
  },
  "PUT /vsock": { "vsock_id?": text, guest_cid: count, uds_path: text },
  "PUT /entropy": { "rate_limiter?": limiter },
  "PUT /serial": { "serial_out_path?": text, "rate_limiter?": bucket },
  "PUT /actions": { action_type: oneOf("FlushMetrics", "InstanceStart", "SendCtrlAltDel") },
  "PATCH /vm": { state: oneOf("Paused", "Resumed") },
  "PUT /snapshot/create": {
    ...{ "snapshot_type?": oneOf("Diff", "Full"), snapshot_path: text, mem_file_path: text },
  },
  "PUT /snapshot/load": {
    ...{ snapshot_path: text, "mem_file_path?": text, "resume_vm?": truth },
    "mem_backend?": object({ backend_type: oneOf("File", "Uffd"), backend_path: text }, false),
    ...{ "enable_diff_snapshots?": truth, "track_dirty_pages?": truth, "clock_realtime?": truth },
    ...{ "vsock_override?": object({ uds_path: text }, false), "network_overrides?": () => {} },
  },
} satisfies Record<string, Shape>;

export type Call = keyof typeof shapes;

/** The body of a call, or a `Fault`. */
export function parseBody(call: Call, body: string): Record<string, unknown> {
  if (body === "") throw new Fault(`Empty ${call.split(" ")[0]} request.`);
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch (error) {
    throw broken((error as Error).message);
  }
  check(value, shapes[call], true);
  const parsed = value as Record<string, unknown>;
  if (call === "PUT /snapshot/load") checkBackend(parsed);
  return parsed;
}

function checkBackend({ mem_backend, mem_file_path }: Record<string, unknown>): void {
  const either = "either `mem_backend` or `mem_file_path`";
  if (mem_backend === undefined && mem_file_path === undefined)
    throw broken(`missing field: ${either} is required`);
  if (mem_backend !== undefined && mem_file_path !== undefined)
    throw broken(`too many fields: ${either} exclusively is required`);
}

function check(value: unknown, shape: Shape, isClosed: boolean): void {
  if (typeof value !== "object" || value === null) throw wrong(value, "a map");
  const fields = new Map(
    Object.entries(shape).map(([name, each]) => [name.replace("?", ""), { name, each }]),
  );
  for (const [name, given] of Object.entries(value)) {
    const field = fields.get(name);
    if (field === undefined && isClosed)
      throw broken(`unknown field \`${name}\`, ${among([...fields.keys()])}`);
    if (given !== null || !field?.name.endsWith("?")) field?.each(given, name);
  }
  for (const [name, field] of fields)
    if (!field.name.endsWith("?") && !(name in value)) throw broken(`missing field \`${name}\``);
}
