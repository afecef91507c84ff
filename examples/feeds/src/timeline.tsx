import { useConnection, useInfiniteQuery } from "@vibe/react";
import { useEffect, useRef, useState } from "react";
import type { ReactNode } from "react";
import { usePeople } from "./people.js";
import { PostCard } from "./post-card.js";
import { ReactionsProvider } from "./reactions.js";
import { useTrash } from "./trash.js";
import { say } from "./words.js";

const views = { everyone: "Everyone", following: "Following" } as const;

/** The latest posts, of everyone or of those one follows. */
export function Timeline(): ReactNode {
  const { me, following } = usePeople();
  const [view, setView] = useState<keyof typeof views>("everyone");
  const isFollowing = view === "following" && me !== undefined;
  return (
    <main id="timeline">
      <h1 className="hidden">Latest posts</h1>
      {me !== undefined && (
        <div className="views" role="group" aria-label="Show posts of">
          {Object.entries(views).map(([name, label]) => (
            <button key={name} type="button" aria-pressed={view === name} onClick={() => setView(name as keyof typeof views)}>{label}</button>
          ))}
        </div>
      )}
      <Posts authors={isFollowing ? [me, ...following.keys()].slice(0, 100) : undefined}
        empty={isFollowing ? "Nobody you follow has said anything yet. Follow somebody under Everyone." : "Nobody has said anything yet. You could be the first."} />
    </main>
  );
}

/** Posts, latest first, which go on as one reads. */
export function Posts({ authors, empty }: { readonly authors?: readonly string[] | undefined; readonly empty: string }): ReactNode {
  const { data, status, error, hasMore, isLoadingMore, loadMore } = useInfiniteQuery("posts", {
    global: true, limit: 20, ...(authors ? { where: (post) => post.owner.in(authors) } : {}),
  });
  const trash = useTrash();
  const { status: connection } = useConnection();
  if (status === "pending" && data.length === 0) return connection === "offline" ? <p className="empty">You are offline, and nothing was kept here yet.</p> : <Skeletons />;
  const posts = data.filter(({ id }) => !trash.has(id));
  return (
    <ReactionsProvider posts={posts.map(({ id }) => id)}>
      {status === "error" && error && <p className="notice" role="alert">{say(error)}</p>}
      {posts.length === 0 ? <p className="empty">{empty}</p> : <ol className="posts">{posts.map((post) => <li key={post.id}><PostCard post={post} /></li>)}</ol>}
      {hasMore && <More isLoading={isLoadingMore} load={loadMore} />}
    </ReactionsProvider>
  );
}

function More({ isLoading, load }: { readonly isLoading: boolean; readonly load: () => void }): ReactNode {
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && load(), { rootMargin: "600px" });
    observer.observe(button.current!);
    return () => observer.disconnect();
  }, [load]);
  return <button ref={button} type="button" className="quiet" aria-busy={isLoading} onClick={load}>{isLoading ? "Older posts are coming" : "Older posts"}</button>;
}

function Skeletons(): ReactNode {
  return (
    <div className="posts" role="status" aria-label="Posts are loading">
      {[3, 2, 4, 2].map((lines, index) => (
        <div key={index} className="post skeleton">
          <header><span className="avatar" data-size="medium" /><div className="byline"><i style={{ inlineSize: "8rem" }} /><i style={{ inlineSize: "5rem" }} /></div></header>
          <div className="text">{Array.from({ length: lines }, (_, line) => <i key={line} style={{ inlineSize: line === lines - 1 ? "60%" : "100%" }} />)}</div>
          <footer />
        </div>
      ))}
    </div>
  );
}
