import type { ReactNode } from "react";

const shapes = {
  heart: <path d="M12 20.3 4.4 12.6a4.9 4.9 0 0 1 6.9-7l.7.7.7-.7a4.9 4.9 0 0 1 6.9 7Z" />,
  bubble: <path d="M20.5 11.6c0 4.2-3.8 7.6-8.5 7.6-1.2 0-2.4-.2-3.4-.6L4 20l1.2-3.9a7.1 7.1 0 0 1-1.7-4.5C3.5 7.4 7.3 4 12 4s8.5 3.4 8.5 7.6Z" />,
  globe: <><circle cx="12" cy="12" r="8.5" /><path d="M3.5 12h17M12 3.5c2.5 2.3 3.7 5.2 3.7 8.5s-1.2 6.2-3.7 8.5c-2.5-2.3-3.7-5.2-3.7-8.5s1.2-6.2 3.7-8.5Z" /></>,
  followers: <><circle cx="9" cy="8" r="3.5" /><path d="M2.5 19.5c.5-3.6 3.1-5.5 6.5-5.5s6 1.9 6.5 5.5M15.5 4.8a3.5 3.5 0 0 1 0 6.4M17.5 14.4c2.3.7 3.7 2.5 4 5.1" /></>,
  lock: <><rect x="5" y="10.5" width="14" height="9.5" rx="2.5" /><path d="M8 10.5V8a4 4 0 0 1 8 0v2.5" /></>,
  clock: <><circle cx="12" cy="12" r="8.5" /><path d="M12 7.5V12l3 2" /></>,
  trash: <path d="M4.5 7h15M9.5 7V4.5h5V7M6.5 7l.8 12.5h9.4L17.5 7M10.5 11v4.5M13.5 11v4.5" />,
  close: <path d="m6 6 12 12M18 6 6 18" />,
  send: <path d="M12 19.5V5M5.5 11.5 12 5l6.5 6.5" />,
  pen: <path d="m4 20 1-4.5L16.5 4a2.1 2.1 0 0 1 3 0l.5.5a2.1 2.1 0 0 1 0 3L8.5 19 4 20ZM14.5 6l3.5 3.5" />,
  offline: <path d="M3 3l18 18M8.5 8.2A11.5 11.5 0 0 0 4 11M12 7c3.1 0 6 1.4 8 4M7 15a7.1 7.1 0 0 1 5-2.1M17 15a7 7 0 0 0-1.5-1.2M12 19.2v.1" />,
} as const;

/** A picture beside words, or in a button that has a name. */
export function Icon({ name }: { readonly name: keyof typeof shapes }): ReactNode {
  return <svg className="icon" viewBox="0 0 24 24" aria-hidden="true">{shapes[name]}</svg>;
}
