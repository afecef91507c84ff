interface ImportMetaEnv {
  /** The server. */
  readonly VITE_VIBE_URL: string;
  /** The DID of this app. */
  readonly VITE_VIBE_APP: string;
  /** The DID of the app that issues the followers' certificates. */
  readonly VITE_VIBE_CIRCLE: string;
}
