import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import manifest from "./vibe.json" with { type: "json" };

// People sign in to a registered address: the app is served there, or not at all.
const server = { port: Number(new URL(manifest.origins[0]!).port), strictPort: true };

export default defineConfig({
  plugins: [react()],
  server,
  preview: server,
});
