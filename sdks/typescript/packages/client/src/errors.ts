import type { ErrorReason } from "./generated/vibe/errors/v1/error_reason_pb.js";

/** The canonical code of an error, by its name in gRPC. */
export type ErrorCode =
  | "CANCELLED" | "UNKNOWN" | "INVALID_ARGUMENT" | "DEADLINE_EXCEEDED" | "NOT_FOUND" | "ALREADY_EXISTS" | "PERMISSION_DENIED"
  | "RESOURCE_EXHAUSTED" | "FAILED_PRECONDITION" | "ABORTED" | "OUT_OF_RANGE" | "UNIMPLEMENTED" | "INTERNAL" | "UNAVAILABLE"
  | "DATA_LOSS" | "UNAUTHENTICATED";

/**
 * Why a call failed. The names of `vibe.errors.v1.ErrorReason`; reasons of the runtime (docs/protocol.md) and of newer
 * servers are strings as well. `UNREACHABLE` is the client's own: no answer came.
 */
export type Reason = Exclude<keyof typeof ErrorReason, "UNSPECIFIED"> | "UNREACHABLE" | (string & {});

/** One field of a request that breaks a rule. */
export interface FieldViolation {
  /** The path of the field, for example `document.data`. */
  readonly field: string;
  /** What is wrong, in English. */
  readonly description: string;
}

/** What an error says; the same in every protocol. It can be cloned to another tab. */
export interface ErrorFields {
  readonly code: ErrorCode;
  readonly reason: Reason;
  readonly message: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly fields: readonly FieldViolation[];
  readonly retryAfterMs?: number;
}

/** A call that failed. Act on `reason`; show people your own words. */
export class VibeError extends Error implements ErrorFields {
  override readonly name = "VibeError";
  /** The canonical code. */
  readonly code: ErrorCode;
  /** Why, for programs. */
  readonly reason: Reason;
  /** The facts of the message, for programs. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Which fields of the request break a rule; empty for other errors. */
  readonly fields: readonly FieldViolation[];
  /** When to try again, in milliseconds from the answer; absent when the server does not say. */
  readonly retryAfterMs?: number;

  constructor(fields: Partial<ErrorFields> & Pick<ErrorFields, "code">, options?: ErrorOptions) {
    super(fields.message || fields.reason || fields.code, options);
    this.code = fields.code;
    this.reason = fields.reason ?? fields.code;
    this.metadata = fields.metadata ?? {};
    this.fields = fields.fields ?? [];
    if (fields.retryAfterMs !== undefined) this.retryAfterMs = fields.retryAfterMs;
  }

  /** The error as plain data. */
  toJSON(): ErrorFields {
    const { code, reason, message, metadata, fields, retryAfterMs } = this;
    return { code, reason, message, metadata, fields, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  }

  /** Any failure as a VibeError: of an aborted signal, of anything thrown. */
  static from(error: unknown): VibeError {
    if (error instanceof VibeError) return error;
    if (error instanceof DOMException && (error.name === "AbortError" || error.name === "TimeoutError")) {
      return new VibeError({ code: error.name === "AbortError" ? "CANCELLED" : "DEADLINE_EXCEEDED", message: error.message }, { cause: error });
    }
    return new VibeError({ code: "UNKNOWN", message: error instanceof Error ? error.message : String(error) }, { cause: error });
  }
}

/** The error a refused argument throws before anything is sent. */
export function invalidArgument(field: string, description: string): VibeError {
  return new VibeError({ code: "INVALID_ARGUMENT", reason: "INVALID_ARGUMENT", message: `${field}: ${description}`, fields: [{ field, description }] });
}

/** Whether the same call may succeed with another token, or a proof by a clock that was set right. Nothing was done yet. */
export function wantsOtherToken({ reason }: VibeError): boolean {
  return reason === "TOKEN_EXPIRED" || reason === "PROOF_INVALID";
}

/** Whether the caller's session is over: no call succeeds before there is another one. */
export function endsSession({ reason }: VibeError): boolean {
  return reason === "TOKEN_REVOKED" || reason === "TOKEN_INVALID" || reason === "TOKEN_REQUIRED" || reason === "ACCOUNT_DISABLED";
}

/** Whether the same call, sent again, may succeed. */
export function isTransient(error: VibeError): boolean {
  return error.code === "UNAVAILABLE" || error.reason === "WRITE_CONFLICT" || error.reason === "REPLICA_BEHIND"
    || error.code === "RESOURCE_EXHAUSTED" && error.retryAfterMs !== undefined;
}
