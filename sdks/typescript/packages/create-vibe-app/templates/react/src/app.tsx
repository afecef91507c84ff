import { SignInButton, UserMenu, useAuth, useConnection } from "@vibe/react";
import { MyNotes, PublicNotes } from "./notes.tsx";

export function App() {
  const { status } = useAuth();
  return (
    <>
      <header>
        <h1>{document.title}</h1>
        <UserMenu />
      </header>
      <Connection />
      <main>
        {!import.meta.env.VITE_VIBE_APP && <p className="card">The server does not know this app yet: run <code>npm run register</code>.</p>}
        {status === "signedIn" && <MyNotes />}
        {(status === "signedOut" || status === "expired") && (
          <section className="card">
            <p>{status === "expired" ? "You have been signed out. What you wrote waits for you." : "Keep notes, on all your devices, also without a connection."}</p>
            <SignInButton />
          </section>
        )}
        <PublicNotes />
      </main>
    </>
  );
}

function Connection() {
  const { status, pendingWrites } = useConnection();
  const waiting = pendingWrites === 1 ? "1 change is" : `${pendingWrites} changes are`;
  return (
    <p role="status" className="connection">
      {status === "offline" && (pendingWrites > 0 ? `Offline. ${waiting} kept here, and sent later.` : "Offline. You can go on: what you write is sent later.")}
    </p>
  );
}
