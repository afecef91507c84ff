declare module "*/tests/processes.mjs" {
  import type { ChildProcess } from "node:child_process";
  export const root: string;
  export function execute(command: string, args: readonly string[]): Promise<{ stdout: string; stderr: string }>;
  export function newFolder(name: string): string;
  export function freePort(): Promise<number>;
  export function startServer(command: string, args: readonly string[]): Promise<ChildProcess & { ended: Promise<unknown> }>;
}
