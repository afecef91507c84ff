import { createClient } from "@connectrpc/connect";
import type { Transport } from "@connectrpc/connect";
import { AppsService } from "../generated/vibe/apps/v1/apps_service_pb.js";
import { AccountService } from "../generated/vibe/auth/v1/account_service_pb.js";
import { AuthService } from "../generated/vibe/auth/v1/auth_service_pb.js";
import { CertificatesService } from "../generated/vibe/auth/v1/certificates_service_pb.js";
import type { AppsClient, AuthClient } from "./contract.js";

/** The clients of what few pages of an app need. */
export function administration(transport: Transport): { readonly apps: AppsClient; readonly auth: AuthClient } {
  const [auth, account, certificates] = [createClient(AuthService, transport), createClient(AccountService, transport), createClient(CertificatesService, transport)];
  return { apps: createClient(AppsService, transport), auth: { ...auth, ...account, ...certificates } };
}
