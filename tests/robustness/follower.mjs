// A client that follows one query over NDJSON: keeps what the frames say, comes back with its cursor after whatever happened to
// its stream, and notes what it should never have been sent.
import { pause } from "../processes.mjs";
import { count, failure, retryKind } from "./client.mjs";
import { mayRead, Told } from "./judge.mjs";

// The protocol's word for a connection that is dead.
const silence = 45_000;

export class Follower {
  documents = new Map();
  leaks = [];
  named = new Set();
  told = new Told();
  streams = 0;
  frames = 0;
  // What it was told lately, for who wonders why a rule broke.
  diary = [];
  // Whether the stream of the moment was ready.
  isReady = false;
  #cursor = "";
  // What `reconnect` asks to wait.
  #rest = 0;
  #stopped = false;
  #stream = new AbortController();

  // url: of the server. person: { name, token, did }. target: collection, scope, filter, limit…
  // world: facts (what is acknowledged; isCovered: before the person's token), isGone(id), couldRead(person, id): whether any version of it was ever for this person.
  constructor(url, person, target, world) {
    Object.assign(this, { url, person, target, world });
    // It sees every version of its own documents.
    this.seesOwn = !target.limit && !target.filter && ["ALL", "OWN"].includes(target.scope) && Boolean(person.did);
  }

  start() {
    this.ended = this.#run();
    this.ended.catch(() => {});
    return this;
  }

  // What it was told lately of the document that a text names.
  story(text) {
    const id = /[0-9a-f-]{36}/.exec(text)?.[0];
    return this.diary.filter((line) => line.includes(id) || line.includes("ready") || line.includes("stream")).slice(-12).map((line) => `\n      ${line}`).join("");
  }

  #note(text) {
    this.diary.push(`${new Date().toISOString().slice(14)} ${text}`);
    if (this.diary.length > 4000) this.diary.splice(0, 2000);
  }

  // Cuts the connection.
  drop() {
    this.#stream.abort();
  }

  async stop() {
    this.#stopped = true;
    this.#stream.abort();
    await this.ended;
  }

  async #run() {
    while (!this.#stopped) {
      this.#stream = new AbortController();
      try {
        await this.#follow();
      } catch (error) {
        const kind = retryKind(error);
        if (!kind) throw error;
        this.#note(`broke: ${kind}`);
        if (!this.#stopped) count(`stream: ${kind}`);
      }
      if (this.#rest) count("stream: reconnect");
      if (!this.#stopped) await pause(this.#rest || 20);
      this.#rest = 0;
    }
  }

  async #follow() {
    const { token, api } = this.person;
    const consistency = api?.consistency;
    const place = this.open();
    let quiet;
    const heard = () => {
      clearTimeout(quiet);
      quiet = setTimeout(() => this.drop(), silence);
    };
    heard();
    try {
      const response = await fetch(`${this.url}/v1/documents:subscribe?${new URLSearchParams({ ...this.target, ...place })}`, {
        headers: { ...(token && { authorization: `Bearer ${token}` }), ...(consistency && { "vibe-consistency-token": consistency }) }, signal: this.#stream.signal,
      });
      if (!response.ok) throw failure(response.status, await response.text(), "subscribe");
      this.streams++;
      let rest = "";
      for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
        heard();
        const lines = (rest + text).split("\n");
        rest = lines.pop();
        for (const line of lines.filter(Boolean)) this.see(JSON.parse(line));
      }
    } finally {
      clearTimeout(quiet);
    }
  }

  // Begins a stream; returns where. A window always starts over, and so does who has no cursor, or one that has expired.
  open() {
    this.isReady = false;
    this.#note(`stream ${this.streams + 1}, ${this.#cursor ? "from a cursor" : "from nothing"}`);
    if (this.target.limit || !this.#cursor) this.documents = new Map();
    const own = this.seesOwn ? [...this.world.facts.values()].filter(({ owner, isCovered }) => owner === this.person.did && isCovered) : [];
    this.told.opened(new Map(own.map(({ id, revision }) => [id, Number(revision)])));
    return this.target.limit ? {} : this.#cursor ? { cursor: this.#cursor } : { initial: true };
  }

  // Applies a frame.
  see(frame) {
    this.frames++;
    if (!frame.batch) this.#note(Object.keys(frame).join());
    for (const change of frame.batch?.changes ?? []) {
      for (const document of [...(change.added ?? []), ...(change.modified ?? [])]) {
        if (!mayRead(this.person, document)) this.leaks.push(`leak: ${this.person.name} was sent ${document.id} r${document.revision}`);
        this.#note(`${document.id} r${document.revision}`);
        this.told.document(document.id, Number(document.revision), this.seesOwn && document.owner === this.person.did);
        this.documents.set(document.id, document);
      }
      for (const { id } of change.removed ?? []) {
        this.#note(`${id} gone`);
        this.documents.delete(id);
        // Whether it ever was for this person is known when all that is under way has been acknowledged.
        this.named.add(id);
      }
    }
    if (frame.ready) {
      this.isReady = true;
      this.told.ready(this.documents, this.world.isGone);
    }
    if (frame.checkpoint) this.told.checkpoint();
    this.#cursor = frame.ready?.cursor ?? frame.checkpoint?.cursor ?? this.#cursor;
    if (frame.error) throw failure(frame.error.code, JSON.stringify(frame), "stream");
    if (frame.reconnect) this.#rest = 1000 * parseFloat(frame.reconnect.delay);
  }

  // What broke a rule since the last time.
  judge() {
    const broken = [...this.told.broken, ...this.leaks];
    for (const id of this.named) if (!this.world.couldRead(this.person, id)) broken.push(`leak: ${this.person.name} was told that ${id} is gone`);
    this.told.broken = [];
    this.leaks = [];
    this.named.clear();
    return broken;
  }
}
