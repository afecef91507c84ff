// What the compiler must know, and what it must refuse: checked by `npm run check`, never run.
import { createClient } from "@vibe/client";
import type { Document, Live, SessionState, VibeError } from "@vibe/client";
import { SignInButton, UserMenu, VibeProvider, useAuth, useDocument, useInfiniteQuery, useMutation, usePresence, useQuery, useSubscription, useSuspenseQuery } from "../src/index.js";
import type { AppClient, InfiniteQuery, LiveDocument, Mutation } from "../src/index.js";
import type { ReactNode } from "react";
import { is } from "../../client/test/types.js";
import type { Post } from "./app.js";

export function Queries(): ReactNode {
  is<Live<Post>>()(useQuery("posts"));
  is<readonly Document<Post>[]>()(useQuery("posts", { where: (post) => post("rank").gt(1), orderBy: (post) => post("title").asc() }).data);
  is<Live<Post>>()(useSuspenseQuery("posts"));
  is<LiveDocument<Post>>()(useDocument("posts", undefined));
  is<Document<Post> | undefined>()(useDocument("posts", "id").data);
  is<InfiniteQuery<Post>>()(useInfiniteQuery("posts", { limit: 10 }));
  useSubscription("posts", undefined, (state) => is<Live<Post>>()(state));
  // @ts-expect-error There is no such collection.
  useQuery("notes");
  // @ts-expect-error There is no such field.
  useQuery("posts", { where: (post) => post("name").eq("a") });
  // @ts-expect-error A rank is a number.
  useQuery("posts", { where: (post) => post("rank").eq("a") });
  // @ts-expect-error What a server has read is of the collection.
  useQuery("posts", {}, { initialData: [{ name: "a" }] });
  // @ts-expect-error A document that may not be there is asked for.
  return useDocument("posts", "id").data.data.title;
}

export function Mutations(): ReactNode {
  const add = useMutation((vibe, title: string, rank: number) => {
    is<AppClient>()(vibe);
    return vibe.write("posts", { title, rank });
  }, { optimistic: (...args) => is<[string, number]>()(args) });
  is<Mutation<[title: string, rank: number], Document<Post>>>()(add);
  is<VibeError | undefined>()(add.error);
  is<Document<Post> | undefined>()(add.data);
  // @ts-expect-error It takes a title and a rank.
  void add.run("a");
  // @ts-expect-error A post has a rank.
  useMutation((vibe, title: string) => vibe.write("posts", { title }));
  // @ts-expect-error What is written is promised.
  useMutation(() => 1);
  return add.status;
}

export function People(): ReactNode {
  const { signIn } = useAuth();
  is<Promise<SessionState>>()(signIn({ mode: "popup" }));
  const { data, publish } = usePresence<{ name: string }, { text: string }>("app:lobby", { state: { name: "a" }, onMessage: ({ payload }) => is<string>()(payload.text) });
  is<string>()(data[0]!.state.name);
  // @ts-expect-error A message has a text.
  void publish({ name: "a" });
  // @ts-expect-error There is no such way.
  const button = <SignInButton mode="magic" />;
  // @ts-expect-error The label of an account is made of its name.
  const menu = <UserMenu labels={{ open: "Account" }} />;
  return [button, menu];
}

export function Provider(): ReactNode {
  // @ts-expect-error The client has the collections that the app has registered.
  const wrong = <VibeProvider client={createClient<{ notes: { title: string } }>({ url: "" })} />;
  return <VibeProvider client={createClient<{ posts: Post }>({ url: "" })}>{wrong}</VibeProvider>;
}
