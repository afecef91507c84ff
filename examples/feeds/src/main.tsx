import { createClient } from "@vibe/client";
import { VibeProvider } from "@vibe/react";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "@vibe/react/styles.css";
import { App } from "./app.js";
import type { Feeds } from "./model.js";
import { PeopleProvider } from "./people.js";
import "./style/base.css";
import "./style/feed.css";
import "./style/sheet.css";
import { Toasts } from "./toasts.js";

const vibe = createClient<Feeds>({
  url: import.meta.env.VITE_VIBE_URL,
  app: import.meta.env.VITE_VIBE_APP,
  auth: { scope: "posts people" },
});

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <VibeProvider client={vibe}>
      <Toasts>
        <PeopleProvider>
          <App />
        </PeopleProvider>
      </Toasts>
    </VibeProvider>
  </StrictMode>,
);
