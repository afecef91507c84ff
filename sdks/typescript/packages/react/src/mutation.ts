import { VibeError } from "@vibe/client";
import { useCallback, useRef, useState } from "react";
import { useVibe } from "./provider.js";
import type { AppClient } from "./provider.js";

/** How the last run of a mutation stands. */
export interface MutationState<R> {
  /** `queued`: kept on this device and shown, sent when the server can be reached. */
  readonly status: "idle" | "pending" | "queued" | "success" | "error";
  /** What the last run resolved with. */
  readonly data?: R;
  readonly error?: VibeError;
  /** Runs that have not ended. */
  readonly pendingWrites: number;
}

/** A mutation. */
export interface Mutation<A extends readonly unknown[], R> extends MutationState<R> {
  /** Runs it. The promise may be ignored: what fails is in `error`. */
  readonly run: (...args: A) => Promise<R>;
  /** Forgets the last run. */
  readonly reset: () => void;
}

/** What goes along with a mutation. */
export interface MutationOptions<A extends readonly unknown[]> {
  /** Shows more than live queries do by themselves; what it returns takes that back when the mutation fails. */
  readonly optimistic?: (...args: A) => (() => void) | void;
}

/**
 * Runs writes: `useMutation((vibe, title: string) => vibe.write("notes", { title }))`. Live queries show a write at once, and
 * take it back when the server refuses it; this tells how it went.
 */
export function useMutation<A extends readonly unknown[], R>(
  mutation: (vibe: AppClient, ...args: A) => Promise<R> & { readonly queued?: Promise<void> }, { optimistic }: MutationOptions<A> = {},
): Mutation<A, R> {
  const client = useVibe();
  const [state, setState] = useState<MutationState<R>>({ status: "idle", pendingWrites: 0 });
  const latest = useRef({ mutation, optimistic });
  latest.current = { mutation, optimistic };
  const runs = useRef(0);

  const run = useCallback((...args: A): Promise<R> => {
    const number = ++runs.current;
    // Of several runs the last one is told; all are counted.
    const tell = (change: Omit<MutationState<R>, "pendingWrites">, ended = false): void => setState(({ pendingWrites, ...before }) => ({
      ...(number === runs.current ? change : before), pendingWrites: pendingWrites - (ended ? 1 : 0),
    }));
    setState(({ pendingWrites }) => ({ status: "pending", pendingWrites: pendingWrites + 1 }));
    const rollback = latest.current.optimistic?.(...args);
    const done = start(() => latest.current.mutation(client, ...args), () => tell({ status: "queued" }));
    done.then((data) => tell({ status: "success", data }, true), (error: unknown) => {
      rollback?.();
      tell({ status: "error", error: VibeError.from(error) }, true);
    });
    return done;
  }, [client]);

  const reset = useCallback(() => {
    runs.current++;
    setState(({ pendingWrites }) => ({ status: "idle", pendingWrites }));
  }, []);
  return { ...state, run, reset };
}

// What throws at once fails like what rejects. The end is never told before the queueing.
async function start<R>(mutate: () => Promise<R> & { readonly queued?: Promise<void> }, queued: () => void): Promise<R> {
  const write = mutate();
  write.catch(() => undefined);
  await write.queued?.then(queued, () => undefined);
  return write;
}
