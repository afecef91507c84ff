import { VibeError } from "../errors.js";
import type { Port, Question, ToHub, ToTab } from "./protocol.js";

/** The hub's end of a line to a tab. */
export type TabPort = Port<ToHub, ToTab>;

const answerMs = 20_000;

interface Ask {
  readonly tab: TabPort;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: VibeError) => void;
}

/** The tabs of a hub, and the questions it has asked them. */
export class Tabs {
  private tabs = new Set<TabPort>();
  private readonly asks = new Map<number, Ask>();
  private waiting: (() => void)[] = [];
  private nextAsk = 1;

  add(tab: TabPort): void {
    this.tabs.add(tab);
    this.waiting.splice(0).forEach((resume) => resume());
  }

  remove(tab: TabPort): void {
    this.tabs.delete(tab);
    for (const [id, ask] of this.asks) {
      if (ask.tab !== tab) continue;
      this.asks.delete(id);
      ask.reject(gone());
    }
  }

  has(tab: TabPort): boolean {
    return this.tabs.has(tab);
  }

  sendAll(message: ToTab): void {
    for (const tab of this.tabs) tab.send(message);
  }

  /** Asks the tab that came last, and the next one when it goes. Waits while there is no tab. */
  async ask(question: Question): Promise<unknown> {
    for (;;) {
      const tab = [...this.tabs].at(-1);
      if (!tab) {
        await new Promise<void>((resolve) => this.waiting.push(resolve));
        continue;
      }
      try {
        return await this.askTab(tab, question);
      } catch (error) {
        if (!(error instanceof VibeError) || error.reason !== "TAB_GONE") throw error;
        // A tab that does not answer is asked last from now on.
        if (this.tabs.delete(tab)) this.tabs = new Set([tab, ...this.tabs]);
      }
    }
  }

  answer(tab: TabPort, { ask: id, value, error }: ToHub & { type: "answer" }): void {
    const ask = this.asks.get(id);
    if (ask?.tab !== tab) return;
    this.asks.delete(id);
    if (error) ask.reject(new VibeError(error));
    else ask.resolve(value);
  }

  private askTab(tab: TabPort, question: Question): Promise<unknown> {
    const id = this.nextAsk++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.asks.delete(id);
        reject(gone());
      }, answerMs);
      const settle = <T>(end: (value: T) => void) => (value: T): void => {
        clearTimeout(timer);
        end(value);
      };
      this.asks.set(id, { tab, resolve: settle(resolve), reject: settle(reject) });
      tab.send({ type: "ask", ask: id, question });
    });
  }
}

function gone(): VibeError {
  return new VibeError({ code: "UNAVAILABLE", reason: "TAB_GONE", message: "the tab has gone" });
}
