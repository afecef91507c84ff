// A client that follows one query over NDJSON: keeps what the frames say, comes back with its cursor after whatever happened to
// its stream, and notes what it should never have been sent.
import { pause } from "../processes.mjs";

export class Follower {
  documents = new Map();
  forbidden = [];
  streams = 0;
  #cursor = "";
  #stopped = false;
  #stream = new AbortController();

  // nodes: the servers, as functions that return a URL. person: { token, did }. target: collection, scope, filter, limit…
  constructor(nodes, person, target) {
    Object.assign(this, { nodes, person, target });
    this.ended = this.#run();
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
    for (let node = Math.floor(Math.random() * this.nodes.length); !this.#stopped; node++) {
      this.#stream = new AbortController();
      try {
        await this.#follow(this.nodes[node % this.nodes.length]);
      } catch (error) {
        if (error.status && ![401, 503].includes(error.status)) throw error;
      }
      if (!this.#stopped) await pause(20);
    }
  }

  async #follow(url) {
    // A window always starts over, and so does who has no cursor, or one that has expired.
    if (this.target.limit || !this.#cursor) this.documents = new Map();
    const place = this.#cursor && !this.target.limit ? { cursor: this.#cursor } : this.target.limit ? {} : { initial: true };
    const response = await fetch(`${url}/v1/documents:subscribe?${new URLSearchParams({ ...this.target, ...place })}`, {
      headers: this.person.token ? { authorization: `Bearer ${this.person.token}` } : {}, signal: this.#stream.signal,
    });
    if (!response.ok) throw Object.assign(new Error(await response.text()), { status: response.status });
    this.streams++;
    let rest = "";
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop();
      for (const line of lines.filter(Boolean)) this.#fold(JSON.parse(line));
    }
  }

  #fold(frame) {
    const cursor = frame.ready?.cursor ?? frame.checkpoint?.cursor;
    if (cursor) this.#cursor = cursor;
    if (frame.targetError || frame.error) this.#cursor = "";
    for (const change of frame.batch?.changes ?? []) {
      for (const document of [...(change.added ?? []), ...(change.modified ?? [])]) {
        if (!mayRead(this.person, document)) this.forbidden.push(document);
        this.documents.set(document.id, document);
      }
      for (const { id } of change.removed ?? []) this.documents.delete(id);
    }
  }
}

// Every body says who may read that version of it.
export const mayRead = ({ did }, { owner, data: { readers, denied } }) =>
  (did && owner === did) || ((readers.includes("*") || (did && (readers.includes("users") || readers.includes(did)))) && !(did && denied.includes(did)));
