// What every answer of the server must be, whatever was sent. Anything else is a finding.
import { meaningOf } from "./wire.mjs";

const insides = /\bat (Vibe|System|Npgsql|Microsoft|Google)\.|\.cs:line|\bNpgsql|PostgresException|SqlState|System\.[A-Z]\w+Exception|\bvibe_(app|owner|view|admin)\b|pg_catalog/;
const domains = ["vibe.dev", "rpc.vibe.dev"];
// Input that makes no call: the HTTP layer answers, without a body of its own.
const httpOnly = new Set([400, 404, 405, 408, 411, 413, 414, 415, 426, 431, 505]);
// What a server without a mistake says of a connection or framing that the client broke.
const framing = "MALFORMED_FRAMING";
export const mostSeconds = 30;

// The finding, in one line; null when the answer is as it must be.
// secrets: texts that must not come back. isCall: whether the request was one that only the contract's own errors may answer.
export function findingOf(request, answer, { secrets = [], isCall = true } = {}) {
  if (answer.refused) return null;
  if (answer.hung) return `no answer within ${mostSeconds} seconds`;
  const text = `${answer.body}${JSON.stringify(answer.headers)}${JSON.stringify(answer.trailers)}`;
  const leak = secrets.find((secret) => text.includes(secret) || decoded(answer).includes(secret));
  if (leak) return `shows ${leak}`;
  if (insides.test(text)) return `shows its inside: ${insides.exec(text)[0]}`;
  if (answer.cut) {
    // A connection that the server closes on HTTP it cannot read is an answer too; on a proper call it is none.
    return isCall ? `the connection was cut: ${answer.cut}` : null;
  }
  let meaning;
  try {
    meaning = meaningOf(request, answer);
  } catch (error) {
    return `an answer nobody can read: ${error.message}`;
  }
  if (answer.http >= 500 && !mayBe500(meaning)) return `HTTP ${answer.http} ${meaning.code} ${reasons(meaning)}`;
  if (meaning.code === null) {
    if (!answer.ended) return null; // A stream that was left before its end.
    // HEAD has no body to say it in.
    if (request.verb === "HEAD") return null;
    return httpOnly.has(answer.http) && answer.body.length === 0 ? null : `HTTP ${answer.http} without a status: ${text.slice(0, 200)}`;
  }
  if (meaning.code === "OK" || meaning.code.startsWith("oauth:")) return null;
  if (meaning.code === "UNKNOWN" || /^code /.test(meaning.code)) return `status ${meaning.code}`;
  if (meaning.infos.length !== 1 || !domains.includes(meaning.infos[0].domain)) return `${meaning.code} with ErrorInfo ${JSON.stringify(meaning.infos)}`;
  if (meaning.code === "INTERNAL" && meaning.infos[0].reason !== framing) return `INTERNAL ${reasons(meaning)}: ${meaning.message}`;
  return null;
}

const reasons = ({ infos }) => infos.map(({ reason }) => reason).join();
// 500 for broken framing and 501 and 503 for what is not there are in the contract.
const mayBe500 = ({ code, infos }) =>
  code === "UNIMPLEMENTED" || code === "UNAVAILABLE" || code === "DEADLINE_EXCEEDED" || (code === "INTERNAL" && infos[0]?.reason === framing);

// Details in base64 hide what is in them.
function decoded({ body, headers, trailers }) {
  const values = [trailers["grpc-status-details-bin"], headers["grpc-status-details-bin"]].filter(Boolean).map((value) => `${Buffer.from(`${value}`, "base64")}`);
  const type = `${headers["content-type"] ?? ""}`;
  return [...values, type.includes("-text") ? `${Buffer.from(`${body}`, "base64")}` : ""].join();
}

// Lines of the server's log that say it made a mistake. What Kestrel says of connections that the attacker broke is none.
const broken = /Kestrel\.Http2|Kestrel\[23\]|TimingPipeFlusher|Connection reset/;
export const mistakes = (log) => log.split("\n").filter((line) => /^(fail|crit):|Unhandled exception/.test(line) && !broken.test(line));
