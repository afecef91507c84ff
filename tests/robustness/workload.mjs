// People who make, change, open, close, delete and read documents, and count together; and others who follow it all. What was
// acknowledged is kept here, to be held against what is stored and told.
import { randomUUID } from "node:crypto";
import { pause } from "../processes.mjs";
import { client } from "./client.mjs";
import { Follower } from "./follower.mjs";
import { difference, judgeRead, judgeWrites, mayRead } from "./judge.mjs";

const collection = "facts";
const names = ["ann", "ben", "cem", "dee"];
// Of one person: with more, deleting is likelier than making.
const documentsEach = 40;

export class Workload {
  // The last version that was acknowledged of each document that is not deleted.
  facts = new Map();
  // For each document what judgeWrites asks for.
  acknowledged = new Map();
  requests = 0;
  reads = 0;
  #readers = new Map();
  #deleting = new Set();
  #broken = [];
  #working = null;

  // url: where all clients go. token: mints one for a name. random: chance.
  static async begin(url, token, random) {
    const workload = new Workload();
    workload.url = url;
    workload.people = await Promise.all(names.map(async (name) => {
      const person = { name, token: await token(name), random: random.fork() };
      person.api = client(url, person.token);
      const { id, owner } = await person.api.call("POST", `/v1/documents?request_id=${randomUUID()}`, { collection: "people", data: {} });
      workload.acknowledged.set(id, { revision: 1, effects: 1, deleted: false });
      return Object.assign(person, { did: owner });
    }));
    workload.readers = [...workload.people, { name: "visitor", token: null, did: null, api: client(url, null) }];
    workload.counters = await Promise.all([0, 1].map(async () => {
      const acl = { read: { allow: ["users"] }, write: { allow: ["users"] } };
      const { id } = await workload.people[0].api.call("POST", `/v1/documents?request_id=${randomUUID()}`, { collection: "counters", data: { n: 0 }, acl });
      workload.acknowledged.set(id, { revision: 1, effects: 1, deleted: false, n: 0 });
      return id;
    }));
    workload.followers = workload.readers.flatMap((person) => targets(person).map((target) => workload.follow(person, target)));
    return workload;
  }

  // Begins to follow.
  follow(person, target) {
    return new Follower(this.url, person, target, this).start();
  }

  // What followers ask about a document.
  isGone = (id) => this.#deleting.has(id);

  couldRead = (person, id) => this.#readers.get(id)?.has(person.name) ?? false;

  get streams() {
    return this.followers.reduce((sum, { streams }) => sum + streams, 0);
  }

  get frames() {
    return this.followers.reduce((sum, { frames }) => sum + frames, 0);
  }

  // Begins to write and read.
  start() {
    const run = { stopped: false };
    this.#working = { run, ended: Promise.allSettled(this.people.map((person) => this.#work(person, run))) };
  }

  // Waits until so many more requests were acknowledged.
  async progress(requests = 20) {
    for (const [goal, until] = [this.requests + requests, Date.now() + 120_000]; this.requests < goal; await pause(5)) {
      if (Date.now() > until) throw new Error("no request was acknowledged for two minutes");
    }
  }

