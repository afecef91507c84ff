import type { CollectionName, Document, JsonObject, Live, Query } from "@vibe/client";
import { use, useEffect, useEffectEvent, useMemo, useState, useSyncExternalStore } from "react";
import { LiveEntries, initialState, pending } from "./live-entries.js";
import type { LiveEntry } from "./live-entries.js";
import { useVibe } from "./provider.js";
import type { AppCollections } from "./provider.js";

type Name = CollectionName<AppCollections>;
type DataOf<K extends Name> = AppCollections[K] & object;

/** What a query starts with. */
export interface QueryOptions<T extends object = JsonObject> {
  /** What a server has read: shown while rendering there, and until the browser's first state. */
  readonly initialData?: readonly Document<T>[];
  /** While nothing is known of a query that is another one than before: show what the one before had. */
  readonly keepPrevious?: boolean;
}

/** The state of one document. */
export interface LiveDocument<T extends object = JsonObject> extends Omit<Live<T>, "data"> {
  /** Undefined while nothing is known, and when there is none that the caller may see: `status` tells. */
  readonly data: Document<T> | undefined;
}

/** The state of a list that grows. */
export interface InfiniteQuery<T extends object = JsonObject> extends Live<T> {
  /** Whether there may be more to show. */
  readonly hasMore: boolean;
  /** Whether more is on its way. */
  readonly isLoadingMore: boolean;
  /** Shows a page more; nothing while it loads, or when there is no more. */
  readonly loadMore: () => void;
}

const noEntry = (): (() => void) => () => {};
const pendingSnapshot = (): Live<never> => pending;
// The longest live query the server answers.
const most = 1_000;

/**
 * Follows a query: the cache first, then the server, then every change, this client's own writes at once. Components with equal
 * queries share one. Without a query (`undefined`) it waits. On a server it shows `initialData`.
 */
export function useQuery<K extends Name>(
  collection: K, query: Query<DataOf<K>> | undefined = {}, { initialData, keepPrevious = false }: QueryOptions<DataOf<K>> = {},
): Live<DataOf<K>> {
  const client = useVibe();
  const entry = query && LiveEntries.of(client).get(collection, query as unknown as Query);
  const state = useEntry(entry, initialData);
  const [known, setKnown] = useState(state);
  const isKnown = state.status !== "pending";
  if (keepPrevious && isKnown && state !== known) setKnown(state);
  const keeps = keepPrevious && !isKnown;
  return useMemo(() => keeps ? { ...state, data: known.data, fromCache: true } : state, [keeps, state, known]);
}

/**
 * As `useQuery`, for inside `<Suspense>`: waits until there is something to show, and throws a failure to the error boundary. On a
 * server without `initialData` the boundary's fallback is rendered, and the browser goes on.
 */
export function useSuspenseQuery<K extends Name>(
  collection: K, query: Query<DataOf<K>> = {}, { initialData }: Pick<QueryOptions<DataOf<K>>, "initialData"> = {},
): Live<DataOf<K>> {
  const client = useVibe();
  const entry = LiveEntries.of(client).get(collection, query as unknown as Query);
  if (entry.state.status === "pending" && !initialData) {
    if (typeof document !== "object") throw new Error("useSuspenseQuery: live queries run in browsers; give initialData to render them on a server");
    use(entry.prepare());
  }
  const state = useEntry(entry, initialData);
  if (state.status === "error" && state.error) throw state.error;
  return state;
}

/** Follows one document, whoever it belongs to. Without an id (`undefined`) it waits. */
export function useDocument<K extends Name>(collection: K, id: string | undefined, { initialData }: { readonly initialData?: Document<DataOf<K>> } = {}): LiveDocument<DataOf<K>> {
  const state = useQuery(collection, id === undefined ? undefined : { id }, initialData ? { initialData: [initialData] } : {});
  return useMemo(() => ({ ...state, data: state.data[0] }), [state]);
}

/**
 * Follows the beginning of a list, which grows page by page and stays live as a whole, up to 1,000 documents. What is shown stays
 * while more is loaded. Another query starts over.
 *
 * @param query Its `limit` is the size of a page; 20 when absent.
 */
export function useInfiniteQuery<K extends Name>(collection: K, query: Query<DataOf<K>> = {}): InfiniteQuery<DataOf<K>> {
  const entries = LiveEntries.of(useVibe());
  const size = query.limit ?? 20;
  const first = entries.get(collection, { ...query, limit: size } as unknown as Query);
  const [grown, setGrown] = useState({ first, pages: 1 });
  // Of another query, or of one that was dropped meanwhile.
  const pages = grown.first === first ? grown.pages : 1;
  const limit = Math.min(size * pages, most);
  const before = pages > 1 ? { ...query, limit: size * (pages - 1) } as unknown as Query : undefined;
  const state = useEntry<DataOf<K>>(pages === 1 ? first : entries.get(collection, { ...query, limit } as unknown as Query, before), undefined);
  // The first page stays up: it tells which query this is.
  useEffect(() => first.subscribe(() => {}), [first]);
  const isLoadingMore = pages > 1 && state.status === "pending";
  const hasMore = limit < most && state.data.length >= (isLoadingMore ? size * (pages - 1) : limit);
  return useMemo(() => ({
    ...state, hasMore, isLoadingMore, loadMore: () => hasMore && !isLoadingMore && setGrown({ first, pages: pages + 1 }),
  }), [state, hasMore, isLoadingMore, first, pages]);
}

/** Calls back with every state of a query, without rendering: for sounds, titles, things outside React. */
export function useSubscription<K extends Name>(collection: K, query: Query<DataOf<K>> | undefined, callback: (state: Live<DataOf<K>>) => void): void {
  const client = useVibe();
  const entry = query && LiveEntries.of(client).get(collection, query as unknown as Query);
  const tell = useEffectEvent(callback);
  useEffect(() => {
    if (!entry) return undefined;
    const push = (): void => tell(entry.state as unknown as Live<DataOf<K>>);
    if (entry.state.status !== "pending") push();
    return entry.subscribe(push);
  }, [entry]);
}

function useEntry<T extends object>(entry: LiveEntry | undefined, initialData: readonly Document<T>[] | undefined): Live<T> {
  const [initial] = useState(() => initialData && initialState(initialData));
  const atServer = (): Live<T> => initial ?? pending;
  const state = useSyncExternalStore<Live>(entry?.subscribe ?? noEntry, entry?.snapshot ?? pendingSnapshot, atServer as () => Live) as unknown as Live<T>;
  return state === pending && entry ? atServer() : state;
}
