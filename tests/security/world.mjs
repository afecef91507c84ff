// What an attacker knows of the running server: fills the placeholders of the corpus, and supplies values worth trying.
import { randomUUID } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Chance } from "./random.mjs";
import { hold } from "./target.mjs";

export const corpusFolder = fileURLToPath(new URL("./corpus/", import.meta.url));
const read = (name) => JSON.parse(readFileSync(corpusFolder + name, "utf8"));
export const valid = () => ["valid-documents.json", "valid-accounts.json"].flatMap(read);
export const forms = () => read("forms.json");
export const found = () => readdirSync(corpusFolder).filter((name) => name.startsWith("found-")).map((name) => ({ name, ...read(name) }));

export class World {
  // isThorough: whether there is time for every combination, or for one of each.
  static async of(target, seed, isThorough) {
    const world = new World();
    world.isThorough = isThorough;
    world.target = target;
    world.chance = new Chance(seed);
    const { mallories, account } = target.tokens;
    const [token] = mallories;
    const make = (body) => target.call(token, "POST", "/v1/documents", { collection: "own", ...body });
    const own = await make({ data: { n: 1, title: "a" } });
    await make({ data: { n: 2 }, edges: [{ label: "to", target: own.id }] });
    const page = await target.call(token, "GET", "/v1/documents?collection=own&page_size=1");
    const stream = randomUUID();
    const live = await hold(target, `/v1/documents:subscribe?collection=own&stream_id=${stream}`, token, /"ready"/);
    const channel = await hold(target, `/v1/channels/document:${own.id}/events?stream_id=${stream}`, token, /"joined"/);
    const appName = `evil-${world.chance.word()}`;
    const app = await target.call(account, "POST", "/v1/apps", {
      name: appName, manifest: {
        displayName: `Innocent ${world.chance.word()}`, redirectUris: ["https://rp.example/callback"], origins: ["https://rp.example"], visitorCollections: ["news"],
        scopes: [{ name: "documents:notes:write", descriptions: { en: "Keep your notes" } }],
      },
    });
    world.streams = [live, channel];
    world.facts = {
      own: own.id, open: target.victim.open.id, did: own.owner, victim: target.victim.did, stream, appName, app: app.did, pageToken: page.nextPageToken,
      cursor: /"ready":\{"cursor":"([^"]+)"/.exec(live.text)[1], jwt: token,
    };
    return world;
  }

  // Documents of the attacker that nothing else touches; made in advance, because a mutant may want one at any time.
  async stock(count) {
    this.fresh ??= [];
    while (this.fresh.length < count) {
      const { documents } = await this.target.call(this.target.tokens.mallories[0], "POST", "/v1/documents:batchWrite", {
        writes: Array.from({ length: 100 }, () => ({ create: { collection: "own", data: { n: 0 } } })),
      });
      this.fresh.push(...documents.map(({ id }) => id));
    }
  }

  // The text with its placeholders filled; each `{fresh}` is another document.
  fill(text) {
    const { chance } = this;
    return text.replace(/\{(\w+)\}/g, (all, name) => {
      switch (name) {
        case "fresh": return this.fresh.pop() ?? chance.uuid();
        case "hidden": return chance.pick(this.target.victim.hidden);
        case "uuid": return chance.uuid();
        case "name": return `m${chance.word(11)}`;
        case "word": return chance.word(12);
        case "hex": return chance.hex(32);
        default: return this.facts[name] ?? all;
      }
    });
  }

  fillAll(value) {
    if (typeof value === "string") return this.fill(value);
    if (Array.isArray(value)) return value.map((item) => this.fillAll(item));
    if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.fillAll(item)]));
    return value;
  }

  tokenOf(caller, service = "") {
    const { mallories, account, admin, app, appForMallory } = this.target.tokens;
    switch (caller) {
      case "stranger": return null;
      case "admin": return admin;
      case "account": return account;
      case "app": return app;
      case "appForUser": return appForMallory;
      case "anotherUser": return this.chance.pick(mallories.slice(1));
      default: return /^(Account|Apps|Certificates)/.test(service) ? account : mallories[0];
    }
  }

  close() {
    for (const stream of this.streams) stream.close();
  }
}
