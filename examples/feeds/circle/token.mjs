// Tokens of an app that acts as itself (RFC 6749 section 4.4).

// A token source for `createClient`: asks for a token when there is none, or when the one there is is not taken any more.
export function clientCredentials(url, app, secret) {
  let token;
  return ({ refresh }) => {
    if (refresh) token = undefined;
    token ??= ask().catch((error) => {
      token = undefined;
      throw error;
    });
    return token;
  };

  async function ask() {
    const response = await fetch(`${url}/oauth/token`, {
      method: "POST",
      headers: { authorization: `Basic ${Buffer.from(`${encodeURIComponent(app)}:${encodeURIComponent(secret)}`).toString("base64")}` },
      body: new URLSearchParams({ grant_type: "client_credentials", scope: "documents:follows:read" }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(`the circle gets no token: ${answer.error} ${answer.error_description ?? ""}`);
    return answer.access_token;
  }
}
