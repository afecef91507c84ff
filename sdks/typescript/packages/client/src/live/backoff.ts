import { backoff } from "../timing.js";

/** Pauses between attempts: longer each time, short again after a success, cut short by `wake`. */
export class Backoff {
  private attempt = 0;
  private resume: () => void = () => {};
  private woken = false;

  constructor(private readonly longest: number) {}

  /** Waits before the next attempt: for the given time, or for a random one that grows. */
  async pause(milliseconds?: number): Promise<void> {
    const time = milliseconds ?? backoff(this.attempt++, this.longest);
    if (time <= 0) return;
    this.woken = false;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, time);
      this.resume = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    if (this.woken) this.attempt = 0;
  }

  /** An attempt succeeded. */
  reset(): void {
    this.attempt = 0;
  }

  /** Ends the pause. */
  wake(): void {
    this.woken = true;
    this.resume();
  }
}
