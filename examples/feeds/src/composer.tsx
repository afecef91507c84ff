import { useVibe } from "@vibe/react";
import { useRef, useState } from "react";
import type { KeyboardEvent, ReactNode } from "react";
import { post } from "./actions.js";
import { AudiencePicker } from "./audience-picker.js";
import type { Choice } from "./audience-picker.js";
import { usePeople } from "./people.js";
import { close } from "./route.js";
import { Sheet } from "./sheet.js";

const most = 500;

// What was not posted yet outlives the sheet.
let draft = "";

/** Writes a post. */
export function Composer({ me }: { readonly me: string }): ReactNode {
  const vibe = useVibe();
  const { find } = usePeople();
  const [text, setText] = useState(draft);
  const [choice, setChoice] = useState<Choice>({ audience: "everyone", people: [] });
  const form = useRef<HTMLFormElement>(null);
  const left = most - [...text.trim()].length;
  const isReady = text.trim() !== "" && left >= 0 && (choice.audience !== "people" || choice.people.length > 0);

  const change = (next: string): void => {
    draft = next;
    setText(next);
  };
  const send = (): void => {
    if (!isReady) return;
    const { audience, people } = choice;
    post(vibe, me, text.trim(), audience === "people" ? { audience, people } : { audience });
    change("");
    close();
    scrollTo({ top: 0 });
  };
  const press = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) form.current?.requestSubmit();
  };
  return (
    <Sheet title="New post" footer={(
      <div className="send-row">
        <span className="left" data-over={left < 0} aria-live="polite">{left <= 50 && (left < 0 ? `${-left} too many` : `${left} left`)}</span>
        <button type="submit" form="composer" className="primary" disabled={!isReady}>Post</button>
      </div>
    )}>
      <form id="composer" ref={form} onSubmit={(event) => { event.preventDefault(); send(); }}>
        <textarea autoFocus className="words" rows={4} aria-label="What do you want to say?" placeholder={`What’s new, ${find(me).name.split(" ")[0]}?`}
          value={text} onChange={({ target }) => change(target.value)} onKeyDown={press} />
        <AudiencePicker choice={choice} onChange={setChoice} />
      </form>
    </Sheet>
  );
}
