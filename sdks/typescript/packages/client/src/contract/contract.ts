import type { Client, Transport } from "@connectrpc/connect";
import type { AppsService } from "../generated/vibe/apps/v1/apps_service_pb.js";
import type { AccountService } from "../generated/vibe/auth/v1/account_service_pb.js";
import type { AuthService } from "../generated/vibe/auth/v1/auth_service_pb.js";
import type { CertificatesService } from "../generated/vibe/auth/v1/certificates_service_pb.js";
import type { DocumentsService } from "../generated/vibe/documents/v1/documents_service_pb.js";
import type { RealtimeService } from "../generated/vibe/realtime/v1/realtime_service_pb.js";
import type { TransportOptions } from "../transport.js";
import type { Direct } from "./direct.js";
import { lazyClient, lazyTransport } from "./lazy.js";

/** The methods of `vibe.documents.v1`. */
export type DocumentsClient = Client<typeof DocumentsService>;
/** The methods of `vibe.realtime.v1`. */
export type RealtimeClient = Client<typeof RealtimeService>;
/** The methods of `vibe.apps.v1`. */
export type AppsClient = Client<typeof AppsService>;
/** The methods of `vibe.auth.v1`: tokens, the account, certificates. */
export type AuthClient = Client<typeof AuthService> & Client<typeof AccountService> & Client<typeof CertificatesService>;

/** The whole contract over one connection. Its code is loaded with the first call, that for apps and accounts apart. */
export class Contract {
  readonly documents: DocumentsClient;
  readonly realtime: RealtimeClient;
  readonly apps: AppsClient;
  readonly auth: AuthClient;
  readonly transport: Transport;

  constructor(options: TransportOptions) {
    let connecting: Promise<Direct> | undefined;
    const direct = (): Promise<Direct> => connecting ??= import("./direct.js").then(({ connect }) => connect(options));
    const rare = async () => (await import("./administration.js")).administration((await direct()).transport);
    this.transport = lazyTransport(async () => (await direct()).transport);
    this.documents = lazyClient<DocumentsClient>(async () => (await direct()).documents);
    this.realtime = lazyClient<RealtimeClient>(async () => (await direct()).realtime, "subscribe", "joinChannel");
    this.apps = lazyClient<AppsClient>(async () => (await rare()).apps);
    this.auth = lazyClient<AuthClient>(async () => (await rare()).auth, "exportAccount");
  }
}
