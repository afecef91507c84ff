/** A time of RFC 3339 in the one form documents have: UTC with six digits of the second. Undefined when it is none. */
export function normalTime(text: string): string | undefined {
  const parts = /^(\d{4}-(\d\d)-(\d\d))[Tt]((\d\d):(\d\d):(\d\d))(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$/.exec(text);
  if (!parts) return undefined;
  const [, date, , day, clock, hour, , second, fraction = "", sign, offsetHours = "0", offsetMinutes = "0"] = parts;
  const local = new Date(`${date}T${clock}Z`);
  // A day that does not exist runs over into the next month.
  if (Number.isNaN(local.getTime()) || local.getUTCDate() !== Number(day) || Number(hour) > 23 || Number(second) > 59) return undefined;
  if (Number(offsetHours) > 23 || Number(offsetMinutes) > 59) return undefined;
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * (sign === "-" ? -60_000 : 60_000);
  const utc = new Date(local.getTime() - offset);
  const year = utc.getUTCFullYear();
  if (year < 1 || year > 9999) return undefined;
  return `${utc.toISOString().slice(0, 19)}.${fraction.slice(0, 6).padEnd(6, "0")}Z`;
}

/** The same, as canonical filter text writes it: without digits of the second that are zero. */
export function shortTime(time: string): string {
  return time.replace(/\.?0*Z$/, "Z");
}
