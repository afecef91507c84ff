import { SignInButton, UserMenu, useAuth, useConnection, useVibe } from "@vibe/react";
import { useEffect } from "react";
import type { ReactNode } from "react";
import { Avatar, colorOf } from "./avatar.js";
import { Composer } from "./composer.js";
import { Icon } from "./icons.js";
import { usePeople } from "./people.js";
import { PersonSheet } from "./person-sheet.js";
import { PostSheet } from "./post-sheet.js";
import { open, useRoute } from "./route.js";
import { Timeline } from "./timeline.js";
import { useTell } from "./toasts.js";
import { say } from "./words.js";

/** The page: the timeline, and what is open above it. */
export function App(): ReactNode {
  useOneTap();
  useRefusals();
  return (
    <>
      <a className="skip" href="#timeline">To the posts</a>
      <Header />
      <Timeline />
      <Dock />
      <Above />
    </>
  );
}

// Who is known to the browser is offered to come in, once, as the page opens.
function useOneTap(): void {
  const { status, signIn } = useAuth();
  useEffect(() => {
    if (status === "signedOut") signIn({ mode: "prompt" }).catch(() => undefined);
  }, [status === "loading"]);
}

function useRefusals(): void {
  const vibe = useVibe();
  const tell = useTell();
  useEffect(() => vibe.onRejected(({ error }) => {
    // With the session goes what was not sent: whoever signs out with writes waiting was asked, and who signs in makes theirs anew.
    if (error.reason !== "SESSION_ENDED") tell({ text: say(error) });
  }), [vibe, tell]);
}

function Header(): ReactNode {
  const { me } = usePeople();
  return (
    <header className="top">
      <a className="brand" href="#timeline"><img src="/mark.svg" alt="" width="28" height="28" />Feeds</a>
      <Connection />
      {me !== undefined && (
        <div className="account" style={colorOf(me)}>
          <UserMenu><button type="button" className="vibe-button" onClick={() => open("person", me)}>Your profile</button></UserMenu>
        </div>
      )}
    </header>
  );
}

function Connection(): ReactNode {
  const { status, pendingWrites, storage } = useConnection();
  const text = status === "offline" ? `Offline${pendingWrites > 0 ? `, ${pendingWrites} waiting` : ""}` : storage === "full" ? "This device is full" : "";
  return <p className="connection" role="status">{text && <span><Icon name="offline" />{text}</span>}</p>;
}

// What the thumb reaches.
function Dock(): ReactNode {
  const { status } = useAuth();
  const { me, find } = usePeople();
  return (
    <aside className="dock" aria-label="Post">
      {me !== undefined ? (
        <button type="button" className="compose" onClick={() => open("compose")}><Avatar person={find(me)} size="small" />What’s new?<span className="plus"><Icon name="pen" /></span></button>
      ) : status !== "loading" && (
        <>
          {status === "expired" && <p>Your session has ended. What you wrote is kept until you are back.</p>}
          <SignInButton errorText={say}>Continue with Vibe</SignInButton>
        </>
      )}
    </aside>
  );
}

function Above(): ReactNode {
  const { name, id } = useRoute();
  const { me } = usePeople();
  if (name === "compose" && me !== undefined) return <Composer me={me} />;
  if (name === "post") return <PostSheet key={id} id={id} />;
  return name === "person" && <PersonSheet key={id} did={id} />;
}
