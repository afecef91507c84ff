import type { Document, JsonObject, Live } from "../src/index.js";

/** The states of a live query, to wait for. */
export class Watch<T extends object = JsonObject> {
  readonly states: Live<T>[] = [];
  private waiting: (() => void)[] = [];
  readonly push = (state: Live<T>): void => {
    this.states.push(state);
    this.waiting.splice(0).forEach((resume) => resume());
  };

  get last(): Live<T> | undefined {
    return this.states.at(-1);
  }

  /** The first state, from the last one told, that is as wanted. */
  async until(wanted: (state: Live<T>) => boolean, milliseconds = 60_000): Promise<Live<T>> {
    const end = Date.now() + milliseconds;
    for (;;) {
      if (this.last && wanted(this.last)) return this.last;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`never came; last: ${JSON.stringify(this.last)}`)), end - Date.now());
      });
      await Promise.race([new Promise<void>((resolve) => this.waiting.push(resolve)), late]).finally(() => clearTimeout(timer));
    }
  }
}

export const titles = (documents: readonly Document<{ title: string }>[]): string[] => documents.map(({ data }) => data.title).sort();
