// Which certificates there should be, and which there are.
import { followerType } from "../src/audience.js";

const nameOf = (subject, type) => `${subject} ${type}`;

export class Certificates {
  #auth;
  #report;
  // By holder and type; the id is undefined for those that could not be issued.
  #issued;
  #wanted = new Map();
  #working;

  constructor(auth, report) {
    this.#auth = auth;
    this.#report = report;
  }

  // Issues and revokes until exactly these follow. Ends when that is so.
  follow(follows) {
    this.#wanted = new Map(follows.map(({ follower, who }) => [nameOf(follower, followerType(who)), { subject: follower, type: followerType(who) }]));
    return this.#working ??= this.#work();
  }

  async #work() {
    try {
      this.#issued ??= await this.#list();
      for (let next = this.#next(); next; next = this.#next()) await next();
    } catch (error) {
      // The next state of the live query, at the latest when the connection is back, tries again.
      this.#report(error.message);
    } finally {
      this.#working = undefined;
    }
  }

  #next() {
    for (const [name, certificate] of this.#wanted) if (!this.#issued.has(name)) return () => this.#issue(name, certificate);
    for (const [name, id] of this.#issued) if (!this.#wanted.has(name)) return () => this.#revoke(name, id);
    return undefined;
  }

  async #issue(name, { subject, type }) {
    try {
      const { certificate } = await this.#auth.issueCertificate({ certificate: { subject, type } });
      this.#issued.set(name, certificate.id);
    } catch (error) {
      // Somebody who follows more people than access rules look at, or who is gone: the others go on.
      this.#issued.set(name, undefined);
      this.#report(`${subject} gets no ${type}: ${error.message}`);
    }
  }

  async #revoke(name, id) {
    if (id) await this.#auth.revokeCertificate({ id });
    this.#issued.delete(name);
  }

  async #list() {
    const issued = new Map();
    for (let pageToken = ""; ;) {
      const page = await this.#auth.listCertificates({ issued: true, pageSize: 200, pageToken });
      for (const { id, subject, type, revokeTime } of page.certificates) if (!revokeTime) issued.set(nameOf(subject, type), id);
      pageToken = page.nextPageToken;
      if (!pageToken) return issued;
    }
  }
}
