// An app of one live query, to be driven from outside.
import { createClient } from "../../src/index.js";
import type { ConnectionState, Live, VibeClient } from "../../src/index.js";

interface Note {
  title: string;
}

interface Notes {
  readonly vibe: VibeClient<{ notes: Note }>;
  state?: Live<Note>;
  connection?: ConnectionState;
  ends?: Promise<string[]>;
  titles(): string;
}

declare global {
  interface Window {
    notes: Notes;
  }
}

const { url, token, worker } = window.options as unknown as { url: string; token: string; worker?: "none" | "broken" };

const notes: Notes = {
  vibe: createClient({
    url, token: () => token, app: "notes", longestPauseMs: 200,
    ...(worker ? { worker: worker === "none" ? false : () => new SharedWorker("/none.js", { type: "module" }) } : {}),
  }),
  titles: () => (notes.state?.data ?? []).map(({ data }) => data.title).sort().join(),
};
window.notes = notes;
notes.vibe.onConnection((connection) => (notes.connection = connection));
notes.vibe.read("notes", {}, (state) => (notes.state = state));
