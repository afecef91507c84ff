import { canJoin, joinPatches, mergePatch } from "./overlay.js";
import type { ConflictPolicy, QueuedWrite, WriteOperation } from "./write.js";

/**
 * Compaction: a change of the document that the last waiting write concerns becomes part of that write. Undefined when it
 * must stay a write of its own.
 */
export function joinWrites(last: QueuedWrite, requestId: string, operations: readonly WriteOperation[], policy: ConflictPolicy): QueuedWrite | undefined {
  const [next] = operations;
  const [before] = last.operations;
  if (!next || !before || last.policy !== policy || last.operations.length + operations.length > 2) return undefined;
  if (!next.id || next.id !== before.id || next.kind !== "update" || before.kind === "remove" || next.etag !== undefined) return undefined;
  const first = before.data ?? {};
  const second = next.data ?? {};
  if (before.kind === "update" && !canJoin(first, second)) return undefined;
  const data = before.kind === "update" ? joinPatches(first, second) : mergePatch(first, second);
  const { acl = before.acl, edges = before.edges } = next;
  return {
    ...last,
    requestIds: [...last.requestIds, requestId],
    operations: [{ ...before, data, ...(acl ? { acl } : {}), ...(edges ? { edges } : {}) }],
  };
}
