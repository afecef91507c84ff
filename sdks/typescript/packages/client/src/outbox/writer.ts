import type { Batch, ChangeOptions, KeyOptions, Write } from "../documents/collection.js";
import type { Document, JsonObject } from "../documents/document.js";
import { idOfKey, newId } from "../documents/uuid.js";
import { VibeError, invalidArgument } from "../errors.js";
import type { HubClient } from "../hub/hub-client.js";
import { subjectOf } from "../hub/subject.js";
import type { CallOptions } from "../timing.js";
import type { TokenSource } from "../transport.js";
import type { WriteOperation } from "./write.js";

/** Writes handed over to the hub; `queued` resolves when they are kept. */
type Handed = Promise<readonly (Document | undefined)[]> & { readonly queued: Promise<void> };

/** Makes writes of what an app says, and hands them to the hub. */
export class Writer {
  /** @param user Whose writes they are, as far as is known. */
  constructor(private readonly hub: () => HubClient, private readonly token: TokenSource, private readonly user: () => string | undefined) {}

  /** As `VibeClient.write`. */
  write(collection: string, data: object, options: Partial<KeyOptions & ChangeOptions> & CallOptions): Write<Document> {
    return this.start(operationOf(collection, data, options), options, ([document]) => document!);
  }

  /** As `VibeClient.remove`. */
  remove(collection: string, id: string, options: { readonly etag?: string } & CallOptions): Write<void> {
    return this.start<void>(removalOf(collection, id, options), options, () => undefined);
  }

  /** As `VibeClient.batch`. */
  batch<C extends object>(fill: (batch: Batch<C>) => void, options: CallOptions): Handed {
    const operations: WriteOperation[] = [];
    fill({
      write: (collection: string, data: object, options: Partial<ChangeOptions> = {}) => {
        const operation = operationOf(collection, data, options);
        operations.push(operation);
        return operation.id;
      },
      remove: (collection, id, options = {}) => void operations.push(removalOf(collection, id, options)),
    });
    if (operations.length === 0) throw invalidArgument("batch", "has no writes");
    return this.hand(operations, options);
  }

  private start<T>(operation: WriteOperation, options: CallOptions, result: (documents: readonly (Document | undefined)[]) => T): Write<T> {
    const write = operation.key && !operation.id ? this.withKeyedId(operation, options) : this.hand([operation], options);
    return Object.assign(quiet(write.then(result)), { id: operation.id, queued: write.queued });
  }

  private withKeyedId(operation: WriteOperation, options: CallOptions): Handed {
    const identified = (async () => {
      const owner = subjectOf(await this.token({ refresh: false }));
      const id = owner ? await idOfKey(owner, operation.collection, operation.key!) : undefined;
      return { write: this.hand([{ ...operation, id: id ?? "" }], options) };
    })();
    return Object.assign(quiet(identified.then(({ write }) => write)), { queued: quiet(identified.then(({ write }) => write.queued)) });
  }

  private hand(operations: readonly WriteOperation[], { signal, timeoutMs }: CallOptions): Handed {
    const id = newId();
    const hub = this.hub();
    const { queued, done } = hub.write(id, operations, this.user());
    const signals = [...(signal ? [signal] : []), ...(timeoutMs === undefined ? [] : [AbortSignal.timeout(timeoutMs)])];
    const ended = signals.length === 0 ? done : new Promise<readonly (Document | undefined)[]>((resolve, reject) => {
      const stop = AbortSignal.any(signals);
      const abort = (): void => {
        // What was sent already may happen all the same.
        hub.cancel(id);
        reject(VibeError.from(stop.reason));
      };
      if (stop.aborted) abort();
      stop.addEventListener("abort", abort, { once: true });
      done.then(resolve, reject).finally(() => stop.removeEventListener("abort", abort));
    });
    return Object.assign(quiet(ended), { queued: quiet(queued) });
  }
}

function operationOf(collection: string, data: object, options: Partial<KeyOptions & ChangeOptions>): WriteOperation {
  const { id, key, acl, edges, etag } = options;
  if (id !== undefined && key !== undefined) throw invalidArgument("key", "a document is named by its id or by its key");
  return {
    kind: id !== undefined ? "update" : key !== undefined ? "upsert" : "create",
    collection,
    id: id ?? (key === undefined ? newId() : ""),
    data: data as JsonObject,
    ...(key === undefined ? {} : { key }),
    ...(acl ? { acl } : {}),
    ...(edges ? { edges } : {}),
    ...(etag === undefined ? {} : { etag }),
  };
}

function removalOf(collection: string, id: string, { etag }: { readonly etag?: string }): WriteOperation {
  return { kind: "remove", collection, id, ...(etag === undefined ? {} : { etag }) };
}

// A write that nobody waits for may fail: `onRejected` tells.
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
