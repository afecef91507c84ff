import { Code, ConnectError } from "@connectrpc/connect";
import type { ErrorCode } from "./errors.js";
import { VibeError } from "./errors.js";
import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "./generated/google/rpc/error_details_pb.js";

/** The failure of a call as a VibeError. */
export function errorOfCall(error: unknown): VibeError {
  if (error instanceof VibeError || error instanceof DOMException) return VibeError.from(error);
  const failure = ConnectError.from(error);
  if (failure.cause instanceof VibeError) return failure.cause;
  const info = failure.findDetails(ErrorInfoSchema)[0];
  const retry = failure.findDetails(RetryInfoSchema)[0]?.retryDelay;
  // Without an answer of Vibe there is no ErrorInfo: the connection failed, or something in between answered.
  const code = info === undefined && isUnreachable(failure) ? "UNAVAILABLE" : codeOf(failure.code);
  return new VibeError({
    code,
    reason: info?.reason ?? (code === "UNAVAILABLE" ? "UNREACHABLE" : code),
    message: failure.rawMessage,
    metadata: info?.metadata ?? {},
    fields: failure.findDetails(BadRequestSchema).flatMap((bad) => bad.fieldViolations.map(({ field, description }) => ({ field, description }))),
    ...(retry === undefined ? {} : { retryAfterMs: Number(retry.seconds) * 1000 + Math.ceil(retry.nanos / 1e6) }),
  }, { cause: error });
}

// fetch rejects with a TypeError when it gets no answer; what is no answer of ours has no details.
function isUnreachable(failure: ConnectError): boolean {
  return [Code.Unavailable, Code.Unknown, Code.Internal, Code.Aborted].includes(failure.code);
}

/** The name of a code. */
export function codeOf(code: Code): ErrorCode {
  return code === Code.Canceled ? "CANCELLED" : (Code[code] ?? "Unknown").replace(/(?<=[a-z])[A-Z]/g, "_$&").toUpperCase() as ErrorCode;
}
