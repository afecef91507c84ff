import { createClient } from "@vibe/client";
import { VibeProvider } from "@vibe/react";
import "@vibe/react/styles.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import type { Collections } from "./collections.ts";
import "./style.css";

const vibe = createClient<Collections>({
  url: import.meta.env.VITE_VIBE_URL,
  app: import.meta.env.VITE_VIBE_APP,
  auth: { scope: "documents:notes:write" },
});

createRoot(document.querySelector("#root")!).render(
  <StrictMode>
    <VibeProvider client={vibe}><App /></VibeProvider>
  </StrictMode>,
);
