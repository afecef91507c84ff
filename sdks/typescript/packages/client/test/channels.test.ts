import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createClient } from "../src/index.js";
import type { Channel, ChannelMessage, Member, VibeClient } from "../src/index.js";
import { subjectOf } from "../src/hub/subject.js";
import { Proxy } from "./proxy.js";
import { TestServer } from "./server.js";
import { Waiter } from "./waiter.js";

interface State {
  typing: boolean;
}

interface Signal {
  text: string;
}

let server: TestServer;
let network: Proxy;
let tokens: [string, string];
const clients: VibeClient[] = [];

beforeAll(async () => {
  server = await TestServer.start();
  network = await Proxy.to(server.port);
  tokens = [await server.token("caller"), await server.token("callee")];
});
afterEach(() => clients.splice(0).forEach((client) => client.close()));
afterAll(async () => {
  network.close();
  await server.stop();
});

class Seat {
  readonly vibe: VibeClient;
  readonly seen = new Waiter();
  members: readonly Member<State>[] = [];
  messages: ChannelMessage<Signal>[] = [];
  statuses: string[] = [];
  channel!: Channel<State, Signal>;

  constructor(readonly token: string, url: string = server.url) {
    this.vibe = createClient({ url, token: () => token, longestPauseMs: 200 });
    clients.push(this.vibe);
  }

  async join(channel: string): Promise<this> {
    this.channel = this.vibe.channels.join<State, Signal>(channel, {
      presence: (members) => this.seen.tell(() => (this.members = members)),
      message: (message) => this.seen.tell(() => this.messages.push(message)),
      status: (status, error) => this.seen.tell(() => this.statuses.push(error ? `${status} ${error.reason}` : status)),
    });
    await this.seen.until(() => this.statuses.at(-1) === "online");
    return this;
  }
}

async function meeting(): Promise<string> {
  const { vibe } = new Seat(tokens[0]);
  return (await vibe.write("rooms", { name: "room" }, { acl: { read: { allow: ["users"] } } })).id;
}

test("members see each other, what they say of themselves, and what they send", async () => {
  const name = `document:${await meeting()}`;
  const [caller, callee] = [await new Seat(tokens[0]).join(name), await new Seat(tokens[1]).join(name)];
  await caller.channel.setPresence({ typing: true });
  await callee.seen.until(() => callee.members.length === 1);
  expect(callee.members).toEqual([{ id: caller.channel.memberId, user: subjectOf(tokens[0]), state: { typing: true } }]);
  await caller.channel.setPresence({ typing: false });
  await callee.seen.until(() => callee.members[0]?.state.typing === false);

  await callee.channel.publish({ text: "to all" });
  await callee.channel.publish({ text: "to you" }, { to: caller.channel.memberId });
  await caller.seen.until(() => caller.messages.length === 2);
  expect(caller.messages.map(({ user, direct, payload }) => [user, direct, payload.text])).toEqual([[subjectOf(tokens[1]), false, "to all"], [subjectOf(tokens[1]), true, "to you"]]);
  expect(callee.messages).toEqual([]);

  caller.channel.leave();
  await callee.seen.until(() => callee.members.length === 0);
});

test("after a loss a member comes back by itself, present as before", async () => {
  const name = `document:${await meeting()}`;
  const [caller, callee] = [await new Seat(tokens[0], network.url).join(name), await new Seat(tokens[1]).join(name)];
  await caller.channel.setPresence({ typing: true });
  await callee.seen.until(() => callee.members.length === 1);
  const before = caller.channel.memberId;
  network.cut();
  await caller.seen.until(() => caller.statuses.at(-1)!.startsWith("offline"));
  await expect(caller.channel.publish({ text: "lost" })).rejects.toMatchObject({ reason: "STREAM_NOT_FOUND" });
  await callee.seen.until(() => callee.members.length === 0);
  network.restore();
  await callee.seen.until(() => callee.members.length === 1);
  expect(callee.members[0]!.id).not.toBe(before);
  expect(callee.members[0]!.state).toEqual({ typing: true });
});

test("who loses sight of the document is out, and so is who never saw it", async () => {
  const id = await meeting();
  const callee = await new Seat(tokens[1]).join(`document:${id}`);
  const { vibe } = new Seat(tokens[0]);
  await vibe.write("rooms", {}, { id, acl: {} });
  await callee.seen.until(() => callee.statuses.at(-1) === "ended CHANNEL_NOT_FOUND");
  const again = new Seat(tokens[1]);
  const joining = again.join(`document:${id}`);
  await again.seen.until(() => again.statuses.length > 0);
  expect(again.statuses).toEqual(["ended CHANNEL_NOT_FOUND"]);
  void joining.catch(() => undefined);
});
