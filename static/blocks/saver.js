// Keeps what is typed: on this device at once, on the server a moment later, with the number of the state it came
// from. A closed tab, a lost connection and a second person are all met here.
import { Refusal } from "./server.js";

const REST_MS = 700;
const AGAIN_MS = [2000, 4000, 8000, 15000, 30000];
const MOST_KEEPALIVE = 60_000; // browsers refuse larger bodies of requests that outlive their page

// Whoever signs in in the other tab goes on in this one: the next try goes through.
const SIGNED_OUT = {
  kind: "refused",
  words: "You are signed out – kept on this device.",
  link: { href: "/admin/login/?next=/", label: "Sign in again" },
};

export class Saver {
  // `write(state, revision, {keepalive})` → {revision}; `told({kind, at, words, link})` shows what became of it;
  // `conflict()` is asked when somebody else was quicker; `noun` is what people call the thing.
  constructor({ key, noun, revision, write, told, conflict }) {
    Object.assign(this, { key, noun, revision, write, told, conflict });
    this.waits = 0;
    this.state = null; // what is not on the server yet
    this.isHeld = false;
    addEventListener("online", () => this.flush());
    addEventListener("pagehide", () => this.#leave());
    document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && this.flush());
  }

  // What a tab that was closed, or a device without a connection, left behind.
  left() {
    try {
      return JSON.parse(localStorage.getItem(this.key) ?? "null");
    } catch {
      return null;
    }
  }

  keep(state) {
    this.state = state;
    this.#copy();
    if (this.isHeld) return;
    if (!this.running) this.told({ kind: "typing", words: "Saving …" });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), REST_MS);
  }

  async flush() {
    clearTimeout(this.timer);
    if (!this.state || this.running || this.isHeld) return this.running;
    this.running = this.#send(this.state);
    await this.running;
    this.running = null;
    if (this.state && !this.waits && !this.isHeld) return this.flush();
    return undefined;
  }

  // Go on from the server's state `revision`: with mine (it is written over it) or without.
  settle(revision, mine) {
    this.revision = revision;
    this.isHeld = false;
    this.waits = 0;
    this.state = mine;
    if (mine) return this.keep(mine);
    localStorage.removeItem(this.key);
    this.told({ kind: "saved", at: new Date() });
    return undefined;
  }

  hold() {
    this.isHeld = true;
    clearTimeout(this.timer);
  }

  async #send(state) {
    try {
      const { revision } = await this.write(state, this.revision, {});
      this.revision = revision;
      this.waits = 0;
      if (this.state === state) {
        this.state = null;
        localStorage.removeItem(this.key);
        this.told({ kind: "saved", at: new Date() });
      } else this.#copy(); // what was typed meanwhile goes out next; until then it is not saved
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error) {
    if (error instanceof Refusal && error.status === 409) {
      this.hold();
      this.told({ kind: "conflict", words: `Somebody else changed this ${this.noun}` });
      this.conflict(error);
      return;
    }
    if (error instanceof Refusal && error.status < 500 && ![401, 429].includes(error.status)) {
      this.state = null; // sending the same once more would be refused once more; the next change is sent
      this.told({ kind: "refused", words: `Not saved: ${error.message}` });
      return;
    }
    const wait = AGAIN_MS[Math.min(this.waits, AGAIN_MS.length - 1)];
    this.waits += 1;
    if (error instanceof Refusal && error.status === 401) this.told(SIGNED_OUT);
    else this.told({ kind: "offline", words: "No connection – kept on this device, trying again" });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.flush(), wait);
  }

  #copy() {
    try {
      localStorage.setItem(
        this.key,
        JSON.stringify({ state: this.state, revision: this.revision, at: new Date().toISOString() }),
      );
    } catch {
      // A full or forbidden store: the server still has what was saved last.
    }
  }

  #leave() {
    if (!this.state || this.isHeld || JSON.stringify(this.state).length > MOST_KEEPALIVE) return;
    this.write(this.state, this.revision, { keepalive: true }).then(
      () => localStorage.removeItem(this.key),
      () => {},
    );
  }
}
