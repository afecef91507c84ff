import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["src/**/*.test.ts"] } },
      {
        test: {
          name: "server", include: ["test/**/*.test.ts"], globalSetup: "test/global-setup.ts", fileParallelism: false,
          testTimeout: 180_000, hookTimeout: 180_000,
        },
      },
    ],
  },
});
