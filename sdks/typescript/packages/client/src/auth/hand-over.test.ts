import { expect, test } from "vitest";
import { takeOver, wayOfAnswer } from "./hand-over.js";

test("only what the provider answers to a request of ours is an answer", () => {
  expect(wayOfAnswer("?code=c&state=popup.s&iss=i")).toBe("popup");
  expect(wayOfAnswer("?error=access_denied&state=redirect.s&iss=i")).toBe("redirect");
  for (const search of ["", "?code=c&state=popup.s", "?state=popup.s&iss=i", "?code=c&iss=i", "?code=c&state=theirs&iss=i", "?code=c&state=popups.s&iss=i"]) {
    expect(wayOfAnswer(search), search).toBeUndefined();
  }
});

test("an answer with another state is not taken, and who waits can stop", async () => {
  const stop = new AbortController();
  const other = new BroadcastChannel("vibe sign-in app");
  const answers: unknown[] = [];
  other.onmessage = ({ data }) => answers.push((data as { state: string }).state);
  const first = takeOver("app", "popup.1", stop.signal);
  const second = takeOver("app", "popup.2", stop.signal);
  other.postMessage({ type: "answer", state: "popup.forged", search: "?code=forged" });
  other.postMessage({ type: "answer", state: "popup.2", search: "?code=2" });
  expect(await second).toBe("?code=2");
  stop.abort();
  await expect(first).rejects.toMatchObject({ code: "CANCELLED" });
  other.close();
  expect(answers).not.toContain("popup.forged");
});
