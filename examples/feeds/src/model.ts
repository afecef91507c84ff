import type { Audience } from "./audience.js";

/** What somebody says. Who may read it is in its access rules; `audience` says it to those who may. */
export interface Post {
  readonly text: string;
  readonly audience: Audience;
  /** The DIDs of the chosen people: all who may read know who else may. */
  readonly people?: readonly string[];
}

/** What somebody says to a post; an edge `comment_on` leads there. */
export interface Comment {
  readonly text: string;
  /** The post again: a live query follows fields, not edges. */
  readonly post: string;
}

/** That somebody likes a post; an edge `likes` leads there. Its key is the post, so that nobody likes it twice. */
export interface Like {
  readonly post: string;
}

/** That somebody follows somebody; its key is that person's DID. Read by the two of them and the circle. */
export interface Follow {
  readonly who: string;
}

/** What somebody is called; its key is `me`. */
export interface Profile {
  readonly handle: string;
  readonly name: string;
  readonly bio?: string;
}

/** The collections of Feeds. */
export interface Feeds {
  readonly posts: Post;
  readonly comments: Comment;
  readonly likes: Like;
  readonly follows: Follow;
  readonly profiles: Profile;
}

declare module "@vibe/react" {
  interface Register {
    collections: Feeds;
  }
}
