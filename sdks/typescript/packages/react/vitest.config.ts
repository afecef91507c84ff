import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { include: ["test/**/*.test.tsx"], globalSetup: "../client/test/global-setup.ts", fileParallelism: false, testTimeout: 180_000, hookTimeout: 180_000 },
});
