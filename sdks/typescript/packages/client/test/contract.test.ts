import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { appCredentials, createClient } from "../src/index.js";
import type { VibeClient } from "../src/index.js";
import { AccountService } from "../src/generated/vibe/auth/v1/account_service_pb.js";
import { AuthService } from "../src/generated/vibe/auth/v1/auth_service_pb.js";
import { ClientType } from "../src/generated/vibe/apps/v1/app_pb.js";
import { AppsService } from "../src/generated/vibe/apps/v1/apps_service_pb.js";
import { CertificatesService } from "../src/generated/vibe/auth/v1/certificates_service_pb.js";
import { DocumentsService } from "../src/generated/vibe/documents/v1/documents_service_pb.js";
import { RealtimeService } from "../src/generated/vibe/realtime/v1/realtime_service_pb.js";
import { administration } from "../src/contract/administration.js";
import { connect } from "../src/contract/direct.js";
import { subjectOf } from "../src/hub/subject.js";
import { tokenFor } from "./server.js";

const { url, data } = inject("server");
let token: string;
let vibe: VibeClient;

beforeAll(async () => {
  token = await tokenFor(data, "contract", "--scope", "account");
  vibe = createClient({ url, token: () => token });
});
afterAll(() => vibe.close());

test("every method of the contract has its place, and no name means two", () => {
  const { transport, documents, realtime } = connect({ url });
  const { apps, auth } = administration(transport);
  const names = (client: object): string[] => Object.keys(client).sort();
  const methods = (...services: readonly { readonly method: object }[]): string[] => services.flatMap(({ method }) => Object.keys(method)).sort();
  expect(names(documents)).toEqual(methods(DocumentsService));
  expect(names(realtime)).toEqual(methods(RealtimeService));
  expect(names(apps)).toEqual(methods(AppsService));
  expect(names(auth)).toEqual(methods(AuthService, AccountService, CertificatesService));
});

test("a method that answers with a stream is one here too", () => {
  for (const [client, services] of [
    [vibe.documents, [DocumentsService]], [vibe.realtime, [RealtimeService]], [vibe.apps, [AppsService]], [vibe.auth, [AuthService, AccountService, CertificatesService]],
  ] as const) {
    for (const service of services) {
      for (const { localName, methodKind } of service.methods) {
        // Asking is free: nothing is sent before somebody reads.
        const isStream = (client as unknown as Record<string, { constructor: { name: string } }>)[localName]!.constructor.name === "AsyncGeneratorFunction";
        expect([localName, isStream]).toEqual([localName, methodKind === "server_streaming"]);
      }
    }
  }
});

test("the account, its certificates and its apps are reached through the client", async () => {
  const did = subjectOf(token);
  const { account } = await vibe.auth.getAccount({});
  expect(account?.did).toBe(did);
  const { certificate } = await vibe.auth.issueCertificate({ certificate: { subject: did, type: "friend" } });
  const { app } = await vibe.apps.createApp({ app: { name: "contract", manifest: { displayName: "Contract", homepageUri: "https://contract.example", policyUri: "https://contract.example/privacy" } } });
  expect((await vibe.apps.getApp({ name: app!.did })).app?.name).toBe("contract");
  expect((await vibe.auth.listCertificates({})).certificates.map(({ id }) => id)).toEqual([certificate!.id]);
  // A stream that a command line's token does not open.
  await expect((async () => {
    for await (const { item } of vibe.auth.exportAccount({})) expect(item.case).toBeUndefined();
  })()).rejects.toMatchObject({ name: "VibeError", reason: "SIGN_IN_REQUIRED" });
  await expect(vibe.apps.getApp({ name: "nothing" })).rejects.toMatchObject({ name: "VibeError", reason: "APP_NOT_FOUND" });
});

test("the backend of an app acts as the app, with one token for all its calls, bound to its key", async () => {
  const manifest = { displayName: "Backend", homepageUri: "https://backend.example", clientType: ClientType.CONFIDENTIAL, dpopBoundAccessTokens: true };
  const { app } = await vibe.apps.createApp({ app: { name: "backend", manifest } });
  const { secret } = await vibe.apps.createAppCredential({ name: "backend", credential: { name: "test" } });
  let asked = 0;
  const counting: typeof fetch = (input, init) => {
    if (String(input).endsWith("/oauth/token")) asked++;
    return fetch(input, init);
  };
  const backend = createClient<{ jobs: { n: number } }>({ url, token: appCredentials({ url, app: app!.did, secret, fetch: counting }) });
  const written = await Promise.all([1, 2, 3].map((n) => backend.write("jobs", { n })));
  expect(written.map(({ owner }) => owner)).toEqual([app!.did, app!.did, app!.did]);
  expect((await backend.readOnce("jobs", { orderBy: "data.n" })).documents.map((job) => job.data.n)).toEqual([1, 2, 3]);
  expect(asked).toBe(1);
  backend.close();

  const forged = createClient({ url, token: appCredentials({ url, app: app!.did, secret: "x".repeat(43) }) });
  await expect(forged.readOnce("jobs")).rejects.toMatchObject({ name: "VibeError", reason: "CLIENT_INVALID" });
  forged.close();
});
