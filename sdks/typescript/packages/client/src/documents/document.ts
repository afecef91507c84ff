import type { JsonObject } from "@bufbuild/protobuf";

export type { JsonObject };

/**
 * Principals let in and kept out: `*` (everyone), `users` (every signed-in user), a DID, or `cert:<issuer DID>#<type>`.
 * Deny beats allow.
 */
export interface AccessRule {
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
}

/** Who may read and write a document besides its owner. */
export interface AccessControl {
  readonly read?: AccessRule;
  readonly write?: AccessRule;
}

/** A directed link to another document. */
export interface Edge {
  /** What the link means, for example `comment_on`. */
  readonly label: string;
  /** The id of the document it points to. */
  readonly target: string;
}

/** A document reached by `expand`. */
export interface RelatedDocument {
  /** The hop that led here, for example `author` or `~comment_on`. */
  readonly via: string;
  readonly document: Document;
}

/** A JSON object with an owner, access rules and revisions. Plain data; never changed in place. */
export interface Document<T extends object = JsonObject> {
  /** A UUID. */
  readonly id: string;
  readonly collection: string;
  /** The DID of the user or app it belongs to; empty while a signed-out visitor's view does not know. */
  readonly owner: string;
  /** The DID of the app that wrote this revision; empty when the owner wrote it without an app. */
  readonly app: string;
  /** The name the app gave it; empty without one. */
  readonly key: string;
  readonly data: T;
  /** Who else may read and write; only the owner sees it. */
  readonly acl?: AccessControl;
  readonly edges: readonly Edge[];
  /** RFC 3339 in UTC with six digits of the second: orders as text, and `new Date` reads it. */
  readonly createTime: string;
  /** As `createTime`. */
  readonly updateTime: string;
  /** Counts the writes, from 1; 0 while the document was never stored. */
  readonly revision: number;
  /** Names the revision. */
  readonly etag: string;
  /** What `expand` found. */
  readonly related?: readonly RelatedDocument[];
  /** Whether this shows writes that the server has not acknowledged. */
  readonly pending?: boolean;
}

/** What may be set when writing a document. */
export interface DocumentFields {
  readonly id?: string;
  readonly collection?: string;
  readonly key?: string;
  readonly data?: JsonObject;
  readonly acl?: AccessControl;
  readonly edges?: readonly Edge[];
}
