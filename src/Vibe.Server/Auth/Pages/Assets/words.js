// The words of the hosted pages. A language is one object with the same keys as `en`; what is missing falls back to it.
const words = {
  en: {
    "language": "English",
    "footer.language": "Language",
    "footer.account": "Your account",
    "loading": "Loading",
    "skip": "Skip to the content",
    "back": "Back", "cancel": "Cancel", "continue": "Continue", "done": "Done", "remove": "Remove",

    "signin.title": "Sign in",
    "signin.for": "to continue to {app}",
    "signin.handle": "Handle or e-mail address",
    "signin.passkey": "Continue with a passkey",
    "signin.or": "or",
    "signin.new": "Create an account",
    "signin.password": "Password",
    "signin.password.use": "Use your password",
    "signin.submit": "Sign in",
    "signin.mail": "Send me a link by e-mail",
    "signin.mail.sent": "Look into your mail",
    "signin.mail.sent.text": "If an account has this address, a link is on its way to {address}. Open it in this browser within 10 minutes.",
    "signin.mail.open": "Sign in with your link",
    "signin.mail.open.text": "You asked for this link in this browser. It works once.",
    "signin.recover": "Use a recovery code",
    "signin.recover.code": "Recovery code",
    "signin.recover.text": "Each of your codes works once.",
    "signin.other": "Other ways to sign in",
    "signin.again": "Confirm that it is you",
    "signin.as": "Signed in as {handle}",
    "signin.switch": "Use another account",
    "signin.expired": "This sign-in took too long",
    "signin.expired.text": "Go back to the app and start again.",
    "signin.done": "You are signed in",
    "signin.done.text": "You can close this window.",

    "signup.title": "Create your account",
    "signup.handle": "Handle",
    "signup.handle.hint": "1 to 63 characters: a–z, 0–9 and -. People find you by it; you can change it later.",
    "signup.name": "Name",
    "signup.name.hint": "Optional. As people see you.",
    "signup.passkey": "Create with a passkey",
    "signup.passkey.hint": "Your device confirms it is you, with fingerprint, face or PIN. There is no password to lose.",
    "signup.password": "Use a password instead",
    "signup.password.field": "New password",
    "signup.password.hint": "At least 10 characters.",
    "signup.submit": "Create account",
    "signup.have": "I have an account",

    "consent.title": "{app} asks for access",
    "consent.title.none": "Continue to {app}",
    "consent.as": "You are signed in as {handle}.",
    "consent.verified": "Checked by the operator",
    "consent.unverified": "Unverified, since {date}",
    "consent.lead": "It would be able to:",
    "consent.required": "needed by the app",
    "consent.writes": "can change and delete",
    "consent.openid": "Know that you are {handle}",
    "consent.profile": "See your name and handle",
    "consent.offline_access": "Stay connected while you are away, until you revoke it",
    "consent.read": "Read your documents in “{collection}”",
    "consent.write": "Read, change and delete your documents in “{collection}”",
    "consent.everything": "all collections",
    "consent.already": "It already may: {list}.",
    "consent.time": "Allow it",
    "consent.time.always": "until I revoke it", "consent.time.day": "for a day", "consent.time.week": "for a week", "consent.time.month": "for 30 days",
    "consent.allow": "Allow", "consent.deny": "Cancel",
    "consent.policy": "Privacy policy", "consent.terms": "Terms",
    "consent.revoke": "You can take this back at any time in {link}.",
    "consent.revoke.link": "your account",

    "device.title": "Connect a device",
    "device.code": "Code shown on the device",
    "device.text": "Type the code only if you started this on a device in front of you.",
    "device.asks": "{app} on a device wants to use your account.",
    "device.from": "Asked for {time}, from {network}.",
    "device.done": "The device is connected", "device.refused": "Nothing was connected",
    "device.done.text": "You can close this window and go on there.",

    "account.title": "Your account",
    "account.signout": "Sign out",
    "account.profile": "Profile", "account.profile.save": "Save", "account.profile.saved": "Saved.",
    "account.id": "Identifier",
    "account.apps": "Apps with access", "account.apps.none": "No app has access to your data.",
    "account.apps.since": "Since {since}, last used {last}.", "account.apps.until": "Ends {until}.",
    "account.apps.revoke": "Revoke", "account.apps.revoke.title": "Revoke the access of {app}?",
    "account.apps.revoke.text": "It loses access within two seconds, on all devices. Your documents stay.",
    "account.sessions": "Where you are signed in", "account.sessions.this": "this browser", "account.sessions.unknown": "A browser",
    "account.sessions.used": "Last used {last}, from {network}.", "account.sessions.revoke": "Sign out",
    "account.passkeys": "Passkeys", "account.passkeys.none": "You have no passkey yet: add one, it is the safest way to sign in.",
    "account.passkeys.unnamed": "Passkey", "account.passkeys.add": "Add a passkey", "account.passkeys.made": "Added {made}, last used {last}.",
    "account.passkeys.remove.title": "Remove this passkey?", "account.passkeys.remove.text": "You can no longer sign in with it.",
    "account.security": "Other ways in",
    "account.password": "Password", "account.password.set": "Set a password", "account.password.change": "Change password", "account.password.is": "set", "account.password.not": "not set",
    "account.password.current": "Current password", "account.password.changed": "The password is changed.",
    "account.mail.add": "Add an address", "account.mail.field": "E-mail address",
    "account.mail.sent": "A link is on its way to {address}: open it in this browser.",
    "account.codes": "Recovery codes", "account.codes.left": "{count} left", "account.codes.make": "Make new codes",
    "account.codes.title": "Your recovery codes", "account.codes.text": "Keep them in a safe place: they are shown only now, and each works once. Earlier codes no longer work.",
    "account.certificates": "Certificates", "account.certificates.none": "You hold no certificates.", "account.certificates.from": "From {issuer}, until {until}.",
    "account.activity": "Activity", "account.activity.more": "Show more",
    "account.data": "Your data", "account.export": "Download everything", "account.export.text": "One file with your account, your documents and what apps may do.",
    "account.delete": "Delete account", "account.delete.text": "Deletes your documents and ends all access. This cannot be undone.",
    "account.delete.title": "Delete your account?", "account.delete.confirm": "Type your handle to confirm",
    "account.never": "never", "account.unknown": "an unknown place",

    "event.account.create": "Account created", "event.account.export": "Everything downloaded", "event.handle.change": "Handle changed",
    "event.session.create": "Signed in", "event.session.end": "Signed out", "event.session.revoke": "A session was ended",
    "event.passkey.add": "Passkey added", "event.passkey.remove": "Passkey removed", "event.password.change": "Password changed",
    "event.email.add": "E-mail address added", "event.email.remove": "E-mail address removed", "event.recovery.renew": "New recovery codes made",
    "event.grant.allow": "Access given to an app", "event.grant.revoke": "Access of an app revoked", "event.token.reuse": "An app's session was ended: a token was used twice",
    "event.certificate.issue": "Certificate issued", "event.certificate.revoke": "Certificate revoked",
    "event.app.create": "App registered", "event.app.update": "App changed", "event.app.delete": "App deleted",

    "error.offline": "The server cannot be reached. Check your connection and try again.",
    "error.unexpected": "Something went wrong. Try again.",
    "error.RATE_LIMITED": "Too many attempts. Try again in {seconds} seconds.",
    "error.SIGN_IN_FAILED": "That did not work. Check what you typed and try again.",
    "error.HANDLE_TAKEN": "This handle is taken.",
    "error.passkey.cancelled": "No passkey was used. Try again, or choose another way.",
    "error.passkey.known": "This device already has a passkey for your account.",
    "error.passkey.unsupported": "This browser cannot use passkeys here. Choose another way.",
    "error.required": "This is needed.",
  },
  de: {
    "language": "Deutsch",
    "footer.language": "Sprache",
    "footer.account": "Dein Konto",
    "loading": "Lädt",
    "skip": "Zum Inhalt",
    "back": "Zurück", "cancel": "Abbrechen", "continue": "Weiter", "done": "Fertig", "remove": "Entfernen",

    "signin.title": "Anmelden",
    "signin.for": "um {app} zu nutzen",
    "signin.handle": "Name oder E-Mail-Adresse",
    "signin.passkey": "Mit Passkey anmelden",
    "signin.or": "oder",
    "signin.new": "Konto anlegen",
    "signin.password": "Passwort",
    "signin.password.use": "Passwort verwenden",
    "signin.submit": "Anmelden",
    "signin.mail": "Link per E-Mail schicken",
    "signin.mail.sent": "Sieh in deine E-Mails",
    "signin.mail.sent.text": "Wenn ein Konto diese Adresse hat, ist ein Link unterwegs an {address}. Öffne ihn innerhalb von 10 Minuten in diesem Browser.",
    "signin.mail.open": "Mit deinem Link anmelden",
    "signin.mail.open.text": "Du hast diesen Link in diesem Browser angefordert. Er gilt einmal.",
    "signin.recover": "Wiederherstellungscode verwenden",
    "signin.recover.code": "Wiederherstellungscode",
    "signin.recover.text": "Jeder deiner Codes gilt einmal.",
    "signin.other": "Andere Wege",
    "signin.again": "Bestätige, dass du es bist",
    "signin.as": "Angemeldet als {handle}",
    "signin.switch": "Anderes Konto verwenden",
    "signin.expired": "Das hat zu lange gedauert",
    "signin.expired.text": "Geh zur App zurück und beginne von vorn.",
    "signin.done": "Du bist angemeldet",
    "signin.done.text": "Du kannst dieses Fenster schließen.",

    "signup.title": "Konto anlegen",
    "signup.handle": "Name im Netz",
    "signup.handle.hint": "1 bis 63 Zeichen: a–z, 0–9 und -. Daran erkennt man dich; du kannst ihn später ändern.",
    "signup.name": "Anzeigename",
    "signup.name.hint": "Freiwillig. So sehen dich andere.",
    "signup.passkey": "Mit Passkey anlegen",
    "signup.passkey.hint": "Dein Gerät bestätigt dich mit Fingerabdruck, Gesicht oder PIN. Kein Passwort, das verloren geht.",
    "signup.password": "Lieber ein Passwort",
    "signup.password.field": "Neues Passwort",
    "signup.password.hint": "Mindestens 10 Zeichen.",
    "signup.submit": "Konto anlegen",
    "signup.have": "Ich habe ein Konto",

    "consent.title": "{app} bittet um Zugriff",
    "consent.title.none": "Weiter zu {app}",
    "consent.as": "Du bist angemeldet als {handle}.",
    "consent.verified": "Vom Betreiber geprüft",
    "consent.unverified": "Ungeprüft, seit {date}",
    "consent.lead": "Die App könnte dann:",
    "consent.required": "von der App benötigt",
    "consent.writes": "kann ändern und löschen",
    "consent.openid": "Wissen, dass du {handle} bist",
    "consent.profile": "Deinen Namen sehen",
    "consent.offline_access": "Verbunden bleiben, auch wenn du nicht da bist, bis du es widerrufst",
    "consent.read": "Deine Dokumente in „{collection}“ lesen",
    "consent.write": "Deine Dokumente in „{collection}“ lesen, ändern und löschen",
    "consent.everything": "alle Sammlungen",
    "consent.already": "Sie darf schon: {list}.",
    "consent.time": "Erlauben",
    "consent.time.always": "bis ich es widerrufe", "consent.time.day": "für einen Tag", "consent.time.week": "für eine Woche", "consent.time.month": "für 30 Tage",
    "consent.allow": "Erlauben", "consent.deny": "Abbrechen",
    "consent.policy": "Datenschutz", "consent.terms": "Bedingungen",
    "consent.revoke": "Du kannst das jederzeit widerrufen: {link}.",
    "consent.revoke.link": "dein Konto",

    "device.title": "Gerät verbinden",
    "device.code": "Code auf dem Gerät",
    "device.text": "Gib den Code nur ein, wenn du das auf einem Gerät vor dir begonnen hast.",
    "device.asks": "{app} möchte auf einem Gerät dein Konto nutzen.",
    "device.from": "Angefragt {time}, von {network}.",
    "device.done": "Das Gerät ist verbunden", "device.refused": "Es wurde nichts verbunden",
    "device.done.text": "Du kannst dieses Fenster schließen und dort weitermachen.",

    "account.title": "Dein Konto",
    "account.signout": "Abmelden",
    "account.profile": "Profil", "account.profile.save": "Speichern", "account.profile.saved": "Gespeichert.",
    "account.id": "Kennung",
    "account.apps": "Apps mit Zugriff", "account.apps.none": "Keine App hat Zugriff auf deine Daten.",
    "account.apps.since": "Seit {since}, zuletzt genutzt {last}.", "account.apps.until": "Endet {until}.",
    "account.apps.revoke": "Widerrufen", "account.apps.revoke.title": "Zugriff von {app} widerrufen?",
    "account.apps.revoke.text": "Die App verliert innerhalb von zwei Sekunden den Zugriff, auf allen Geräten. Deine Dokumente bleiben.",
    "account.sessions": "Wo du angemeldet bist", "account.sessions.this": "dieser Browser", "account.sessions.unknown": "Ein Browser",
    "account.sessions.used": "Zuletzt genutzt {last}, von {network}.", "account.sessions.revoke": "Abmelden",
    "account.passkeys": "Passkeys", "account.passkeys.none": "Du hast noch keinen Passkey: Er ist der sicherste Weg, dich anzumelden.",
    "account.passkeys.unnamed": "Passkey", "account.passkeys.add": "Passkey hinzufügen", "account.passkeys.made": "Hinzugefügt {made}, zuletzt genutzt {last}.",
    "account.passkeys.remove.title": "Diesen Passkey entfernen?", "account.passkeys.remove.text": "Du kannst dich damit nicht mehr anmelden.",
    "account.security": "Andere Wege",
    "account.password": "Passwort", "account.password.set": "Passwort setzen", "account.password.change": "Passwort ändern", "account.password.is": "gesetzt", "account.password.not": "nicht gesetzt",
    "account.password.current": "Bisheriges Passwort", "account.password.changed": "Das Passwort ist geändert.",
    "account.mail.add": "Adresse hinzufügen", "account.mail.field": "E-Mail-Adresse",
    "account.mail.sent": "Ein Link ist unterwegs an {address}: Öffne ihn in diesem Browser.",
    "account.codes": "Wiederherstellungscodes", "account.codes.left": "{count} übrig", "account.codes.make": "Neue Codes machen",
    "account.codes.title": "Deine Wiederherstellungscodes", "account.codes.text": "Bewahre sie sicher auf: Sie werden nur jetzt gezeigt, und jeder gilt einmal. Frühere gelten nicht mehr.",
    "account.certificates": "Zertifikate", "account.certificates.none": "Du hast keine Zertifikate.", "account.certificates.from": "Von {issuer}, bis {until}.",
    "account.activity": "Aktivität", "account.activity.more": "Mehr zeigen",
    "account.data": "Deine Daten", "account.export": "Alles herunterladen", "account.export.text": "Eine Datei mit deinem Konto, deinen Dokumenten und dem, was Apps dürfen.",
    "account.delete": "Konto löschen", "account.delete.text": "Löscht deine Dokumente und beendet jeden Zugriff. Das lässt sich nicht rückgängig machen.",
    "account.delete.title": "Konto löschen?", "account.delete.confirm": "Gib zur Bestätigung deinen Namen ein",
    "account.never": "nie", "account.unknown": "unbekanntem Ort",

    "event.account.create": "Konto angelegt", "event.account.export": "Alles heruntergeladen", "event.handle.change": "Name geändert",
    "event.session.create": "Angemeldet", "event.session.end": "Abgemeldet", "event.session.revoke": "Eine Sitzung wurde beendet",
    "event.passkey.add": "Passkey hinzugefügt", "event.passkey.remove": "Passkey entfernt", "event.password.change": "Passwort geändert",
    "event.email.add": "E-Mail-Adresse hinzugefügt", "event.email.remove": "E-Mail-Adresse entfernt", "event.recovery.renew": "Neue Wiederherstellungscodes",
    "event.grant.allow": "Einer App Zugriff gegeben", "event.grant.revoke": "Einer App den Zugriff entzogen", "event.token.reuse": "Sitzung einer App beendet: ein Token wurde zweimal verwendet",
    "event.certificate.issue": "Zertifikat ausgestellt", "event.certificate.revoke": "Zertifikat widerrufen",
    "event.app.create": "App angemeldet", "event.app.update": "App geändert", "event.app.delete": "App gelöscht",

    "error.offline": "Der Server ist nicht erreichbar. Prüfe deine Verbindung und versuche es noch einmal.",
    "error.unexpected": "Etwas ging schief. Versuche es noch einmal.",
    "error.RATE_LIMITED": "Zu viele Versuche. Versuche es in {seconds} Sekunden noch einmal.",
    "error.SIGN_IN_FAILED": "Das hat nicht geklappt. Prüfe deine Eingabe und versuche es noch einmal.",
    "error.HANDLE_TAKEN": "Dieser Name ist vergeben.",
    "error.passkey.cancelled": "Es wurde kein Passkey verwendet. Versuche es noch einmal, oder nimm einen anderen Weg.",
    "error.passkey.known": "Dieses Gerät hat schon einen Passkey für dein Konto.",
    "error.passkey.unsupported": "Dieser Browser kann hier keine Passkeys verwenden. Nimm einen anderen Weg.",
    "error.required": "Das wird gebraucht.",
  },
};

