import { VibeError } from "../errors.js";
import type { AccessLost, Reconnect } from "../generated/vibe/realtime/v1/subscription_pb.js";

/** A frame of a stream; each may say that access was lost, or ask to come back. */
interface Frame {
  readonly frame: { readonly case: string | undefined; readonly value?: unknown };
}

/**
 * Reads a stream to its end. Silence for too long ends it, as does the loss of access: both reject; so does aborting it,
 * with the signal's reason. Resolves with the pause, in milliseconds, after which the server wants to be called again, if it
 * said so.
 */
export async function follow<F extends Frame>(frames: AsyncIterable<F>, abort: AbortController, silenceMs: number, take: (frame: F) => void): Promise<number | undefined> {
  const silent = (): void => abort.abort(new VibeError({ code: "UNAVAILABLE", reason: "UNREACHABLE", message: "the connection is silent" }));
  let silence = setTimeout(silent, silenceMs);
  try {
    for await (const next of frames) {
      clearTimeout(silence);
      silence = setTimeout(silent, silenceMs);
      const { case: kind, value } = next.frame;
      if (kind === "accessLost") throw new VibeError({ code: "UNAUTHENTICATED", reason: (value as AccessLost).reason, message: "access has ended" });
      if (kind === "reconnect") return pauseOf(value as Reconnect);
      take(next);
    }
    return undefined;
  } catch (error) {
    throw abort.signal.aborted ? abort.signal.reason : error;
  } finally {
    clearTimeout(silence);
    abort.abort();
  }
}

/** The pause, in milliseconds, after which the server wants to be called again. */
export function pauseOf({ delay }: Reconnect): number {
  return Number(delay?.seconds ?? 0) * 1000 + (delay?.nanos ?? 0) / 1e6;
}
