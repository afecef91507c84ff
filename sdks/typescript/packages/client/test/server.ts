// A real server for the tests, over the repository's own helper.
import { rmSync } from "node:fs";
import { execute, freePort, newFolder, root, startServer } from "../../../../../tests/processes.mjs";

const vibe = `${root}scripts/vibe`;

/** A server that can be killed and started again on the same port and data. */
export class TestServer {
  private constructor(readonly data: string, readonly port: number, private process: Awaited<ReturnType<typeof startServer>>) {}

  static async start(): Promise<TestServer> {
    const folder = newFolder("sdk");
    const port = await freePort();
    return new TestServer(`${folder}/data`, port, await serve(port, `${folder}/data`));
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async kill(): Promise<void> {
    this.process.kill("SIGKILL");
    await this.process.ended;
  }

  async restart(): Promise<void> {
    this.process = await serve(this.port, this.data);
  }

  async stop(): Promise<void> {
    this.process.kill("SIGTERM");
    await this.process.ended;
    rmSync(this.data.replace(/\/data$/, ""), { recursive: true, force: true });
  }

  token(user: string, ...more: readonly string[]): Promise<string> {
    return tokenFor(this.data, user, ...more);
  }
}

/** An access token of a user, who is created when new. */
export async function tokenFor(data: string, user: string, ...more: readonly string[]): Promise<string> {
  return (await execute(vibe, ["token", "--user", user, ...more, "--data", data])).stdout.trim();
}

function serve(port: number, data: string): ReturnType<typeof startServer> {
  return startServer(vibe, ["serve", "--port", `${port}`, "--data", data]);
}
