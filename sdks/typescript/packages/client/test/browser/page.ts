// The app of the browser tests: a client, and what it has told so far.
import { createClient } from "../../src/index.js";
import type { ClientOptions, JsonObject, Live, SessionState, VibeClient } from "../../src/index.js";

interface Page {
  readonly options: ClientOptions<Record<string, JsonObject>>;
  readonly vibe: VibeClient;
  readonly sessions: SessionState[];
  live?: Live;
  failure?: string;
  channel?: string[];
  titles?: string[];
}

declare global {
  interface Window extends Page {}
}

const vibe = createClient(window.options);
const sessions: SessionState[] = [];
vibe.onSession((state) => sessions.push(state));
document.querySelector("button")!.addEventListener("click", () => {
  vibe.signIn(JSON.parse(document.body.dataset["signIn"] ?? "{}")).catch((error) => (window.failure = error.reason));
});
Object.assign(window, { vibe, sessions });
