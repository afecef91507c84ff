import type { Document } from "@vibe/client";
import { useAuth, useConnection, useVibe } from "@vibe/react";
import type { ReactNode } from "react";
import { follow, like } from "./actions.js";
import { Avatar, NameLink } from "./avatar.js";
import { useNow } from "./clock.js";
import { Icon } from "./icons.js";
import type { Post } from "./model.js";
import { usePeople } from "./people.js";
import { useReactions } from "./reactions.js";
import { linkTo } from "./route.js";
import { useAsSomebody } from "./sign-in.js";
import { useTell } from "./toasts.js";
import { discard } from "./trash.js";
import { ago, list } from "./words.js";

const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;

/** A post with what one can do about it. */
export function PostCard({ post, isOpen = false }: { readonly post: Document<Post>; readonly isOpen?: boolean }): ReactNode {
  const { me, find, following } = usePeople();
  const author = find(post.owner);
  const isMine = me === post.owner;
  // Else there is more to say than fits beside it.
  const isPlain = post.data.audience === "everyone" && !isOnItsWay(post);
  return (
    <article className="post" aria-label={`Post by ${author.name}`} data-pending={post.pending}>
      <header>
        <Avatar person={author} />
        <div className="byline">
          <NameLink person={author} />
          <p className="meta">{isPlain && author.handle && <span className="handle">@{author.handle}</span>}<Since post={post} /><AudienceMark post={post} /></p>
        </div>
        {isMine ? <DeleteButton post={post} /> : !following.has(post.owner) && <FollowButton who={post.owner} name={author.name} />}
      </header>
      <p className="text">{post.data.text}</p>
      <footer>
        <LikeButton post={post} />
        <CommentsLink post={post} isOpen={isOpen} />
      </footer>
    </article>
  );
}

// Never stored: there is no time to show, and more to say.
const isOnItsWay = (post: Document<Post>): boolean => post.revision === 0;

function Since({ post }: { readonly post: Document<Post> }): ReactNode {
  const now = useNow();
  const { status } = useConnection();
  if (isOnItsWay(post)) {
    return <span className="pending"><Icon name="clock" />{status === "offline" ? "Waiting for the network" : "Sending"}</span>;
  }
  return <time dateTime={post.createTime} title={new Date(post.createTime).toLocaleString()}>{ago(post.createTime, now)}</time>;
}

function AudienceMark({ post: { owner, data: { audience, people = [] } } }: { readonly post: Document<Post> }): ReactNode {
  const { me, find } = usePeople();
  if (audience === "everyone") return null;
  const others = people.filter((did) => did !== me).map((did) => find(did).name.split(" ")[0]!);
  const text = audience === "followers" ? "Followers" : list([...(owner === me ? [] : ["you"]), ...others]);
  return <span className="audience"><Icon name={audience === "followers" ? "followers" : "lock"} />{text}</span>;
}

function LikeButton({ post }: { readonly post: Document<Post> }): ReactNode {
  const vibe = useVibe();
  const { user } = useAuth();
  const asSomebody = useAsSomebody();
  const { likes } = useReactions(post.id);
  const mine = likes.find(({ owner }) => owner === user?.did);
  return (
    <button type="button" className="action" data-kind="like" aria-pressed={mine !== undefined} aria-label={`Like, ${counted(likes.length, "like")}`}
      onClick={() => asSomebody(() => mine ? void vibe.remove("likes", mine.id) : like(vibe, post))}>
      <Icon name="heart" /><span className="count">{likes.length || ""}</span>
    </button>
  );
}

function CommentsLink({ post, isOpen }: { readonly post: Document<Post>; readonly isOpen: boolean }): ReactNode {
  const { comments } = useReactions(post.id);
  const inside = <><Icon name="bubble" /><span className="count">{comments || ""}</span></>;
  return isOpen
    ? <span className="action" role="img" aria-label={counted(comments, "comment")}>{inside}</span>
    : <a className="action" href={linkTo("post", post.id)} aria-label={counted(comments, "comment")}>{inside}</a>;
}

function DeleteButton({ post }: { readonly post: Document<Post> }): ReactNode {
  const vibe = useVibe();
  const tell = useTell();
  return (
    <button type="button" className="round" aria-label="Delete this post"
      onClick={() => tell({ text: "Post deleted", action: { label: "Undo", run: discard(vibe, "posts", post.id) } })}>
      <Icon name="trash" />
    </button>
  );
}

/** Follows somebody. */
export function FollowButton({ who, name }: { readonly who: string; readonly name: string }): ReactNode {
  const vibe = useVibe();
  const tell = useTell();
  const asSomebody = useAsSomebody();
  const press = (): void => asSomebody((me) => {
    if (me === who) return;
    follow(vibe, who);
    tell({ text: `You follow ${name} now` });
  });
  return <button type="button" className="follow" aria-label={`Follow ${name}`} onClick={press}>Follow</button>;
}
