import { useVibe } from "@vibe/react";
import { useState } from "react";
import type { FormEvent, ReactNode } from "react";
import { saveProfile } from "./actions.js";
import { Avatar, NameLink } from "./avatar.js";
import { Icon } from "./icons.js";
import { usePeople } from "./people.js";
import type { Person } from "./people.js";
import { FollowButton } from "./post-card.js";
import { Sheet } from "./sheet.js";
import { Posts } from "./timeline.js";

/** A person: who they are, and what they say. */
export function PersonSheet({ did }: { readonly did: string }): ReactNode {
  const { me, find } = usePeople();
  const person = find(did);
  const [isEditing, setEditing] = useState(false);
  const isMe = did === me;
  return (
    <Sheet title={isMe ? "You" : person.name}>
      <section className="person">
        <Avatar person={person} size="large" />
        {isMe && isEditing ? <Edit person={person} done={() => setEditing(false)} /> : (
          <>
            <p className="name">{person.name}</p>
            {person.handle && <p className="handle">@{person.handle}</p>}
            {person.bio && <p className="bio">{person.bio}</p>}
            {isMe ? <button type="button" className="quiet" onClick={() => setEditing(true)}><Icon name="pen" />Edit your profile</button> : <Following person={person} />}
          </>
        )}
      </section>
      {isMe && <Circle />}
      <h3>Posts</h3>
      <Posts authors={[did]} empty={isMe ? "You have not said anything yet." : "Nothing to read here for you yet."} />
    </Sheet>
  );
}

function Following({ person: { did, name } }: { readonly person: Person }): ReactNode {
  const vibe = useVibe();
  const follow = usePeople().following.get(did);
  return follow
    ? <button type="button" className="quiet" aria-label={`Unfollow ${name}`} onClick={() => void vibe.remove("follows", follow.id)}>Following</button>
    : <FollowButton who={did} name={name} />;
}

function Circle(): ReactNode {
  const { following, followers, find } = usePeople();
  const groups = [["Followers", followers], ["Following", [...following.keys()].map(find)]] as const;
  return (
    <div className="circle">
      {groups.map(([title, people]) => (
        <details key={title}>
          <summary><b>{people.length}</b> {title}</summary>
          <ul>{people.map((person) => <li key={person.did}><Avatar person={person} size="small" /><NameLink person={person} /></li>)}</ul>
        </details>
      ))}
    </div>
  );
}

function Edit({ person: { handle, name, bio }, done }: { readonly person: Person; readonly done: () => void }): ReactNode {
  const vibe = useVibe();
  const save = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [newName, newBio] = ["name", "bio"].map((field) => String(form.get(field)).trim());
    saveProfile(vibe, { handle, name: newName || name, ...(newBio ? { bio: newBio } : {}) });
    done();
  };
  return (
    <form className="edit" onSubmit={save}>
      <label>Name<input name="name" required maxLength={60} defaultValue={name} autoComplete="name" autoFocus /></label>
      <label>About you<input name="bio" maxLength={160} defaultValue={bio} /></label>
      <p><button type="button" className="quiet" onClick={done}>Cancel</button> <button type="submit" className="primary">Save</button></p>
    </form>
  );
}
