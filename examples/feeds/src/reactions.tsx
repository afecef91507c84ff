import type { Document } from "@vibe/client";
import { useQuery } from "@vibe/react";
import { createContext, use, useMemo } from "react";
import type { ReactNode } from "react";
import type { Like } from "./model.js";
import { useTrash } from "./trash.js";

/** What people did with a post. */
export interface Reactions {
  readonly likes: readonly Document<Like>[];
  readonly comments: number;
}

const none: Reactions = { likes: [], comments: 0 };
const Context = createContext<ReadonlyMap<string, Reactions>>(new Map());

/** What people did with a post. */
export const useReactions = (post: string): Reactions => use(Context).get(post) ?? none;

// What one live query can name.
const most = 100;

/** Follows the likes and comments of the posts that are shown: two live queries for all of them. */
export function ReactionsProvider({ posts, children }: { readonly posts: readonly string[]; readonly children: ReactNode }): ReactNode {
  const ids = posts.slice(0, most);
  const query = ids.length === 0 ? undefined : { global: true, where: `data.post in ${JSON.stringify(ids)}`, limit: 1_000 };
  // One more post makes another query: what the one before showed stays until the new one has an answer.
  const { data: likes } = useQuery("likes", query, { keepPrevious: true });
  const { data: comments } = useQuery("comments", query, { keepPrevious: true });
  const trash = useTrash();
  const reactions = useMemo(() => {
    const byPost = new Map<string, Reactions>();
    for (const like of likes) {
      const { likes: before, comments } = byPost.get(like.data.post) ?? none;
      byPost.set(like.data.post, { likes: [...before, like], comments });
    }
    for (const { id, data: { post } } of comments) {
      const { likes, comments: before } = byPost.get(post) ?? none;
      if (!trash.has(id)) byPost.set(post, { likes, comments: before + 1 });
    }
    return byPost;
  }, [likes, comments, trash]);
  return <Context value={reactions}>{children}</Context>;
}