  // Ends writing; returns why clients gave up.
  async stop() {
    if (!this.#working) return [];
    const { run, ended } = this.#working;
    this.#working = null;
    run.stopped = true;
    return (await ended).filter(({ status }) => status === "rejected").map(({ reason }) => `gave up: ${reason.stack}`);
  }

  // All rules that can be held against what is stored. stored: as judgeWrites has it.
  judge(stored) {
    return [...this.#broken.splice(0), ...judgeWrites(this.acknowledged, stored), ...this.followers.flatMap((follower) => follower.judge())];
  }

  // Every follower comes to hold what its query returns, and the query of all returns all that was acknowledged.
  async settle() {
    return (await Promise.all(this.followers.map((follower) => this.#settles(follower)))).flat();
  }

  async end() {
    await this.stop();
    await Promise.all(this.followers.map((follower) => follower.stop()));
  }

  // A new document under an id that is known before it is answered, and one request for it, however often it is sent.
  // isCovered: whether the token of the person's last write will stand for it: not for what they do beside their other work.
  create(person, { api, isCovered } = { api: client(this.url, person.token), isCovered: false }) {
    const id = randomUUID();
    const body = this.#body(person);
    this.#attempts(id, person, body);
    const path = `/v1/documents?request_id=${randomUUID()}`;
    return {
      id,
      send: async () => this.#took(await api.call("POST", path, { collection, id, ...body }), isCovered),
      // Once, to a node; what becomes of it does not matter.
      attempt: (url) => client(url, person.token).once("POST", path, { collection, id, ...body }).catch(() => null),
    };
  }

  async #work(person, run) {
    const { random, api } = person;
    const under = (path) => `${path}${path.includes("?") ? "&" : "?"}request_id=${randomUUID()}`;
    while (!run.stopped) {
      const mine = [...this.facts.values()].filter(({ owner }) => owner === person.did);
      const target = mine.length ? random.pick(mine) : null;
      const act = target ? random.next() * (mine.length < documentsEach ? 1 : 0.7) : 0.99;
      if (act < 0.12) await this.#count(person);
      else if (act < 0.2) await this.#read(person);
      else if (act < 0.32) {
        this.#deleting.add(target.id);
        await api.call("DELETE", under(`/v1/documents/${target.id}`));
        this.facts.delete(target.id);
        this.#acknowledge(target.id, Number(target.revision) + 1, true);
      } else if (act < 0.75) {
        const body = this.#body(person);
        this.#attempts(target.id, person, body);
        this.#took(await api.call("PATCH", under(`/v1/documents/${target.id}?update_mask=data,acl`), body));
      } else if (act < 0.85) {
        const body = this.#body(person);
        const writes = Array.from({ length: 4 }, () => ({ create: { collection, ...body } }));
        const { documents } = await api.call("POST", "/v1/documents:batchWrite", { writes, requestId: randomUUID() });
        for (const made of documents) {
          this.#attempts(made.id, person, body);
          this.#took(made);
        }
      } else await this.create(person, { api, isCovered: true }).send();
      await pause(5);
    }
  }

  // Two or more may count at once: the etag lets one through, and the others try with what it wrote.
  async #count(person) {
    const id = person.random.pick(this.counters);
    const { data, etag } = await person.api.call("GET", `/v1/documents/${id}`);
    try {
      const { revision } = await person.api.call("PATCH", `/v1/documents/${id}?${new URLSearchParams({ etag, request_id: randomUUID() })}`, { data: { n: data.n + 1 } });
      this.#acknowledge(id, Number(revision));
      this.acknowledged.get(id).n++;
    } catch (error) {
      if (error.reason !== "ETAG_MISMATCH") throw error;
    }
  }

  async #read(person) {
    const { id, owner } = person.random.pick([...this.facts.values()]);
    const { revision } = this.facts.get(id);
    const reader = person.random.chance(0.3) ? person : person.random.pick(this.readers);
    let document = null;
    try {
      document = await reader.api.call("GET", `/v1/documents/${id}`);
    } catch (error) {
      if (error.status !== 404) throw error;
    }
    this.reads++;
    const broken = judgeRead(reader, document, { id, revision: Number(revision), exact: owner === person.did && reader === person });
    if (broken) this.#broken.push(broken);
  }

  #body({ random }) {
    const dids = this.people.map(({ did }) => did);
    const readers = ["*", "users", ...dids].filter(() => random.chance(0.25));
    const denied = dids.filter(() => random.chance(0.1));
    return { data: { n: random.below(100), open: random.chance(0.5), readers, denied }, acl: { read: { allow: readers, deny: denied } } };
  }

  // Who could read the version, should it come to be.
  #attempts(id, { did }, { data }) {
    const readers = this.#readers.get(id) ?? new Set();
    for (const person of this.readers) if (mayRead(person, { owner: did, data })) readers.add(person.name);
    this.#readers.set(id, readers);
  }

  #took(document, isCovered = true) {
    this.facts.set(document.id, { ...document, isCovered });
    this.#acknowledge(document.id, Number(document.revision));
    return document;
  }

  #acknowledge(id, revision, deleted = false) {
    const before = this.acknowledged.get(id) ?? { revision: 0, effects: 0 };
    this.acknowledged.set(id, { ...before, revision: Math.max(revision, before.revision), effects: before.effects + 1, deleted });
    this.requests++;
  }

  async #settles(follower) {
    const { person, target } = follower;
    const { limit, order_by, ...query } = target;
    const listed = limit
      ? (await person.api.call("GET", `/v1/documents?${new URLSearchParams({ ...query, order_by, page_size: limit })}`)).documents ?? []
      : await person.api.all(collection, query);
    const all = !limit && target.scope === "ALL" && !target.filter;
    const missing = all ? difference(listed, [...this.facts.values()].filter((document) => mayRead(person, document))) : [];
    for (const until = Date.now() + 60_000; ; await pause(20)) {
      const wrong = difference(follower.documents.values(), listed);
      if (!wrong.length || Date.now() > until) {
        return [...missing.map((text) => `lost write: the list of ${person.name} ${text}`), ...wrong.map((text) => `gap: ${person.name}, who follows ${JSON.stringify(target)}, ${text}${follower.story(text)}`)];
      }
    }
  }
}

export const targets = ({ did }) => [
  { collection, scope: "ALL" },
  { collection, scope: "PUBLIC", filter: "data.open = true" },
  { collection, scope: "ALL", limit: 5, order_by: "data.n, id" },
  ...(did ? [{ collection, scope: "OWN", filter: "data.n < 50" }, { collection, scope: "SHARED" }] : []),
];
