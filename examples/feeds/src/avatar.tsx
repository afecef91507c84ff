import type { CSSProperties, ReactNode } from "react";
import { linkTo } from "./route.js";
import type { Person } from "./people.js";

/** A person's initials in a colour of their own. */
export function Avatar({ person, size = "medium" }: { readonly person: Person; readonly size?: "small" | "medium" | "large" }): ReactNode {
  return <span className="avatar" data-size={size} style={colorOf(person.did)} aria-hidden="true">{initialsOf(person.name)}</span>;
}

/** A person's name, which leads to them. */
export function NameLink({ person }: { readonly person: Person }): ReactNode {
  return <a className="name" href={linkTo("person", person.did)}>{person.name}</a>;
}

function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/);
  const ends = words.length > 1 ? [words[0]!, words.at(-1)!] : words;
  return ends.map((word) => [...word][0]?.toUpperCase() ?? "").join("");
}

/** A person's colour, as the style sheets know it. */
export function colorOf(did: string): CSSProperties {
  let hash = 0;
  for (const letter of did) hash = (hash * 31 + letter.charCodeAt(0)) % 3600;
  return { "--hue": hash / 10 } as CSSProperties;
}
