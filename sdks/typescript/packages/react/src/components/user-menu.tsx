import { useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import type { FocusEvent, KeyboardEvent, ReactNode } from "react";
import { useAuth, useConnection } from "../session.js";

/** Of a UserMenu. */
export interface UserMenuProps {
  /** More to do: buttons and links, between the name and signing out. */
  readonly children?: ReactNode;
  readonly className?: string;
  /** The words. */
  readonly labels?: {
    readonly open?: (name: string) => string;
    readonly signOut?: string;
    /** Asked for before writes that were never sent are dropped. */
    readonly unsent?: (count: number) => string;
    readonly discard?: string;
  };
}

/** Who is signed in, with a button to sign out. Shows nothing while nobody is. */
export function UserMenu({ children, className = "", labels = {} }: UserMenuProps): ReactNode {
  const { status, user, signOut } = useAuth();
  const { pendingWrites } = useConnection();
  const [open, setOpen] = useState(false);
  const [sure, setSure] = useState(false);
  const [align, setAlign] = useState<"start" | "end">("end");
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    const box = open ? panel.current?.getBoundingClientRect() : undefined;
    setAlign(box && (box.left < 0 || box.right > innerWidth) ? "start" : "end");
  }, [open]);
  useEffect(() => {
    if (open) panel.current?.querySelector<HTMLElement>("a, button")?.focus();
    else setSure(false);
  }, [open]);
  if (status !== "signedIn" || !user) return null;

  const leave = ({ relatedTarget, currentTarget }: FocusEvent): void => {
    if (relatedTarget && !currentTarget.contains(relatedTarget as Node)) setOpen(false);
  };
  const press = (event: KeyboardEvent): void => {
    if (event.key !== "Escape" || !open) return;
    event.stopPropagation();
    setOpen(false);
    button.current?.focus();
  };
  const end = (): void => {
    if (pendingWrites > 0 && !sure) return setSure(true);
    void signOut();
  };
  const {
    open: openLabel = (name: string) => `Account of ${name}`, signOut: signOutLabel = "Sign out",
    unsent = (count: number) => `${count} ${count === 1 ? "change is" : "changes are"} not sent yet, and will be lost.`, discard = "Sign out and lose them",
  } = labels;
  return (
    <div className={`vibe-user-menu ${className}`} onBlur={leave} onKeyDown={press}>
      <button ref={button} type="button" className="vibe-avatar" aria-expanded={open} aria-controls={id} aria-label={openLabel(user.name)} onClick={() => setOpen(!open)}>
        <span aria-hidden="true">{initialOf(user.name)}</span>
      </button>
      <div ref={panel} id={id} className="vibe-panel" data-align={align} hidden={!open}>
        <p className="vibe-name">{user.name}</p>
        {user.handle && user.handle !== user.name && <p className="vibe-handle">@{user.handle}</p>}
        {children}
        <p role="status" className="vibe-note">{sure && unsent(pendingWrites)}</p>
        <button type="button" className="vibe-button" onClick={end}>{sure ? discard : signOutLabel}</button>
      </div>
    </div>
  );
}

function initialOf(name: string): string {
  return [...new Intl.Segmenter().segment(name)][0]?.segment.toUpperCase() ?? "";
}
