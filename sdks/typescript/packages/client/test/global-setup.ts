import type { TestProject } from "vitest/node";
import { TestServer } from "./server.js";

declare module "vitest" {
  export interface ProvidedContext {
    server: { url: string; data: string };
  }
}

/** One server for all suites that do not kill theirs. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const server = await TestServer.start();
  provide("server", { url: server.url, data: server.data });
  return () => server.stop();
}
