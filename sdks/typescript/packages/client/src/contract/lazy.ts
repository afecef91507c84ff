import type { Transport } from "@connectrpc/connect";

type Call = (...args: readonly unknown[]) => unknown;

/**
 * A client of services whose code is loaded with the first call: an app that only follows queries never loads it.
 *
 * @param streams The methods that answer with a stream.
 */
export function lazyClient<C extends object>(load: () => Promise<C>, ...streams: readonly (keyof C & string)[]): C {
  const loaded = async (method: string): Promise<Call> => (await load() as Record<string, Call>)[method]!;
  return new Proxy({}, {
    get(_, method) {
      // Not a promise itself.
      if (typeof method !== "string" || method === "then") return undefined;
      if (!streams.includes(method as keyof C & string)) return async (...args: unknown[]) => (await loaded(method))(...args);
      return async function* (...args: unknown[]) {
        yield* (await loaded(method))(...args) as AsyncIterable<unknown>;
      };
    },
  }) as C;
}

/** A transport whose code is loaded with the first call. */
export function lazyTransport(load: () => Promise<Transport>): Transport {
  return {
    unary: async (...args) => (await load()).unary(...args),
    stream: async (...args) => (await load()).stream(...args),
  };
}
