/** Waits for what callbacks bring about. */
export class Waiter {
  private waiting: (() => void)[] = [];

  /** Something happens. */
  tell(happens: () => unknown): void {
    happens();
    this.waiting.splice(0).forEach((resume) => resume());
  }

  /** Resolves when it is so; rejects when it does not come about in time. */
  async until(isSo: () => boolean, milliseconds = 60_000): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`never came about: ${isSo.toString()}`)), milliseconds);
    });
    late.catch(() => undefined);
    try {
      while (!isSo()) await Promise.race([new Promise<void>((resolve) => this.waiting.push(resolve)), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
