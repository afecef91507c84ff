import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // Much of the time is spent waiting; more at once would only wait for the processor.
    maxWorkers: 2,
    projects: [
      { test: { name: "unit", include: ["src/**/*.test.ts"] } },
      {
        test: {
          name: "server", include: ["test/**/*.test.ts"], globalSetup: "test/global-setup.ts",
          testTimeout: 180_000, hookTimeout: 180_000,
        },
      },
    ],
  },
});
