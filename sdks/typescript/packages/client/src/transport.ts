import { isFieldSet } from "@bufbuild/protobuf";
import type { DescMethod, DescMethodUnary } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { Interceptor, Transport, UnaryRequest } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { abortable } from "./abortable.js";
import { newId } from "./documents/uuid.js";
import type { VibeError } from "./errors.js";
import { isTransient, wantsOtherToken } from "./errors.js";
import { errorOfCall } from "./rpc-errors.js";
import { backoff, delay } from "./timing.js";

/** Asks for an access token. */
export interface TokenRequest {
  /** The last token was refused: a new one is needed. */
  readonly refresh: boolean;
  /** The address of the call it is for; absent when only whose token it is matters. */
  readonly url?: string;
  /** The call changes nothing: whose session has ended may make it as a visitor. */
  readonly reads?: boolean;
}

/** An access token that is worth nothing without a key, and a proof of the key for one call (RFC 9449). */
export interface BoundToken {
  readonly token: string;
  readonly proof: string;
}

/** A visitor's token, or none when it is empty, in place of that of a session that has ended: for calls that only read. */
export interface VisitorToken {
  readonly visitor: string;
}

/**
 * Gives the access token of the next call; nothing, or an empty string, for a signed-out visitor. It is asked before every
 * call and before the cache is shown: answer from memory, also with a token that has expired, and go to the network only
 * when `refresh` is set. Rejecting with the code UNAUTHENTICATED says that the session has ended.
 */
export type TokenSource = (request: TokenRequest) => GivenToken | Promise<GivenToken>;

/** What a token source gives. */
export type GivenToken = BoundToken | VisitorToken | string | undefined;

/** Where the newest consistency token is kept, so that a read sees what was written before. */
export interface Consistency {
  token: string;
}

/** What a connection needs. */
export interface TransportOptions {
  /** The server's URL. */
  readonly url: string;
  readonly token?: TokenSource;
  readonly consistency?: Consistency;
  /** In place of the global `fetch`. */
  readonly fetch?: typeof globalThis.fetch;
  /** The deadline of a call that sets none, in milliseconds, all its attempts together. Default 30,000. */
  readonly timeoutMs?: number;
  /** How often a call that is safe to repeat is sent at most. Default 5. */
  readonly attempts?: number;
}

const consistencyHeader = "vibe-consistency-token";

/** A connection over gRPC-Web: authorization, consistency, deadlines, and retries where they are safe. */
export function createTransport(options: TransportOptions): Transport {
  const { url, token = () => undefined, consistency = { token: "" }, timeoutMs = 30_000, attempts = 5 } = options;
  const transport = createGrpcWebTransport({
    baseUrl: url,
    useBinaryFormat: true,
    fetch: abortable(options.fetch ?? ((input, init) => fetch(input, init))),
    interceptors: [requestIds, retries(consistency, attempts), authorization(token), consistent(consistency)],
  });
  return {
    async unary(method, signal, timeout, header, input, contextValues) {
      return transport.unary(method, signal, timeout ?? timeoutMs, header, input, contextValues).catch(rethrow);
    },
    async stream(method, signal, timeout, header, input, contextValues) {
      const failed = (cause: unknown): never => {
        const error = errorOfCall(cause);
        // The next attempt goes without it.
        if (isForgotten(error)) consistency.token = "";
        throw error;
      };
      const response = await transport.stream(method, signal, timeout, header, input, contextValues).catch(failed);
      return { ...response, message: translated(response.message, failed) };
    },
  };
}

// Whatever goes wrong comes out as one kind of error.
function rethrow(error: unknown): never {
  throw errorOfCall(error);
}

async function* translated<T>(messages: AsyncIterable<T>, failed: (error: unknown) => never): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (error) {
    failed(error);
  }
}

// The database was restored: the write that the token names may not be there.
function isForgotten(error: VibeError): boolean {
  return error.reason === "CONSISTENCY_TOKEN_EXPIRED" || error.reason === "CONSISTENCY_TOKEN_INVALID";
}

// Every write gets an id, so that it is safe to repeat.
const requestIds: Interceptor = (next) => async (request) => {
  if (request.stream) return next(request);
  const field = request.method.input.fields.find(({ name }) => name === "request_id");
  if (!field || isFieldSet(request.message, field)) return next(request);
  return next({ ...request, message: { ...request.message, requestId: newId() } as typeof request.message });
};

function retries(consistency: Consistency, attempts: number): Interceptor {
  return (next) => async (request) => {
    if (request.stream || !isRepeatable(request)) return next(request);
    for (let attempt = 1; ; attempt++) {
      try {
        return await next(request);
      } catch (cause) {
        const error = errorOfCall(cause);
        if (isForgotten(error)) consistency.token = "";
        if (attempt >= attempts || request.signal.aborted || !isForgotten(error) && !isTransient(error)) throw cause;
        await delay(error.retryAfterMs ?? backoff(attempt), request.signal);
      }
    }
  };
}

function authorization(token: TokenSource): Interceptor {
  return (next) => async (request) => {
    const reads = isRead(request);
    const send = async (refresh: boolean) => {
      const given = await token({ refresh, url: request.url, ...(reads ? { reads } : {}) });
      const value = typeof given === "object" && "visitor" in given ? given.visitor : given;
      request.header.delete("authorization");
      request.header.delete("dpop");
      if (typeof value === "object") {
        request.header.set("authorization", `DPoP ${value.token}`);
        request.header.set("dpop", value.proof);
      } else if (value) {
        request.header.set("authorization", `Bearer ${value}`);
      }
      return next(request);
    };
    try {
      return await send(false);
    } catch (error) {
      // Refused before anything was done: safe to repeat for every call.
      const failure = errorOfCall(error);
      if (!wantsOtherToken(failure) && !(reads && failure.reason === "TOKEN_REVOKED") || request.signal.aborted) throw error;
      return send(true);
    }
  };
}

function consistent(consistency: Consistency): Interceptor {
  return (next) => async (request) => {
    const reads = isRead(request);
    request.header.delete(consistencyHeader);
    if (reads && consistency.token) request.header.set(consistencyHeader, consistency.token);
    const response = await next(request);
    consistency.token = (!reads && response.header.get(consistencyHeader)) || consistency.token;
    return response;
  };
}

function isRead({ method }: { readonly method: DescMethod }): boolean {
  return method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
}

function isRepeatable(request: UnaryRequest): boolean {
  const method: DescMethodUnary = request.method;
  return method.idempotency !== MethodOptions_IdempotencyLevel.IDEMPOTENCY_UNKNOWN
    || method.input.fields.some(({ name }) => name === "request_id");
}
