// The checker can fail: each bad history breaks the rule it should, and the good one none.
import { assert, check } from "../checks.mjs";
import { Follower } from "./follower.mjs";
import { difference, judgeRead, judgeWrites } from "./judge.mjs";

const ann = { name: "ann", did: "did:ann" };
const ben = { name: "ben", did: "did:ben" };
const version = (id, revision, readers = ["*"], owner = ann.did) => ({ id, revision: `${revision}`, owner, data: { readers, denied: [] } });

// A client whose first stream begins when `x` was acknowledged as r2. Frames: [added or modified documents, ids that are gone].
function told(person, frames, { couldRead = true, gone = [], target = { scope: "ALL" } } = {}) {
  const world = { facts: new Map([["x", { ...version("x", 2), isCovered: true }]]), isGone: (id) => gone.includes(id), couldRead: () => couldRead };
  const follower = new Follower("", person, target, world);
  follower.open();
  for (const frame of frames) follower.see(frame);
  return follower.judge();
}

const documents = (...modified) => ({ batch: { changes: [{ modified }] } });
const removed = (...ids) => ({ batch: { changes: [{ removed: ids.map((id) => ({ id })) }] } });
const ready = { ready: { cursor: "1" } };
const checkpoint = { checkpoint: { cursor: "2" } };

export async function checker() {
  const acknowledged = new Map([["x", { revision: 3, effects: 3, deleted: false, n: 2 }], ["y", { revision: 2, effects: 2, deleted: true }]]);
  const x = { revision: 3, deleted: false, n: 2 };
  const y = { revision: 2, deleted: true };
  const stored = (rows) => judgeWrites(acknowledged, new Map(Object.entries(rows)));
  await proves("what is stored", {
    good: stored({ x, y }),
    "lost write": [stored({ y }), stored({ x: { ...x, revision: 2 }, y }), stored({ x, y: { ...y, deleted: false } })],
    effects: [stored({ x: { ...x, revision: 4 }, y }), stored({ x, y, z: x }), stored({ x: { ...x, n: 3 }, y })],
  });

  const read = (person, document, more) => [judgeRead(person, document, { id: "x", revision: 3, exact: false, ...more })].filter(Boolean);
  await proves("what is read", {
    good: [...read(ben, version("x", 3)), ...read(ben, null), ...read(ann, version("x", 3, []), { exact: true })],
    leak: [read(ben, version("x", 3, [])), read(ben, { ...version("x", 3), data: { readers: ["*"], denied: [ben.did] } })],
    "stale read": [read(ben, version("x", 2))],
    "lost write": [read(ann, null, { exact: true }), read(ann, version("x", 4), { exact: true })],
  });

  const start = [documents(version("x", 2)), ready];
  await proves("what is told", {
    good: [
      ...told(ann, [...start, documents(version("x", 3)), checkpoint]),
      // It fell behind, caught up, and was ready again.
      ...told(ann, [...start, documents(version("x", 5)), documents(version("x", 4)), documents(version("x", 5)), ready, checkpoint]),
      // The log tells once more what the tables had told.
      ...told(ann, [documents(version("x", 5)), ready, documents(version("x", 4)), documents(version("x", 5)), checkpoint]),
      ...told(ann, [ready, removed("x"), checkpoint], { gone: ["x"] }),
    ],
    leak: [
      told(ben, [...start, documents(version("z", 1, []))]),
      told(ben, [...start, removed("z")], { couldRead: false }),
    ],
    gap: [
      told(ann, [ready]),
      told(ann, [documents(version("x", 1)), ready]),
      told(ann, [...start, documents(version("x", 4)), checkpoint]),
    ],
    order: [
      told(ben, [...start, documents(version("x", 4)), documents(version("x", 3)), checkpoint]),
      told(ann, [...start, documents(version("x", 3)), documents(version("x", 3)), checkpoint]),
      told(ann, [documents(version("x", 5)), ready, documents(version("x", 4)), checkpoint]),
    ],
  });

  await check("checker: what differs between two sets is named", async () => {
    assert.deepEqual(difference([version("x", 1)], [version("x", 1)]), []);
    assert.deepEqual(difference([version("x", 1), version("y", 1)], [version("x", 2)]), ["lacks x r2", "has x r1", "has y r1"]);
  });
}

// histories: by the rule each of them breaks, and no other.
async function proves(what, { good, ...bad }) {
  await check(`checker, ${what}: a good history breaks no rule`, async () => assert.deepEqual(good, []));
  for (const [rule, histories] of Object.entries(bad)) {
    for (const [index, broken] of histories.entries()) {
      await check(`checker, ${what}: ${rule}, ${index + 1}`, async () => assert.deepEqual(broken.map((text) => text.split(":")[0]), [rule]));
    }
  }
}