const remembered = "vibe.language";
let current = "en";

/** The languages there are: tag and name. */
export const languages = Object.entries(words).map(([tag, own]) => [tag, own.language]);

/** Chooses the language: what the person chose here before, what the app asked for (`ui_locales`), what the browser says. */
export function chooseLanguage(asked = []) {
  const wanted = [localStorage.getItem(remembered), ...asked, ...navigator.languages].filter(Boolean);
  current = wanted.map((tag) => tag.toLowerCase().split("-")[0]).find((tag) => words[tag]) ?? "en";
  document.documentElement.lang = current;
}

/** Remembers the language a person chose. */
export function rememberLanguage(tag) {
  localStorage.setItem(remembered, tag);
  chooseLanguage();
}

/** The text for a key, with `{name}` filled in; the key itself when there is none. */
export function t(key, values = {}) {
  const text = words[current][key] ?? words.en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** The one of several texts by language that fits best. */
const textOf = (byLanguage = {}) =>
  byLanguage[current] ?? Object.entries(byLanguage).find(([tag]) => tag.toLowerCase().split("-")[0] === current)?.[1] ?? byLanguage.en ?? Object.values(byLanguage)[0] ?? "";

/** What a scope lets an app do: the words of the app's manifest, else our own. */
export function scopeText({ name, descriptions }, account) {
  const own = textOf(descriptions ?? {});
  if (own) return own;
  const [area, collection, action] = name.split(":");
  if (area === "documents") return t(`consent.${action}`, { collection: collection === "*" ? t("consent.everything") : collection });
  return t(`consent.${name}`, { handle: account?.handle ?? "" });
}
