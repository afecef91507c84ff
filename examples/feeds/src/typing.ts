import { usePresence } from "@vibe/react";
import { useEffect, useMemo, useState } from "react";

/** Who else looks at a post right now, and who of them is writing. */
export interface Company {
  readonly here: readonly string[];
  readonly typing: readonly string[];
  /** A key was pressed. */
  readonly type: () => void;
  /** What was being written was sent. */
  readonly rest: () => void;
}

const pauseMs = 4_000;

/** Is present at a post while it is open. Without a post it waits. */
export function useCompany(post: string | undefined, me: string | undefined): Company {
  const [keys, setKeys] = useState(0);
  useEffect(() => {
    if (keys === 0) return undefined;
    const timer = setTimeout(() => setKeys(0), pauseMs);
    return () => clearTimeout(timer);
  }, [keys]);
  const channel = post === undefined || me === undefined ? undefined : `document:${post}`;
  const { data } = usePresence<{ typing: boolean }>(channel, { state: { typing: keys > 0 } });
  return useMemo(() => {
    const others = data.filter(({ user }) => user && user !== me);
    return {
      here: [...new Set(others.map(({ user }) => user))],
      typing: [...new Set(others.filter(({ state }) => state.typing).map(({ user }) => user))],
      type: () => setKeys((count) => count + 1),
      rest: () => setKeys(0),
    };
  }, [data, me]);
}
