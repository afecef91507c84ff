import type { Document } from "../documents/document.js";
import type { ErrorFields } from "../errors.js";
import type { Cache } from "../store/cache.js";

/** How a write has ended. */
export interface Ended {
  readonly documents?: readonly (Document | undefined)[];
  readonly error?: ErrorFields;
}

interface Finished {
  /** Milliseconds of the epoch. */
  readonly at: number;
  readonly outcome: Ended;
}

const prefix = "finished ";
const dayMs = 86_400_000;
const most = 500;

/**
 * What became of writes that the server does not know by their own request ids, since they were sent as parts of others. The
 * tab that asked may ask again, when the hub has died before it could tell.
 */
export class Ledger {
  private readonly finished = new Map<string, Finished>();

  constructor(private readonly cache: Cache) {}

  /** Takes up what an earlier hub has noted. */
  async load(): Promise<void> {
    const entries = (await this.cache.readAll("meta")).filter(([key]) => key.startsWith(prefix)) as [string, Finished][];
    for (const [key, entry] of entries.sort(([, left], [, right]) => left.at - right.at)) this.finished.set(key.slice(prefix.length), entry);
    this.trim();
  }

  /** How a write has ended, if it has and if that is known. */
  get(requestId: string): Ended | undefined {
    return this.finished.get(requestId)?.outcome;
  }

  /** Notes the end of writes, in the same commit as other changes of this turn. */
  note(requestIds: readonly string[], outcome: Ended): void {
    for (const id of requestIds) {
      const entry: Finished = { at: Date.now(), outcome };
      this.finished.set(id, entry);
      this.cache.persist("meta", prefix + id, entry);
    }
    this.trim();
  }

  /** Forgets all; the store is emptied by who calls. */
  clear(): void {
    this.finished.clear();
  }

  private trim(): void {
    for (const [id, { at }] of this.finished) {
      if (this.finished.size <= most && at > Date.now() - dayMs) return;
      this.finished.delete(id);
      this.cache.persist("meta", prefix + id, undefined);
    }
  }
}
