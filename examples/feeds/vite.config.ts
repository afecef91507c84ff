import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  // The SDK is linked from this repository, where it has a React of its own to be tested with.
  resolve: { dedupe: ["react", "react-dom"] },
  server: { host: "localhost", port: 5173, strictPort: true, fs: { allow: [".", "../../sdks/typescript"] } },
  build: { target: "es2023" },
  worker: { format: "es" },
});
