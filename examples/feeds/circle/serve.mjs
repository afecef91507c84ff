// The circle: an app that acts as itself. Whoever follows somebody gets a certificate that says so, for as long as they do, and
// posts for followers are for who holds one: `cert:<circle>#follower.<person>`. Reads the settings that `npm run setup` wrote.
import { appCredentials, createClient } from "@vibe/client";
import { addressOf, settings } from "../scripts/vibe.mjs";
import { Certificates } from "./certificates.mjs";

const { VITE_VIBE_URL, CIRCLE_APP, CIRCLE_SECRET } = settings();
const url = addressOf(VITE_VIBE_URL);
const vibe = createClient({ url, app: CIRCLE_APP, token: appCredentials({ url, app: CIRCLE_APP, secret: CIRCLE_SECRET, scope: "documents:follows:read" }) });
const certificates = new Certificates(vibe.auth, (text) => console.error(`circle: ${text}`));

let isReady = false;
vibe.read("follows", { scope: "shared" }, async ({ data, status }) => {
  // Only what the server says is complete may take something away from people.
  if (status !== "live") return;
  await certificates.follow(data.map(({ owner, data: { who } }) => ({ follower: owner, who })));
  if (!isReady) console.log("ready: circle");
  isReady = true;
});
process.once("SIGTERM", () => process.exit(0));
