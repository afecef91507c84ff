// A server and a database to be killed, and clients that do not give up.
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { execute, freePort, pause, root, startServer } from "../processes.mjs";

const vibe = `${root}scripts/vibe`;

// A data directory with an embedded database. A second node uses the same database, as two nodes use one PostgreSQL elsewhere.
export async function installation() {
  const folder = mkdtempSync(`${tmpdir()}/vibe-robustness-`);
  chmodSync(folder, 0o755); // The database does not run as root: its user must get in.
  const data = `${folder}/data`;
  const [port, otherPort] = [await freePort(), await freePort()];
  const publicUrl = { VIBE_PUBLIC_URL: "http://vibe.localhost" };
  return {
    data,
    url: `http://127.0.0.1:${port}`,
    otherUrl: `http://127.0.0.1:${otherPort}`,
    start: () => startServer(vibe, ["serve", "--port", `${port}`, "--data", data], { env: { ...process.env, ...publicUrl } }),
    startOther: () => {
      const [, , , databasePort, socket] = readFileSync(`${data}/cluster/postmaster.pid`, "utf8").split("\n");
      return startServer(vibe, ["serve", "--port", `${otherPort}`], {
        env: {
          ...process.env, ...publicUrl, VIBE_MASTER_KEY: readFileSync(`${data}/master.key`, "utf8").trim(),
          ConnectionStrings__Vibe: `Host=${socket};Port=${databasePort};Database=vibe;Username=vibe_admin`,
        },
      });
    },
    token: async (user) => (await execute(vibe, ["token", "--user", user, "--data", data])).stdout.trim(),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

// Calls as one caller, again and again until it is answered.
// url: which server to ask now; token: null for a signed-out visitor.
export function client(url, token) {
  const once = async (method, path, body) => {
    const response = await fetch(url() + path, {
      method, body: body && JSON.stringify(body), signal: AbortSignal.timeout(10_000),
      headers: { ...(token && { authorization: `Bearer ${token}` }), "content-type": "application/json" },
    });
    const answer = await response.json();
    if (!response.ok) throw Object.assign(new Error(`${response.status} ${JSON.stringify(answer)}`), { status: response.status });
    return answer;
  };
  // Only what says «try again» is tried again: no connection, 503 (UNAVAILABLE), 409 (ABORTED), an answer cut off.
  const call = async (method, path, body) => {
    for (const until = Date.now() + 60_000; ;) {
      try {
        return await once(method, path, body);
      } catch (error) {
        if ((error.status !== undefined && ![503, 409].includes(error.status)) || Date.now() > until) throw error;
        await pause(20);
      }
    }
  };
  // query: what else the list is asked for.
  const all = async (collection, query = {}) => {
    const documents = [];
    for (let token = ""; ;) {
      const page = await call("GET", `/v1/documents?${new URLSearchParams({ collection, page_size: 1000, ...query, page_token: token })}`);
      documents.push(...(page.documents ?? []));
      token = page.nextPageToken;
      if (!token) return documents;
    }
  };
  return { call, all };
}
