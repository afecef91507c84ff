import { VibeError } from "../errors.js";
import type { QueuedWrite } from "./write.js";

// What an answer waits for, and what is sent again when it is lost.
const mostWrites = 100;
const mostCharacters = 500_000;

/**
 * The writes at the head of the queue that are sent as one request: in their order, each document once, since what follows a
 * write may build on what the server makes of it. Those that were sent together before are the same again.
 *
 * @param alone Whether a write goes by itself.
 */
export function together(queue: readonly QueuedWrite[], alone: (write: QueuedWrite) => boolean): readonly QueuedWrite[] {
  const [first] = queue;
  if (!first) return [];
  if (first.batch) return queue.slice(0, leading(queue, ({ batch }) => batch === first.batch));
  const ids = new Set<string>();
  let characters = 0;
  const count = leading(queue.slice(0, mostWrites), (write) => {
    const { id, data } = write.operations[0]!;
    characters += data ? JSON.stringify(data).length : 0;
    if (write.batch || write.operations.length > 1 || !id || ids.has(id) || alone(write) || characters > mostCharacters) return false;
    return ids.add(id);
  });
  return queue.slice(0, Math.max(1, count));
}

/** Which writes of a refused request the server objects to: one that it names, or else perhaps any. */
export function culprits(writes: readonly QueuedWrite[], { metadata, fields }: VibeError): readonly QueuedWrite[] {
  const index = metadata["index"] ?? /^writes\[(\d+)\]/.exec(fields[0]?.field ?? "")?.[1];
  const named = index === undefined ? undefined : writes[Number(index)];
  return named ? [named] : writes;
}

function leading<T>(items: readonly T[], holds: (item: T) => unknown): number {
  const end = items.findIndex((item) => !holds(item));
  return end < 0 ? items.length : end;
}
