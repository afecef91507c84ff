export { createClient, VibeClient } from "./client.js";
export type { ClientOptions, CollectionOptions, Merge, RejectedWrite } from "./options.js";
export { Channel } from "./channels/channel.js";
export type { Channels } from "./channels/channels.js";
export type { ChannelCallbacks, ChannelMessage, Member } from "./channels/channel.js";
export type {
  Batch, ChangeOptions, Collection, CollectionName, Collections, CreateOptions, KeyOptions, Live, Page, PageQuery, Patch, Query, SearchQuery, Write,
} from "./documents/collection.js";
export type { AccessControl, AccessRule, Document, Edge, JsonObject, RelatedDocument } from "./documents/document.js";
export type { AppsClient, AuthClient, DocumentsClient, RealtimeClient } from "./contract/contract.js";
export { appCredentials } from "./auth/app-credentials.js";
export type { AppCredentialsOptions } from "./auth/app-credentials.js";
export type { AuthOptions, SessionState, SignInOptions, User } from "./auth/state.js";
export { queryKey } from "./documents/spec.js";
export { newId } from "./documents/uuid.js";
export { VibeError } from "./errors.js";
export type { ErrorCode, ErrorFields, FieldViolation, Reason } from "./errors.js";
export { Condition, FieldRef, OrderTerm } from "./filter/builder.js";
export type { Fields, OrderBy, Path, ValueAt, Where } from "./filter/builder.js";
export type { ConnectionState, QueryStatus } from "./hub/protocol.js";
export type { ConflictPolicy, WriteOperation } from "./outbox/write.js";
export { IndexedDbStore } from "./store/indexed-db-store.js";
export { Subscription } from "./live/subscription.js";
export type { DocumentChange, SubscribeOptions } from "./live/subscription.js";
export { MemoryStore } from "./store/memory-store.js";
export type { Change, Store, Table } from "./store/store.js";
export type { CallOptions } from "./timing.js";
export type { BoundToken, GivenToken, TokenRequest, TokenSource, VisitorToken } from "./transport.js";
