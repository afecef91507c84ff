import { VibeError, createClient } from "@vibe/client";
import type { Document, Live } from "@vibe/client";
import "./style.css";

interface Note {
  title: string;
  done: boolean;
}

const vibe = createClient<{ notes: Note }>({
  url: import.meta.env.VITE_VIBE_URL,
  app: import.meta.env.VITE_VIBE_APP,
  auth: { scope: "documents:notes:write" },
});
const find = <T extends HTMLElement>(selector: string, within: ParentNode = document) => within.querySelector<T>(selector)!;
const mine = find("#mine");
const title = find<HTMLInputElement>("form input");

find("#unregistered").hidden = Boolean(import.meta.env.VITE_VIBE_APP);
vibe.read("notes", { scope: "public", limit: 50 }, (notes) => showList(find("#public"), notes, publicNote, "Nobody has made a note public yet."));
vibe.onConnection(({ status, pendingWrites }) => {
  const waiting = pendingWrites === 1 ? "1 change is" : `${pendingWrites} changes are`;
  find("#connection").textContent = status !== "offline" ? ""
    : pendingWrites > 0 ? `Offline. ${waiting} kept here, and sent later.` : "Offline. You can go on: what you write is sent later.";
});

let stop: (() => void) | undefined;
showSession();
vibe.onSession(showSession);
function showSession() {
  const { status } = vibe.session;
  if (status === "signedIn") {
    stop ??= vibe.read("notes", {}, (notes) => showList(mine, notes, myNote, "Nothing here yet. Write something, and open this page in a second tab."));
  } else {
    stop?.();
    stop = undefined;
  }
  mine.hidden = find("#sign-out").hidden = status !== "signedIn";
  find("#welcome").hidden = status !== "signedOut" && status !== "expired";
}

find("#sign-out").onclick = () => vibe.signOut();
find("#sign-in").onclick = () => attempt(find("#welcome"), async () => {
  await vibe.signIn().catch((error: VibeError) => {
    // Closing a dialog is an answer, not a failure.
    if (error.reason !== "SIGN_IN_CANCELLED" && error.reason !== "ACCESS_DENIED") throw error;
  });
});
find("form").onsubmit = (event) => {
  event.preventDefault();
  const text = title.value.trim();
  if (text) void attempt(mine, () => vibe.write("notes", { title: text, done: false }));
  title.value = "";
};

async function attempt(section: HTMLElement, action: () => Promise<unknown>) {
  const alert = find("[role=alert]", section);
  alert.textContent = "";
  await action().catch(() => (alert.textContent = "That did not work. Nothing was changed."));
}

// Items are kept while their notes are: the keyboard stays where it is.
function showList(section: HTMLElement, { data, status }: Live<Note>, fill: (item: HTMLElement, note: Document<Note>) => void, empty: string) {
  const list = find("ul", section);
  const items = new Map([...list.children].map((item) => [item.id, item as HTMLElement]));
  data.forEach((note, index) => {
    const item = items.get(note.id) ?? newItem(section);
    items.delete(item.id);
    item.id = note.id;
    fill(item, note);
    if (list.children[index] !== item) list.insertBefore(item, list.children[index] ?? null);
  });
  items.forEach((gone) => gone.remove());
  find(".muted", section).textContent = status === "error" || status === "denied" ? "These notes cannot be shown right now."
    : data.length > 0 ? "" : status === "live" ? empty : "Loading…";
}

const newItem = (section: HTMLElement) =>
  section === mine ? find<HTMLTemplateElement>("#my-note").content.firstElementChild!.cloneNode(true) as HTMLElement : document.createElement("li");

function myNote(item: HTMLElement, { id, data, acl, pending }: Document<Note>) {
  const isPublic = acl?.read?.allow?.includes("*") ?? false;
  const done = find<HTMLInputElement>("input", item);
  done.checked = data.done;
  done.onchange = () => attempt(mine, () => vibe.write("notes", { done: done.checked }, { id }));
  const waiting = document.createElement("small");
  waiting.textContent = "not sent yet";
  find("span", item).replaceChildren(data.title, ...(pending ? [waiting] : []));
  const share = find(".chip", item);
  share.ariaPressed = `${isPublic}`;
  share.ariaLabel = `Public: ${data.title}`;
  share.onclick = () => attempt(mine, () => vibe.write("notes", {}, { id, acl: { read: { allow: isPublic ? [] : ["*"] } } }));
  const remove = find(".icon", item);
  remove.ariaLabel = `Delete: ${data.title}`;
  remove.onclick = () => {
    void attempt(mine, () => vibe.remove("notes", id));
    find("h2", mine).focus();
  };
}

function publicNote(item: HTMLElement, { data }: Document<Note>) {
  item.dataset["done"] = `${data.done}`;
  item.textContent = data.title;
}
