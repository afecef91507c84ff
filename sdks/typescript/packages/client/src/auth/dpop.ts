import { base64url, base64urlOfText, randomSecret, sha256 } from "./base64url.js";

/** What a proof is for. */
export interface ProofTarget {
  readonly method: string;
  /** Without query and fragment, as the server names itself. */
  readonly url: string;
  /** The access token sent along; absent where tokens are asked for. */
  readonly token?: string;
  /** How far this device's clock is behind the server's, in milliseconds. */
  readonly skewMs: number;
}

/** A key that cannot leave this browser: scripts may sign with it, and never read it. */
export async function newKey(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]);
}

/** A proof that the sender of one request holds the key (RFC 9449). Each is good once. */
export async function prove({ privateKey, publicKey }: CryptoKeyPair, { method, url, token, skewMs }: ProofTarget): Promise<string> {
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  const header = { typ: "dpop+jwt", alg: "ES256", jwk: { kty, crv, x, y } };
  const claims = {
    jti: randomSecret(), htm: method, htu: url, iat: Math.floor((Date.now() + skewMs) / 1000), ...(token === undefined ? {} : { ath: await sha256(token) }),
  };
  const signed = `${base64urlOfText(JSON.stringify(header))}.${base64urlOfText(JSON.stringify(claims))}`;
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, new TextEncoder().encode(signed));
  return `${signed}.${base64url(new Uint8Array(signature))}`;
}
