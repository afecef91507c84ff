import type { Document } from "@vibe/client";
import { useDocument, useQuery, useVibe } from "@vibe/react";
import { useEffect, useState } from "react";
import type { FormEvent, KeyboardEvent, ReactNode } from "react";
import { comment } from "./actions.js";
import { Avatar, NameLink } from "./avatar.js";
import { useNow } from "./clock.js";
import { Icon } from "./icons.js";
import type { Comment, Post } from "./model.js";
import { usePeople } from "./people.js";
import { PostCard } from "./post-card.js";
import { ReactionsProvider, useReactions } from "./reactions.js";
import { Sheet } from "./sheet.js";
import { useAsSomebody } from "./sign-in.js";
import { useTell } from "./toasts.js";
import { discard, useTrash } from "./trash.js";
import { useCompany } from "./typing.js";
import type { Company } from "./typing.js";
import { ago, list } from "./words.js";

/** A post with what others say to it, and who is here right now. */
export function PostSheet({ id }: { readonly id: string }): ReactNode {
  const { me, find } = usePeople();
  const { data: post, status } = useDocument("posts", id);
  const isGone = useTrash().has(id);
  const company = useCompany(post && post.revision > 0 ? id : undefined, me);
  if (!post || isGone) {
    return <Sheet title="Post">{status === "pending" ? <p className="empty">Just a moment…</p> : <p className="empty">This post is gone, or not for you.</p>}</Sheet>;
  }
  return (
    <Sheet title={`Post by ${find(post.owner).name}`} footer={<Reply post={post} company={company} />}>
      <ReactionsProvider posts={[id]}>
        <PostCard post={post} isOpen />
        <Likers post={id} />
        <Comments post={id} />
      </ReactionsProvider>
    </Sheet>
  );
}

// Asked for once for each change of the number: the way back along the edges that likes are.
function Likers({ post }: { readonly post: string }): ReactNode {
  const vibe = useVibe();
  const { me, find } = usePeople();
  const { likes } = useReactions(post);
  const [owners, setOwners] = useState<readonly string[]>([]);
  const known = likes.filter(({ revision }) => revision > 0).length;
  useEffect(() => {
    if (known === 0) return setOwners([]);
    const abort = new AbortController();
    vibe.expand(post, ["~likes"], { signal: abort.signal }).then(
      ({ related = [] }) => setOwners(related.map(({ document }) => document.owner)),
      // Offline: the number says enough.
      () => undefined,
    );
    return () => abort.abort();
  }, [vibe, post, known]);
  return <p className="likers">{owners.length > 0 && `Liked by ${list(owners.map((did) => did === me ? "you" : find(did).name))}`}</p>;
}

function Comments({ post }: { readonly post: string }): ReactNode {
  const { data, status } = useQuery("comments", { global: true, where: (comment) => comment("post").eq(post), orderBy: (comment) => comment.createTime.asc() });
  const trash = useTrash();
  const comments = data.filter(({ id }) => !trash.has(id));
  if (status === "pending") return <div className="comments skeleton" role="status" aria-label="Comments are loading"><i /><i style={{ inlineSize: "70%" }} /></div>;
  return (
    <ol className="comments" aria-label="Comments" aria-live="polite">
      {comments.map((comment) => <OneComment key={comment.id} comment={comment} />)}
      {comments.length === 0 && <li className="empty">No comments yet.</li>}
    </ol>
  );
}

function OneComment({ comment }: { readonly comment: Document<Comment> }): ReactNode {
  const vibe = useVibe();
  const tell = useTell();
  const now = useNow();
  const { me, find } = usePeople();
  const author = find(comment.owner);
  return (
    <li className="comment" data-pending={comment.pending}>
      <Avatar person={author} size="small" />
      <div>
        <p className="meta"><NameLink person={author} /> {comment.revision === 0 ? <span className="pending"><Icon name="clock" />Sending</span> : <time dateTime={comment.createTime}>{ago(comment.createTime, now)}</time>}</p>
        <p className="text">{comment.data.text}</p>
      </div>
      {comment.owner === me && (
        <button type="button" className="round" aria-label="Delete this comment"
          onClick={() => tell({ text: "Comment deleted", action: { label: "Undo", run: discard(vibe, "comments", comment.id) } })}>
          <Icon name="trash" />
        </button>
      )}
    </li>
  );
}

function Reply({ post, company: { here, typing, type, rest } }: { readonly post: Document<Post>; readonly company: Company }): ReactNode {
  const vibe = useVibe();
  const { me, find } = usePeople();
  const asSomebody = useAsSomebody();
  const [text, setText] = useState("");
  const names = (dids: readonly string[]): string => list(dids.map((did) => find(did).name.split(" ")[0]!));
  const send = (event: FormEvent): void => {
    event.preventDefault();
    if (!text.trim()) return;
    comment(vibe, post, text.trim());
    setText("");
    rest();
  };
  const press = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    event.currentTarget.form?.requestSubmit();
  };
  if (me === undefined) return <button type="button" className="primary wide" onClick={() => asSomebody(() => {})}>Sign in to comment</button>;
  return (
    <>
      <p className="company" role="status" data-typing={typing.length > 0}>
        {typing.length > 0 ? <><span className="dots" aria-hidden="true"><i /><i /><i /></span>{names(typing)} {typing.length === 1 ? "is" : "are"} typing</>
          : here.length > 0 && `${names(here)} ${here.length === 1 ? "is" : "are"} here`}
      </p>
      <form className="reply" onSubmit={send}>
        <textarea rows={1} maxLength={500} aria-label="Your comment" placeholder="Say something kind" value={text} onKeyDown={press}
          onChange={({ target }) => { setText(target.value); if (target.value.trim()) type(); else rest(); }} />
        <button type="submit" className="round primary" aria-label="Send" disabled={!text.trim()}><Icon name="send" /></button>
      </form>
    </>
  );
}
