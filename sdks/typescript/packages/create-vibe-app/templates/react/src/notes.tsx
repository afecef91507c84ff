import type { Document, Live } from "@vibe/client";
import { useMutation, useQuery } from "@vibe/react";
import { useRef, useState } from "react";
import type { FormEvent, ReactNode } from "react";
import type { Note } from "./collections.ts";

/** The notes of who is signed in: live in every tab and on every device, and there without a connection. */
export function MyNotes() {
  const notes = useQuery("notes");
  const add = useMutation((vibe, title: string) => vibe.write("notes", { title, done: false }));
  const change = useMutation((vibe, id: string, note: Partial<Note>) => vibe.write("notes", note, { id }));
  const share = useMutation((vibe, id: string, allow: string[]) => vibe.write("notes", {}, { id, acl: { read: { allow } } }));
  const remove = useMutation((vibe, id: string) => vibe.remove("notes", id));
  const failed = [add, change, share, remove].some(({ status }) => status === "error");
  const heading = useRef<HTMLHeadingElement>(null);
  const [title, setTitle] = useState("");

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!title.trim()) return;
    void add.run(title.trim());
    setTitle("");
  };
  const item = ({ id, data, acl, pending }: Document<Note>) => {
    const isPublic = acl?.read?.allow?.includes("*") ?? false;
    return (
      <li key={id}>
        <label>
          <input type="checkbox" checked={data.done} onChange={() => void change.run(id, { done: !data.done })} />
          <span>{data.title}{pending && <small>not sent yet</small>}</span>
        </label>
        <button className="chip" aria-pressed={isPublic} aria-label={`Public: ${data.title}`} onClick={() => void share.run(id, isPublic ? [] : ["*"])}>Public</button>
        <button className="icon" aria-label={`Delete: ${data.title}`} onClick={() => { void remove.run(id); heading.current?.focus(); }}>
          <svg viewBox="0 0 16 16" aria-hidden="true"><path d="m4 4 8 8m0-8-8 8" /></svg>
        </button>
      </li>
    );
  };
  return (
    <section className="card">
      <h2 ref={heading} tabIndex={-1}>Your notes</h2>
      <form onSubmit={submit}>
        <input aria-label="New note" placeholder="What is on your mind?" maxLength={200} value={title} onChange={({ target }) => setTitle(target.value)} />
        <button>Add</button>
      </form>
      <p role="alert">{failed && "That did not work. Nothing was changed."}</p>
      <List notes={notes} item={item} empty="Nothing here yet. Write something, and open this page in a second tab." />
    </section>
  );
}

/** What people have made public: everyone sees it, signed in or not. */
export function PublicNotes() {
  const notes = useQuery("notes", { scope: "public", limit: 50 });
  const item = ({ id, data }: Document<Note>) => <li key={id} data-done={data.done}>{data.title}</li>;
  return (
    <section className="card">
      <h2>Public notes</h2>
      <List notes={notes} item={item} empty="Nobody has made a note public yet." />
    </section>
  );
}

function List({ notes, item, empty }: { notes: Live<Note>; item: (note: Document<Note>) => ReactNode; empty: string }) {
  if (notes.status === "error" || notes.status === "denied") return <p role="alert">These notes cannot be shown right now.</p>;
  if (notes.data.length > 0) return <ul>{notes.data.map(item)}</ul>;
  return <p className="muted">{notes.status === "live" ? empty : "Loading…"}</p>;
}
