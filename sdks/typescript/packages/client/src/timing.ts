import { VibeError } from "./errors.js";

/** Ends a call early. */
export interface CallOptions {
  /** Aborts the call. */
  readonly signal?: AbortSignal;
  /** The deadline in milliseconds, retries included. Default 30,000 where a server answers; none for what waits to be sent. */
  readonly timeoutMs?: number;
}

/** How long to wait before an attempt, in milliseconds: full jitter, so that many clients do not come back at once. */
export function backoff(attempt: number, limitMs = 30_000): number {
  return Math.random() * Math.min(limitMs, 200 * 2 ** attempt);
}

/** Waits; rejects when the signal is aborted. */
export function delay(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(VibeError.from(signal.reason));
    const stop = (): void => {
      clearTimeout(timer);
      reject(VibeError.from(signal.reason));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", stop);
      resolve();
    }, milliseconds);
    signal.addEventListener("abort", stop, { once: true });
  });
}
