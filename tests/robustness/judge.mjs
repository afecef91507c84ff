// What must hold of a history, whatever happened in it. Each rule says in words what broke it.

// Every body says who may read that version of it.
export const mayRead = ({ did }, { owner, data: { readers, denied } }) =>
  (did && owner === did) || ((readers.includes("*") || (did && (readers.includes("users") || readers.includes(did)))) && !(did && denied.includes(did)));

// Writes: what was acknowledged is stored, and each acknowledged request had its effect once.
// acknowledged: for each document { revision, effects, deleted, n }: the last revision that was acknowledged, how many requests
// were, whether the last one deleted it, and what its counter must be. stored: for each { revision, deleted, n }.
export function judgeWrites(acknowledged, stored) {
  const broken = [];
  for (const [id, { revision, effects, deleted, n }] of acknowledged) {
    const row = stored.get(id);
    if (!row || row.revision < revision) {
      broken.push(`lost write: ${id} was acknowledged as r${revision} and is ${row ? `r${row.revision}` : "not there"}`);
    } else if (row.revision !== effects || (n !== undefined && row.n !== n)) {
      broken.push(`effects: ${id} had ${effects} acknowledged requests and is r${row.revision}, counting ${row.n} of ${n}`);
    } else if (row.deleted !== deleted) {
      broken.push(`lost write: ${id} is ${row.deleted ? "" : "not "}deleted`);
    }
  }
  for (const id of stored.keys()) if (!acknowledged.has(id)) broken.push(`effects: nobody was told of ${id}`);
  return broken;
}

// A read: nothing that is not for the reader, and nothing older than what was acknowledged before it began.
// exact: the reader is the only one who writes the document, and does not at the moment.
export function judgeRead(person, document, { id, revision, exact }) {
  if (document && !mayRead(person, document)) return `leak: ${person.name} read ${id} r${document.revision}`;
  if (document && Number(document.revision) < revision) return `stale read: ${id} r${document.revision} after r${revision} was acknowledged`;
  if (exact && Number(document?.revision) !== revision) return `lost write: its owner reads ${id} as r${document?.revision} and not r${revision}`;
  return null;
}

// A client's streams: the order and completeness of what it is told of each document. What it is told before `ready`, from the
// tables, may come once more from the log, until the log has caught up; from there on each version comes once and in order.
export class Told {
  broken = [];
  // For each document: the newest revision that was told, the last one, and the newest one that was told before `ready`.
  #revisions = new Map();
  #suspicion = null;
  #isLive = false;
  #expected = new Map();

  // A new stream. expected: for each document that is in the target for good the revision that was acknowledged by now.
  opened(expected) {
    this.#revisions = new Map();
    this.#suspicion = null;
    this.#isLive = false;
    this.#expected = expected;
  }

  // sees: the client's target holds each version of the document, so that each must be told.
  document(id, revision, sees) {
    const { newest, atReady } = this.#revisions.get(id) ?? { newest: 0, atReady: 0 };
    if (this.#isLive) {
      if (revision <= newest && revision > atReady) this.#suspicion ??= `order: ${id} r${revision} after r${newest}`;
      else if (sees && newest && revision > newest + 1) this.#suspicion ??= `gap: ${id} r${revision} after r${newest}`;
    }
    this.#revisions.set(id, { newest: Math.max(newest, revision), last: revision, atReady });
  }

  // holds: what the client has, by id. isGone: whether a document may have been deleted.
  ready(holds, isGone) {
    // A stream that fell behind catches up, each document in its latest state, and is ready again.
    this.#suspicion = null;
    this.#isLive = true;
    for (const told of this.#revisions.values()) told.atReady = told.newest;
    for (const [id, revision] of this.#expected) {
      const has = Number(holds.get(id)?.revision ?? 0);
      if (has < revision && !isGone(id)) this.broken.push(`gap: ready with ${id} r${has}, and r${revision} was acknowledged before`);
    }
    this.#expected = new Map();
  }

  // Everything up to here was told: what looks wrong now is wrong.
  checkpoint() {
    for (const [id, { newest, last }] of this.#revisions) if (last < newest) this.#suspicion ??= `order: ${id} r${last} last, and r${newest} before`;
    if (this.#suspicion) this.broken.push(this.#suspicion);
    this.#suspicion = null;
  }
}

// What is missing or too much between two sets of documents.
export function difference(has, expected) {
  const names = (documents) => new Set([...documents].map(({ id, revision }) => `${id} r${revision}`));
  const [left, right] = [names(has), names(expected)];
  return [...[...right].filter((name) => !left.has(name)).map((name) => `lacks ${name}`), ...[...left].filter((name) => !right.has(name)).map((name) => `has ${name}`)];
}
