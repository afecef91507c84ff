// People who have something to say, so that the feed is not empty: npm run seed. All of it through the API, as the app would; once
// more changes nothing. Development tokens stand in for signing in.
import { createClient } from "@vibe/client";
import { readersOf } from "../src/audience.js";
import { addressOf, settings, vibe } from "./vibe.mjs";

const { VITE_VIBE_URL, VITE_VIBE_CIRCLE } = settings();
const url = addressOf(VITE_VIBE_URL);

const people = [
  ["nora", "Nora Lindqvist", "Bakes before sunrise. Bread, mostly."],
  ["tomas", "Tomás Ferreira", "Trains, tides and slow travel."],
  ["aiko", "Aiko Mori", "Architect. Collects staircases."],
  ["samir", "Samir Haddad", "Runs the repair café on Thursdays."],
  ["ines", "Inès Laurent", "Cellist. Neighbour of a very loud owl."],
  ["jonah", "Jonah Adeyemi", "Grows tomatoes on the sixth floor."],
];
const posts = [
  ["jonah", "Day 61 on the balcony: the tomatoes are now taller than me and have opinions about the trellis."],
  ["aiko", "Found a spiral stair in an old printing house today. Forty-one steps, no two alike, and the handrail is worn exactly where your hand wants to go."],
  ["samir", "Repair café tally: 3 toasters, 1 accordion, 2 heated arguments about right-to-repair, 0 things thrown away."],
  ["nora", "Tomorrow’s batch: rye with roasted walnuts. Followers get the first six loaves, come by the back door before seven.", "followers"],
  ["tomas", "The night train to Lisbon still has real curtains, real cutlery and a conductor who says good night to every door."],
  ["ines", "The owl sings a clean B flat. I checked. Twice. At three in the morning."],
  ["samir", "Does anybody have a spare drive belt for a 1987 turntable? A gentleman of 82 is waiting to hear his wedding record."],
  ["aiko", "Small rule I try to build by: every room should have one thing that is nice to touch."],
  ["nora", "Somebody left a note on the bakery window: “It smells like my grandmother’s Sundays.” Best review we ever had."],
  ["tomas", "Low tide at six. You can walk to the lighthouse now, and if you talk too long you may stay there until noon."],
  ["jonah", "Swapped a kilo of tomatoes for a bicycle bell. The economy works."],
  ["ines", "Rehearsal is open on Friday. Bring a book, sit in the back row, nobody minds."],
];
// Post, who, what.
const comments = [
  [0, "nora", "Please send the recipe for opinions."], [0, "ines", "Mine stopped at the ankle."],
  [1, "tomas", "Where is this? Asking for a detour."], [1, "samir", "That handrail needs no repair at all."],
  [5, "aiko", "Have you tried answering in A?"], [5, "jonah", "He is flat in winter."], [6, "ines", "I know a luthier who hoards belts. I’ll ask tonight."],
  [8, "jonah", "It does, though."], [11, "nora", "I’ll bring the rye."],
];
const likes = [
  [0, "nora", "aiko", "samir", "ines"], [1, "tomas", "jonah"], [2, "nora", "tomas", "aiko"], [4, "aiko", "samir", "nora", "ines", "jonah"], [5, "samir"],
  [6, "nora", "aiko"], [7, "jonah", "ines"], [8, "tomas", "aiko", "samir", "ines"], [10, "nora", "tomas"], [11, "tomas"],
];
const follows = [["ines", "nora"], ["jonah", "nora"], ["samir", "nora"], ["nora", "ines"], ["tomas", "aiko"], ["aiko", "tomas"]];

const clients = new Map(people.map(([handle]) => {
  const token = vibe("token", "--user", handle, "--app", "feeds", "--scope", ["posts", "comments", "likes", "follows", "profiles"].map((name) => `documents:${name}:write`).join(" "));
  return [handle, { vibe: createClient({ url, token: () => token }), did: JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString()).sub }];
}));

for (const [handle, name, bio] of people) await as(handle).write("profiles", { handle, name, bio }, { key: "me", acl: { read: { allow: ["*"] } } });
const written = [];
// The last one said is the first one read.
for (const [number, [handle, text, audience = "everyone"]] of [...posts.entries()].reverse()) {
  const data = { text, audience };
  written[number] = await as(handle).write("posts", data, { key: `seed-${number}`, acl: readersOf(data, clients.get(handle).did, VITE_VIBE_CIRCLE) });
}
for (const [post, handle, text] of comments) await react("comments", "comment_on", post, handle, { text }, `seed-${post}`);
for (const [post, ...handles] of likes) for (const handle of handles) await react("likes", "likes", post, handle, {}, written[post].id);
for (const [handle, followed] of follows) {
  const who = clients.get(followed).did;
  await as(handle).write("follows", { who }, { key: who, acl: { read: { allow: [who, VITE_VIBE_CIRCLE] } } });
}
clients.forEach(({ vibe }) => vibe.close());
console.log(`${people.length} people, ${posts.length} posts, ${comments.length} comments`);

function as(handle) {
  return clients.get(handle).vibe;
}

function react(collection, label, number, handle, data, key) {
  const { id, owner, data: post } = written[number];
  return as(handle).write(collection, { post: id, ...data }, { key, acl: readersOf(post, owner, VITE_VIBE_CIRCLE), edges: [{ label, target: id }] });
}
