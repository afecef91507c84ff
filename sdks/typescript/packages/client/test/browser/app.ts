// The page of the browser tests: a client and one live query, to be driven from outside.
import { createClient } from "../../src/index.js";
import type { ConnectionState, Live, VibeClient } from "../../src/index.js";

interface Note {
  title: string;
}

declare global {
  interface Window {
    vibe: VibeClient<{ notes: Note }>;
    state: Live<Note> | undefined;
    connection: ConnectionState | undefined;
    titles(): string;
  }
}

const { url, token, worker } = Object.fromEntries(new URLSearchParams(location.search)) as { url: string; token: string; worker?: string };
const workers: Record<string, () => SharedWorker> = { broken: () => new SharedWorker("/none.js", { type: "module" }) };

window.vibe = createClient<{ notes: Note }>({
  url, token: () => token, app: "browser", longestPauseMs: 200,
  ...(worker === undefined ? {} : { worker: workers[worker] ?? false }),
});
window.titles = () => (window.state?.data ?? []).map(({ data }) => data.title).sort().join();
window.vibe.onConnection((connection) => (window.connection = connection));
window.vibe.read("notes", {}, (state) => (window.state = state));
