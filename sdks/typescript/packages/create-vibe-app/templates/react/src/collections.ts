/** What a note says. */
export interface Note {
  title: string;
  done: boolean;
}

/** The collections of the app: from here on, every query and every write is checked against them. */
export interface Collections {
  notes: Note;
}

declare module "@vibe/react" {
  interface Register {
    collections: Collections;
  }
}
