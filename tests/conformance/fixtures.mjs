// All canonical codes but OK, by number.
export const codes = [
  "canceled", "unknown", "invalid_argument", "deadline_exceeded", "not_found", "already_exists", "permission_denied",
  "resource_exhausted", "failed_precondition", "aborted", "out_of_range", "unimplemented", "internal", "unavailable",
  "data_loss", "unauthenticated",
].map((name, index) => ({ name, number: index + 1 }));

// A message that holds a bit of everything, as protobuf JSON.
export const sample = {
  text: "grüße, 世界 \"quoted\" 100% 🎉",
  int32Value: -7,
  int64Value: "-9007199254740993",
  uint64Value: "18446744073709551615",
  doubleValue: 1.5e300,
  floatValue: 0.25,
  boolValue: true,
  bytesValue: "AP/+",
  color: "COLOR_GREEN",
  numbers: [1, 2, 300],
  tags: ["a", ""],
  children: [{ text: "child" }],
  labels: { k: "v", "": "empty" },
  byNumber: { "-1": { text: "minus one" } },
  choiceText: "chosen",
  maybe: 0,
  time: "2026-02-28T23:59:59.123456789Z",
  duration: "-1.500s",
  data: { a: [1, "two", null, { deep: true }], n: 0.1 },
  value: ["any", 1],
  wrappedInt64: "0",
  otherName: "renamed",
};

// Cancels calls until the server counts one: one that is cancelled before it arrives is not, and the next lives longer.
export async function noticed(count, cancelAfter) {
  const before = await count();
  for (let life = 1000; ; life = Math.min(2 * life, 10_000)) {
    await cancelAfter(life);
    for (const until = Date.now() + life; Date.now() < until; await new Promise(setImmediate)) if (await count() !== before) return;
  }
}
