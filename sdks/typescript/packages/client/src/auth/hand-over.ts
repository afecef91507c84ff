import { VibeError } from "../errors.js";

/** The parameters that the provider brings back, as they are in the address. */
interface HandOver {
  readonly type: "answer" | "taken";
  readonly state: string;
  readonly search: string;
}

const kinds = ["popup", "redirect"] as const;

/** How a request left, told by the start of its `state`. */
export type Way = typeof kinds[number];

/** The way this page was reached by, when the provider has sent the browser here with an answer. */
export function wayOfAnswer(search: string): Way | undefined {
  const parameters = new URLSearchParams(search);
  if (!parameters.has("iss") || !parameters.has("code") && !parameters.has("error")) return undefined;
  return kinds.find((kind) => parameters.get("state")?.startsWith(`${kind}.`));
}

/**
 * Waits for the answer that a window of this origin hands over. A channel, not the window itself: a site may have taken its
 * pages and those they open apart (Cross-Origin-Opener-Policy).
 */
export function takeOver(app: string, state: string, signal: AbortSignal): Promise<string> {
  const channel = new BroadcastChannel(channelOf(app));
  return new Promise<string>((resolve, reject) => {
    const abort = (): void => reject(VibeError.from(signal.reason));
    signal.addEventListener("abort", abort, { once: true });
    channel.onmessage = ({ data }: MessageEvent<HandOver>) => {
      if (data.type !== "answer" || data.state !== state) return;
      channel.postMessage({ type: "taken", state, search: "" } satisfies HandOver);
      resolve(data.search);
    };
    if (signal.aborted) abort();
  }).finally(() => channel.close());
}

/** Hands the answer in this window's address over to the page that waits for it, and closes the window when it has been taken. */
export function handOver(app: string, search: string): void {
  const state = new URLSearchParams(search).get("state")!;
  const channel = new BroadcastChannel(channelOf(app));
  channel.onmessage = ({ data }: MessageEvent<HandOver>) => {
    if (data.type !== "taken" || data.state !== state) return;
    channel.close();
    close();
  };
  channel.postMessage({ type: "answer", state, search } satisfies HandOver);
}

function channelOf(app: string): string {
  return `vibe sign-in ${app}`;
}
