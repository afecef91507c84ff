import { useSyncExternalStore } from "react";

/** What is open above the timeline; the address says so, so that links and the back button work. */
export interface Route {
  readonly name: "timeline" | "compose" | "post" | "person";
  /** The id of the post, or the DID of the person. */
  readonly id: string;
}

let current = parse();
const listeners = new Set<() => void>();

addEventListener("popstate", read);

/** What the address says. */
export function useRoute(): Route {
  return useSyncExternalStore(subscribe, () => current);
}

/** The address of something. */
export const linkTo = (name: Route["name"], id = ""): string => `./#${name}${id && `/${encodeURIComponent(id)}`}`;

/** Opens something; back closes it. */
export function open(name: Route["name"], id = ""): void {
  history.pushState(null, "", linkTo(name, id));
  read();
}

/** Closes what is open. */
export function close(): void {
  history.replaceState(null, "", linkTo("timeline"));
  read();
}

function read(): void {
  current = parse();
  listeners.forEach((listener) => listener());
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function parse(): Route {
  const [name, id = ""] = location.hash.slice(1).split("/");
  return name === "compose" || name === "post" || name === "person" ? { name, id: decodeURIComponent(id) } : { name: "timeline", id: "" };
}
