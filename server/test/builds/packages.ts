/** Packages for tests of builds. */

/** hono without dependencies of its own, as the registry has it. */
export const honoPackage = {
  "package.json": JSON.stringify({ name: "f", version: "1.0.0", dependencies: { hono: "4.6.14" } }),
  "package-lock.json": JSON.stringify({
    name: "f",
    version: "1.0.0",
    lockfileVersion: 3,
    requires: true,
    packages: {
      "": { name: "f", version: "1.0.0", dependencies: { hono: "4.6.14" } },
      "node_modules/hono": {
        version: "4.6.14",
        integrity:
          "sha512-j4VkyUp2xazGJ8eCCLN1Vm/bxdvm/j5ZuU9AIjLu9vapn2M44p9L3Ktr9Vnb2RN2QtcR/wVjZVMlT5k7GJQgPw==",
      },
    },
  }),
};

export const honoCode =
  "import { Hono } from 'hono';\nconst app = new Hono();\napp.get('/', (c) => c.text('from hono'));\nexport default app;\n";

/** A package whose build runs `script`, and needs no registry. */
export function scriptedPackage(script: string): Record<string, string> {
  const root = {
    name: "scripted",
    version: "1.0.0",
    scripts: { postinstall: "node script.cjs" },
    dependencies: { lib: "file:lib" },
  };
  const lib = { name: "lib", version: "1.0.0", main: "index.js" };
  return {
    "package.json": JSON.stringify(root),
    "package-lock.json": JSON.stringify({
      name: "scripted",
      version: "1.0.0",
      lockfileVersion: 3,
      requires: true,
      packages: {
        "": {
          name: "scripted",
          version: "1.0.0",
          hasInstallScript: true,
          dependencies: root.dependencies,
        },
        lib: { version: "1.0.0" },
        "node_modules/lib": { resolved: "lib", link: true },
      },
    }),
    "lib/package.json": JSON.stringify(lib),
    "lib/index.js": "module.exports = 'lib';\n",
    "index.mjs": "import lib from 'lib';\nexport const handler = () => lib;\n",
    "script.cjs": script,
  };
}
