// Everything Feeds writes. Each is shown at once, and sent when the server can be reached.
import type { Document } from "@vibe/client";
import type { AppClient } from "@vibe/react";
import { readersOf } from "./audience.js";
import type { Post, Profile } from "./model.js";

const circle = import.meta.env.VITE_VIBE_CIRCLE;

export function post(vibe: AppClient, me: string, text: string, audience: Pick<Post, "audience" | "people">): void {
  void vibe.write("posts", { text, ...audience }, { acl: readersOf(audience, me, circle) });
}

export function comment(vibe: AppClient, { id, owner, data }: Document<Post>, text: string): void {
  void vibe.write("comments", { text, post: id }, { acl: readersOf(data, owner, circle), edges: [{ label: "comment_on", target: id }] });
}

export function like(vibe: AppClient, { id, owner, data }: Document<Post>): void {
  void vibe.write("likes", { post: id }, { key: id, acl: readersOf(data, owner, circle), edges: [{ label: "likes", target: id }] });
}

export function follow(vibe: AppClient, who: string): void {
  void vibe.write("follows", { who }, { key: who, acl: { read: { allow: [who, circle] } } });
}

export function saveProfile(vibe: AppClient, profile: Profile): void {
  void vibe.write("profiles", profile, { key: "me", acl: { read: { allow: ["*"] } } });
}
