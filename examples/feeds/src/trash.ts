// What was deleted a moment ago, and can still be taken back.
import type { AppClient } from "@vibe/react";
import { useSyncExternalStore } from "react";
import { toastMs } from "./toasts.js";

let hidden: ReadonlySet<string> = new Set();
const listeners = new Set<() => void>();
const due = new Map<string, () => void>();

// A page that goes away does not take it back any more.
addEventListener("pagehide", () => [...due.values()].forEach((remove) => remove()));

/** The ids of what is shown no more. */
export function useTrash(): ReadonlySet<string> {
  return useSyncExternalStore(subscribe, () => hidden);
}

/** Deletes a document, in a moment; the returned function takes that back. */
export function discard(vibe: AppClient, collection: "posts" | "comments", id: string): () => void {
  const remove = (): void => {
    clearTimeout(timer);
    due.delete(id);
    // It stays hidden here: what the live queries drop now is not shown again in between.
    void vibe.remove(collection, id);
  };
  const timer = setTimeout(remove, toastMs);
  due.set(id, remove);
  hide([...hidden, id]);
  return () => {
    if (!due.delete(id)) return;
    clearTimeout(timer);
    hide([...hidden].filter((other) => other !== id));
  };
}

function hide(ids: readonly string[]): void {
  hidden = new Set(ids);
  listeners.forEach((listener) => listener());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
