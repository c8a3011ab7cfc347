import { DEFAULT_DOCKER_HOST, type Engine, askEngine, openEngine } from "./engine.ts";

/** Where tests look for a Docker Engine; `npm test` sees to it that there is one, with the images of sandboxes in it, where it can. */
export const testDockerHost = process.env.DOCKER_HOST || DEFAULT_DOCKER_HOST;

/** For `skip`: why tests that need an engine cannot run, with the command that would change it; false where one answers. */
export async function noEngineReason(): Promise<string | false> {
  try {
    const engine = await testEngine();
    await askEngine(engine, "list images", (docker, abortSignal) =>
      docker.listImages({ abortSignal }),
    );
    return false;
  } catch (error) {
    return `${(error as Error).message} (\`npm test\` as root on Debian starts one, \`node setup/engine.mjs start\` one for longer)`;
  }
}

export function testEngine(): Promise<Engine> {
  return openEngine(testDockerHost);
}
