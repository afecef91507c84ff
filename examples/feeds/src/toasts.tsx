import { createContext, use, useCallback, useRef, useState } from "react";
import type { ReactNode } from "react";

/** Something to say for a moment, perhaps with a way to take it back. */
export interface Toast {
  readonly text: string;
  readonly action?: { readonly label: string; readonly run: () => void };
}

const Tell = createContext<(toast: Toast) => void>(() => {});

/** How long a toast stays. */
export const toastMs = 6_000;

/** Says something at the bottom of the page. */
export const useTell = (): ((toast: Toast) => void) => use(Tell);

/** Where toasts are shown, one at a time. */
export function Toasts({ children }: { readonly children: ReactNode }): ReactNode {
  const [toast, setToast] = useState<Toast>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const place = useRef<HTMLDivElement>(null);
  const tell = useCallback((next: Toast | undefined) => {
    clearTimeout(timer.current);
    setToast(next);
    // Above whatever is open: a popover shown last is on top of dialogs.
    place.current?.hidePopover();
    if (!next) return;
    place.current?.showPopover();
    timer.current = setTimeout(() => tell(undefined), toastMs);
  }, []);
  const { text, action } = toast ?? {};
  return (
    <Tell value={tell}>
      {children}
      <div ref={place} className="toast" popover="manual">
        <p role="status">{text}</p>
        {action && <button type="button" onClick={() => { action.run(); tell(undefined); }}>{action.label}</button>}
      </div>
    </Tell>
  );
}
