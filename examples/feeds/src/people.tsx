import type { Document } from "@vibe/client";
import { useAuth, useQuery, useVibe } from "@vibe/react";
import { createContext, use, useEffect, useMemo } from "react";
import type { ReactNode } from "react";
import { saveProfile } from "./actions.js";
import type { Follow, Profile } from "./model.js";

/** A person of Feeds. */
export interface Person extends Profile {
  readonly did: string;
}

/** Who is who. */
export interface People {
  /** The DID of who is signed in; undefined for nobody. */
  readonly me: string | undefined;
  /** Everybody, by name. */
  readonly all: readonly Person[];
  /** Somebody; one without a profile is called `Somebody`. */
  readonly find: (did: string) => Person;
  /** Whom I follow, by DID: the document that says so. */
  readonly following: ReadonlyMap<string, Document<Follow>>;
  /** Who follows me. */
  readonly followers: readonly Person[];
}

const Context = createContext<People | undefined>(undefined);

/** Who is who. */
export function usePeople(): People {
  const people = use(Context);
  if (!people) throw new Error("usePeople: there is no PeopleProvider around this component");
  return people;
}

/** Follows the profiles, and who follows whom around the person that is signed in, whose profile it makes. */
export function PeopleProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const vibe = useVibe();
  const { status, user } = useAuth();
  const me = status === "signedIn" ? user?.did : undefined;
  const profiles = useQuery("profiles", { global: true, where: (profile) => profile.key.eq("me"), limit: 1_000 });
  const mine = useQuery("follows", me === undefined ? undefined : { scope: "own", limit: 1_000 });
  const ofMe = useQuery("follows", me === undefined ? undefined : { scope: "shared", where: (follow) => follow("who").eq(me), limit: 1_000 });

  const isNew = profiles.status === "live" && me !== undefined && !profiles.data.some(({ owner }) => owner === me);
  useEffect(() => {
    if (isNew && user) saveProfile(vibe, { handle: user.handle, name: user.name });
  }, [isNew, vibe, user]);

  const people = useMemo((): People => {
    const all = profiles.data.map(({ owner, data }) => ({ ...data, did: owner })).sort((a, b) => a.name.localeCompare(b.name));
    const byDid = new Map(all.map((person) => [person.did, person]));
    // Until the profile of who is new is written.
    if (me !== undefined && user && !byDid.has(me)) byDid.set(me, { did: me, name: user.name, handle: user.handle });
    const find = (did: string): Person => byDid.get(did) ?? { did, name: "Somebody", handle: "" };
    return {
      me, all, find,
      following: new Map(mine.data.map((document) => [document.data.who, document])),
      followers: ofMe.data.map(({ owner }) => find(owner)),
    };
  }, [me, user, profiles.data, mine.data, ofMe.data]);
  return <Context value={people}>{children}</Context>;
}
