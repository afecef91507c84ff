// Channels: being where one may not be, speaking for another, too much and too often.
import { randomUUID } from "node:crypto";
import { assert, check } from "../../checks.mjs";
import { hold } from "../target.mjs";
import { send } from "../wire.mjs";

export async function run(target, world) {
  const { victim, tokens } = target;
  const [token, friend] = tokens.mallories;
  const own = `document:${world.facts.own}`;
  const ask = async (verb, channel, what, body, who = token) => {
    const answer = await send(target.url, {
      protocol: "rest", version: 1, verb, path: `/v1/channels/${encodeURIComponent(channel)}/${what}`, body: body && Buffer.from(JSON.stringify(body)),
      headers: { ...(who && { authorization: `Bearer ${who}` }), "content-type": "application/json" },
    }, { streams: verb === "GET", patience: 10_000, most: 1 });
    const text = `${answer.body}`;
    return /"reason":"([A-Z_]+)"/.exec(text)?.[1] ?? (answer.http === 200 ? "OK" : `HTTP ${answer.http} ${text}`);
  };
  const publish = (channel, streamId, payload = {}, who = token) => ask("POST", channel, "messages", { streamId, payload }, who);

  await check("channel: of a document out of sight: like one that does not exist", async () => {
    for (const who of [token, tokens.app, tokens.appForMallory, tokens.narrow, null]) {
      for (const id of [...victim.hidden, randomUUID()]) assert.equal(await ask("GET", `document:${id}`, `events?stream_id=${randomUUID()}`, undefined, who), "CHANNEL_NOT_FOUND");
    }
  });
  await check("channel: nobody speaks through another's stream, or on a channel they have not joined", async () => {
    for (const who of [token, friend, tokens.app, null]) {
      assert.equal(await publish(`document:${victim.plain.id}`, victim.streamId, { evil: 1 }, who), "STREAM_NOT_FOUND");
      assert.equal(await ask("PUT", `document:${victim.plain.id}`, "presence", { streamId: victim.streamId, state: { evil: 1 } }, who), "STREAM_NOT_FOUND");
    }
    for (const channel of [`document:${victim.plain.id}`, "app:x", `document:${randomUUID()}`]) assert.ok(["STREAM_NOT_FOUND", "CHANNEL_NOT_FOUND"].includes(await publish(channel, world.facts.stream)), channel);
    assert.equal(await publish(own, world.facts.stream, { evil: 1 }, friend), "STREAM_NOT_FOUND");
    assert.ok(victim.heard().every((text) => !text.includes("evil")));
  });
  await check("channel: names that are none are refused", async () => {
    for (const name of ["x", "document:", "document:x", `document:${world.facts.own.toUpperCase()}`, "app:", "app:a b", `app:${"a".repeat(129)}`, "app:../x", "user:x", "*", "document:*", "\x01"]) {
      assert.ok(["INVALID_ARGUMENT", "CHANNEL_NOT_FOUND", "NO_SUCH_PATH", "INVALID_PARAMETER", "NULL_CHARACTER"].includes(await ask("GET", name, `events?stream_id=${randomUUID()}`)), name);
    }
  });
  await check("channel: messages and states have a size", async () => {
    for (const size of [17 * 1024, 1 << 20, 11 << 20]) {
      const text = "x".repeat(size);
      assert.match(await publish(own, world.facts.stream, { text }), /^(INVALID_ARGUMENT|SIZE_LIMIT)$/);
      assert.match(await ask("PUT", own, "presence", { streamId: world.facts.stream, state: { text } }), /^(INVALID_ARGUMENT|SIZE_LIMIT)$/);
    }
    assert.equal(await publish(own, world.facts.stream, JSON.parse(`{"a":${"[".repeat(90)}${"]".repeat(90)}}`)), "OK");
  });
  await check("channel: who sends too much is told to wait", async () => {
    const answers = await Promise.all(Array.from({ length: 400 }, () => publish(own, world.facts.stream)));
    assert.deepEqual([...new Set(answers)].sort(), ["OK", "RATE_LIMITED"]);
  });
  await check("channel: a caller is in a hundred channels and no more", async () => {
    const joined = [];
    try {
      const who = target.tokens.appForMallory;
      const answers = await Promise.allSettled(Array.from({ length: 110 }, (_, index) => hold(target, `/v1/channels/app:c${index}/events`, who, /"joined"/).then((stream) => joined.push(stream))));
      const refused = answers.filter(({ status }) => status === "rejected").map(({ reason }) => /"reason":"([A-Z_]+)"/.exec(`${reason}`)?.[1]);
      assert.ok(refused.length >= 10 && refused.every((reason) => reason === "CHANNEL_LIMIT_REACHED"), `${joined.length} joined, refused: ${refused}`);
    } finally {
      for (const stream of joined) stream.close();
    }
  });
  await check("channel: what a member says of itself is not believed", async () => {
    const listener = await hold(target, `/v1/channels/${encodeURIComponent(own)}/events`, token, /"joined"/);
    try {
      const mark = randomUUID();
      for (;;) {
        const answer = await publish(own, world.facts.stream, { from: victim.did, user: victim.did, mark });
        if (answer === "OK") break;
        assert.equal(answer, "RATE_LIMITED");
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      for (const end = Date.now() + 30_000; !listener.text.includes(mark);) {
        assert.ok(Date.now() < end, listener.text);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      const { message } = listener.text.split("\n").filter((line) => line.includes(mark)).map((line) => JSON.parse(line))[0];
      assert.equal(message.user, world.facts.did);
    } finally {
      listener.close();
    }
  });
}
