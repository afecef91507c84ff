// The app in a browser: takes over what a server has rendered.
import { createClient } from "@vibe/client";
import type { ClientOptions } from "@vibe/client";
import { hydrateRoot } from "react-dom/client";
import { App } from "./app.js";
import type { Post } from "./app.js";

declare global {
  interface Window {
    options: ClientOptions<{ posts: Post }>;
    faults: string[];
  }
}

window.faults = [];
hydrateRoot(document.querySelector("main")!, <App client={createClient(window.options)} />, {
  onRecoverableError: (error) => window.faults.push(String(error)),
});
