import { useState } from "react";
import type { ReactNode } from "react";
import type { Audience } from "./audience.js";
import { Avatar } from "./avatar.js";
import { Icon } from "./icons.js";
import type { Post } from "./model.js";
import { usePeople } from "./people.js";
import { list } from "./words.js";

/** Who a post is for. */
export type Choice = Required<Pick<Post, "audience" | "people">>;

const choices = [["everyone", "globe", "Everyone"], ["followers", "followers", "Followers"], ["people", "lock", "Chosen"]] as const;

/** Chooses who a post is for, and says what that means. */
export function AudiencePicker({ choice, onChange }: { readonly choice: Choice; readonly onChange: (choice: Choice) => void }): ReactNode {
  return (
    <>
      <fieldset className="choices">
        <legend className="hidden">Who may read it</legend>
        {choices.map(([audience, icon, label]) => (
          <label key={audience}>
            <input type="radio" name="audience" checked={choice.audience === audience} onChange={() => onChange({ ...choice, audience })} />
            <span><Icon name={icon} />{label}</span>
          </label>
        ))}
      </fieldset>
      <p className="hint" aria-live="polite">{useMeaning(choice)}</p>
      {choice.audience === "people" && <Chooser chosen={choice.people} onChange={(people) => onChange({ ...choice, people })} />}
    </>
  );
}

function useMeaning({ audience, people }: Choice): string {
  const { followers, find } = usePeople();
  const said: Readonly<Record<Audience, string>> = {
    everyone: "Anyone can read it, also without an account.",
    followers: followers.length === 0 ? "Nobody follows you yet. Whoever does later can read it."
      : `${list(followers.map(({ name }) => name))} can read it, and whoever follows you later.`,
    people: people.length === 0 ? "Choose who can read it." : `Only you and ${list(people.map((did) => find(did).name))} can read it.`,
  };
  return said[audience];
}

function Chooser({ chosen, onChange }: { readonly chosen: readonly string[]; readonly onChange: (chosen: readonly string[]) => void }): ReactNode {
  const { me, all } = usePeople();
  const [words, setWords] = useState("");
  const wanted = words.trim().toLowerCase();
  const shown = all.filter(({ did, name, handle }) => did !== me && `${name} @${handle}`.toLowerCase().includes(wanted));
  const toggle = (did: string): void => onChange(chosen.includes(did) ? chosen.filter((other) => other !== did) : [...chosen, did]);
  return (
    <div className="chooser">
      <input type="search" placeholder="Find people" aria-label="Find people" value={words} onChange={({ target }) => setWords(target.value)} />
      <ul>
        {shown.slice(0, 50).map((person) => (
          <li key={person.did}>
            <label>
              <Avatar person={person} size="small" />
              <span className="who">{person.name}<span className="handle">@{person.handle}</span></span>
              <input type="checkbox" checked={chosen.includes(person.did)} onChange={() => toggle(person.did)} />
            </label>
          </li>
        ))}
      </ul>
      {shown.length === 0 && <p className="hint">Nobody here is called that.</p>}
    </div>
  );
}
