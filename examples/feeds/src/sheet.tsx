import { useEffect, useId, useRef } from "react";
import type { MouseEvent, ReactNode } from "react";
import { Icon } from "./icons.js";
import { close } from "./route.js";

/** What of a sheet stays in place while the rest scrolls. */
export interface SheetProps {
  readonly title: string;
  readonly children: ReactNode;
  readonly footer?: ReactNode;
}

/** Comes up from the bottom of a phone, stands in the middle of a large screen, and goes back to the timeline. */
export function Sheet({ title, children, footer }: SheetProps): ReactNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const opened = dialog.current!;
    opened.showModal();
    const stop = aboveKeyboard(opened);
    return () => {
      stop();
      opened.close();
    };
  }, []);

  const leave = async (): Promise<void> => {
    dialog.current?.close();
    await Promise.allSettled(dialog.current?.getAnimations().map(({ finished }) => finished) ?? []);
    close();
  };
  const press = ({ target }: MouseEvent): void => {
    // Beside the sheet is the dialog's own backdrop.
    if (target === dialog.current) void leave();
  };
  return (
    <dialog ref={dialog} className="sheet" aria-labelledby={heading} onCancel={(event) => { event.preventDefault(); void leave(); }} onClick={press}>
      <div className="sheet-inside">
        <header className="sheet-head">
          <h2 id={heading}>{title}</h2>
          <button type="button" className="round" aria-label="Close" onClick={() => void leave()}><Icon name="close" /></button>
        </header>
        <div className="sheet-body" tabIndex={-1}>{children}</div>
        {footer && <footer className="sheet-foot">{footer}</footer>}
      </div>
    </dialog>
  );
}

// Some browsers lay their keyboard over the page instead of making it smaller.
function aboveKeyboard(sheet: HTMLElement): () => void {
  const view = visualViewport;
  const fit = (): void => sheet.style.setProperty("--keyboard", `${view ? Math.max(0, innerHeight - view.height - view.offsetTop) : 0}px`);
  view?.addEventListener("resize", fit);
  return () => view?.removeEventListener("resize", fit);
}
