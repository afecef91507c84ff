import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { createClient } from "../src/index.js";
import type { VibeClient } from "../src/index.js";
import { AccountService } from "../src/generated/vibe/auth/v1/account_service_pb.js";
import { AuthService } from "../src/generated/vibe/auth/v1/auth_service_pb.js";
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
