// An app that uses every hook and component, to look at from outside.
import { StrictMode, Suspense, useState } from "react";
import type { ReactNode } from "react";
import {
  ConsentList, SignInButton, UserMenu, VibeProvider, useAuth, useConnection, useDocument, useInfiniteQuery, useMutation, usePresence, useQuery,
  useSubscription, useSuspenseQuery,
} from "../src/index.js";
import type { AppClient } from "../src/index.js";

export interface Post {
  title: string;
  rank: number;
}

declare module "../src/index.js" {
  interface Register {
    collections: { posts: Post };
  }
}

const all = { orderBy: "data.rank" } as const;

export function App({ client }: { readonly client: AppClient }): ReactNode {
  return <StrictMode><VibeProvider client={client}><Page /></VibeProvider></StrictMode>;
}

function Page(): ReactNode {
  const { status, user } = useAuth();
  const { status: connection } = useConnection();
  return (
    <>
      <header>
        <SignInButton mode="popup" />
        <UserMenu />
        <output data-testid="session">{status} {user?.handle}</output>
        <output data-testid="connection">{connection}</output>
      </header>
      <All />
      {status === "signedIn" && (
        <>
          <Suspense fallback={<p data-testid="waiting">waiting</p>}><Suspended /></Suspense>
          <Pages />
          <Changing />
          <Writing />
          <Present />
          <ConsentList items={[{ scope: "timeline", label: "Post" }, { scope: "documents:likes:write", label: "Remember likes" }]} />
        </>
      )}
    </>
  );
}

function All(): ReactNode {
  const { data, status, fromCache, pendingWrites } = useQuery("posts", all);
  const second = useDocument("posts", data[1]?.id);
  const [heard, setHeard] = useState(0);
  useSubscription("posts", all, ({ data }) => setHeard(data.length));
  return (
    <section>
      <output data-testid="query">{status} {String(fromCache)} {pendingWrites}</output>
      <ul data-testid="all">{data.map(({ id, data }) => <li key={id}>{data.title}</li>)}</ul>
      <output data-testid="second">{second.data?.data.title}</output>
      <output data-testid="heard">{heard}</output>
    </section>
  );
}

function Suspended(): ReactNode {
  const { data, status } = useSuspenseQuery("posts", { where: (post) => post("rank").gt(1), orderBy: "data.rank" });
  return <output data-testid="suspended">{status} {data.map(({ data }) => data.title).join()}</output>;
}

function Changing(): ReactNode {
  const [least, setLeast] = useState(1);
  const { data, status } = useQuery("posts", { where: `data.rank >= ${least}`, orderBy: "data.rank" }, { keepPrevious: true });
  return (
    <section>
      <output data-testid="changing">{data.map(({ data }) => data.title).join()}</output>
      <output data-testid="changing-status">{status}</output>
      <button onClick={() => setLeast(least + 1)}>Fewer</button>
    </section>
  );
}

function Pages(): ReactNode {
  const { data, hasMore, loadMore } = useInfiniteQuery("posts", { orderBy: "data.rank desc", limit: 2 });
  return (
    <section>
      <output data-testid="pages">{data.map(({ data }) => data.title).join()}</output>
      {hasMore && <button onClick={loadMore}>More</button>}
    </section>
  );
}

function Writing(): ReactNode {
  const [hoped, setHoped] = useState(0);
  const add = useMutation((vibe, rank: number) => vibe.write("posts", { title: `post ${rank}`, rank }));
  const refused = useMutation((vibe) => vibe.write("posts", { title: "refused", rank: 99 }, { acl: { write: { allow: ["*"] } } }), {
    optimistic: () => {
      setHoped((count) => count + 1);
      return () => setHoped((count) => count - 1);
    },
  });
  const [next, setNext] = useState(1);
  return (
    <section>
      <button onClick={() => { void add.run(next); setNext(next + 1); }}>Add</button>
      <button onClick={() => void refused.run()}>Refuse</button>
      <output data-testid="added">{add.status} {add.data?.data.title} {add.pendingWrites}</output>
      <output data-testid="refused">{refused.status} {refused.error?.reason} {hoped}</output>
    </section>
  );
}

function Present(): ReactNode {
  const [heard, setHeard] = useState("");
  const name = new URLSearchParams(location.search).get("name") ?? "";
  const { data, status, publish } = usePresence<{ name: string }, { text: string }>("app:lobby", { state: { name }, onMessage: ({ payload }) => setHeard(payload.text) });
  return (
    <section>
      <output data-testid="present">{status} {data.map(({ state }) => state.name).sort().join()}</output>
      <output data-testid="message">{heard}</output>
      <button onClick={() => void publish({ text: `from ${name}` })}>Say</button>
    </section>
  );
}
