import { VibeError } from "@vibe/client";
import { useState } from "react";
import type { ReactNode } from "react";
import { useAuth } from "../session.js";
import { useVibe } from "../provider.js";

/** One thing the app may ask for. */
export interface ConsentItem {
  /** By its name in the app's manifest. */
  readonly scope: string;
  /** In plain words. */
  readonly label: ReactNode;
  /** What it is good for. */
  readonly description?: ReactNode;
}

/** Of a ConsentList. */
export interface ConsentListProps {
  readonly items: readonly ConsentItem[];
  readonly className?: string;
  /** The words. */
  readonly labels?: { readonly allowed?: string; readonly allow?: string; readonly manage?: string; readonly failed?: string };
}

/** What the person has allowed the app, with buttons to allow the rest, and the way to take it back. */
export function ConsentList({ items, className = "", labels = {} }: ConsentListProps): ReactNode {
  const { url } = useVibe();
  const { status, scopes, signIn } = useAuth();
  const [failed, setFailed] = useState(false);
  const { allowed = "Allowed", allow = "Allow", manage = "See and take back what you allowed", failed: failedText = "That did not work. Please try again." } = labels;
  if (status !== "signedIn") return null;

  const ask = (scope: string): void => {
    setFailed(false);
    signIn({ scope }).catch((error: unknown) => setFailed(!["SIGN_IN_CANCELLED", "ACCESS_DENIED"].includes(VibeError.from(error).reason)));
  };
  return (
    <section className={`vibe-consents ${className}`}>
      <ul>
        {items.map(({ scope, label, description }) => (
          <li key={scope}>
            <span className="vibe-consent">
              <span>{label}</span>
              {description && <span className="vibe-note">{description}</span>}
            </span>
            {scopes.includes(scope)
              ? <span className="vibe-allowed">{allowed}</span>
              : <button type="button" className="vibe-button" onClick={() => ask(scope)}>{allow}<span className="vibe-hidden"> {label}</span></button>}
          </li>
        ))}
      </ul>
      <p role="alert" className="vibe-error">{failed && failedText}</p>
      <a href={`${url}/account`} target="_blank" rel="noreferrer">{manage}</a>
    </section>
  );
}
