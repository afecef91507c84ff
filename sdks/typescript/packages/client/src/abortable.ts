/**
 * A fetch whose answer ends when the signal says so, also while its body is read. Node's own forgets the signal once
 * garbage was collected, and would wait for ever on a connection that has gone silent.
 */
export function abortable(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    const { body } = response;
    const signal = init?.signal;
    if (!body || !signal) return response;
    const reader = body.getReader();
    let stop = (): void => {};
    const ended = (): void => signal.removeEventListener("abort", stop);
    const watched = new ReadableStream<Uint8Array>({
      start(controller) {
        stop = () => {
          controller.error(signal.reason);
          reader.cancel(signal.reason).catch(() => undefined);
        };
        if (signal.aborted) stop();
        else signal.addEventListener("abort", stop, { once: true });
      },
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (signal.aborted) return;
          if (!done) return controller.enqueue(value);
          ended();
          controller.close();
        } catch (error) {
          ended();
          if (!signal.aborted) controller.error(error);
        }
      },
      cancel(reason) {
        ended();
        return reader.cancel(reason);
      },
    });
    const { status, statusText, headers } = response;
    return new Response(watched, { status, statusText, headers });
  };
}
