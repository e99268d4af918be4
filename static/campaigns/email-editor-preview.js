// The mail as one contact gets it, drawn anew while people type: desktop, phone, text, its size, and what to mend.
import { el, freshId, icon, iconButton } from "../blocks/dom.js";
import { askContact, askEvent } from "./email-editor-people.js";

export const CLIPS_AT = 102 * 1024;
const VIEWS = [
  ["desktop", "desktop_windows", "Desktop"],
  ["phone", "smartphone", "Phone"],
  ["text", "notes", "Text"],
];
const WIDTHS = { desktop: 680, phone: 375 };
const RETRY_MS = 3000;

export class Preview {
  // `render(contact id)` asks the server for the state of now; `answered(answer)` is told of each answer that counts.
  constructor(host, editor, { render, answered }) {
    Object.assign(this, { host, editor, render, answered });
    this.view = innerWidth < WIDTHS.desktop ? "phone" : "desktop";
    this.contact = editor.page.contact;
    this.event = editor.page.event;
    this.timings = []; // milliseconds from the change to the new picture
    this.#lay();
  }

  // Ask at once when nobody is being asked, else as soon as that answer is here.
  ask(changedAt = performance.now()) {
    this.wanted ??= changedAt;
    if (!this.isAsking) this.#fetch();
  }

  async #fetch() {
    const since = this.wanted;
    this.wanted = null;
    this.isAsking = true;
    clearTimeout(this.timer);
    try {
      const answer = await this.render(this.contact?.id ?? null);
      this.#show(answer, since);
      this.answered(answer);
      this.note.hidden = true;
    } catch (error) {
      this.note.textContent = error.status ? error.message : "The preview waits for the connection.";
      this.note.hidden = false;
      if (!error.status) this.timer = setTimeout(() => this.ask(), RETRY_MS);
    }
    this.isAsking = false;
    if (this.wanted !== null) this.#fetch();
  }

  // --- what is shown ------------------------------------------------------------------------------------

  #show({ html, text, size, subject, preheader }, since) {
    this.text.textContent = text;
    this.subject.textContent = subject || "No subject";
    this.preheader.textContent = preheader ?? "";
    this.what.hidden = !/\bevent\./.test(JSON.stringify(this.editor.state));
    this.#weigh(size ?? new Blob([html]).size);
    this.#draw(this.editor.locally(html));
    requestAnimationFrame(() => {
      const took = performance.now() - since;
      this.timings.push(took);
      if (this.timings.length > 200) this.timings.shift();
      this.host.dataset.took = took.toFixed(1);
      this.host.dataset.drawn = String(Number(this.host.dataset.drawn ?? 0) + 1);
    });
  }

  // The first picture is a document of its own; the following ones are put into it, so that it neither flickers nor
  // jumps to its top. No script runs in there: the frame's sandbox allows none, nor does the page's policy.
  #draw(html) {
    this.html = html;
    const inside = this.frame.contentDocument;
    if (!this.isReady || !inside?.body) {
      if (!this.hasPaper) this.frame.srcdoc = html; // what comes before it is loaded waits for its end
      this.hasPaper = true;
      return;
    }
    const fresh = new DOMParser().parseFromString(html, "text/html");
    const styles = fresh.head.innerHTML;
    if (styles !== this.styles) {
      inside.head.replaceChildren(...[...fresh.head.childNodes].map((node) => inside.importNode(node, true)));
      this.styles = styles;
    }
    const before = inside.body;
    inside.documentElement.replaceChild(inside.importNode(fresh.body, true), before);
    this.#fit();
  }

  #loaded() {
    if (!this.hasPaper) return; // the empty page that every frame begins with
    this.isReady = Boolean(this.frame.contentDocument?.body);
    this.styles = this.frame.contentDocument?.head?.innerHTML;
    this.watch?.disconnect();
    this.watch = new ResizeObserver(() => this.#fit());
    this.watch.observe(this.host);
    if (this.isReady) this.watch.observe(this.frame.contentDocument.documentElement);
    this.#fit();
    if (this.html && this.html !== this.frame.srcdoc) this.#draw(this.html);
  }

  // As wide as a mail program would have it, made smaller where the page has less room.
  #fit() {
    const room = this.paper.clientWidth;
    if (!room || this.view === "text") return;
    const width = this.view === "phone" ? WIDTHS.phone : Math.max(room, WIDTHS.desktop);
    const scale = Math.min(1, room / width);
    const inside = this.frame.contentDocument;
    if (this.frame.style.width !== `${width}px`) this.frame.style.width = `${width}px`;
    const height = Math.max(inside?.body ? Math.ceil(inside.body.getBoundingClientRect().height) + 8 : 0, 240);
    this.frame.style.height = `${height}px`;
    this.stage.style.width = `${width * scale}px`;
    this.stage.style.height = `${height * scale}px`;
    this.frame.style.transform = scale < 1 ? `scale(${scale})` : "";
    this.scale = scale;
    this.mark(this.marked);
  }

  // Put a frame around the block that is being edited.
  mark(id, { isBrought = false } = {}) {
    this.marked = id;
    const box = id ? this.#boxes().get(id) : undefined;
    this.outline.hidden = !box || !box.height;
    if (this.outline.hidden) return;
    const px = (value) => `${value * this.scale}px`;
    Object.assign(this.outline.style, {
      top: px(box.top), height: px(box.height), left: px(box.left), width: px(box.width),
    }); // prettier-ignore
    if (isBrought) this.#bring(box.top * this.scale, box.bottom * this.scale);
  }

  #bring(top, bottom) {
    const pane = this.scroll;
    const offset = this.stage.getBoundingClientRect().top - pane.getBoundingClientRect().top + pane.scrollTop;
    if (top + offset < pane.scrollTop || bottom + offset > pane.scrollTop + pane.clientHeight) {
      pane.scrollTo({ top: Math.max(0, top + offset - 60) });
    }
  }

  // Where each block stands in the picture: the server writes a comment where one begins and where it ends.
  #boxes() {
    const inside = this.frame.contentDocument;
    const found = new Map();
    if (!inside?.body) return found;
    const comments = inside.createTreeWalker(inside.body, NodeFilter.SHOW_COMMENT);
    const open = new Map();
    for (let node = comments.nextNode(); node; node = comments.nextNode()) {
      const [, isEnd, id] = /^(\/?)block:([\w-]+)$/.exec(node.data) ?? [];
      if (!id) continue;
      if (!isEnd) {
        if (!open.has(id)) open.set(id, node);
      } else if (open.has(id)) {
        const range = inside.createRange();
        range.setStartAfter(open.get(id));
        range.setEndBefore(node);
        const box = range.getBoundingClientRect();
        if (box.height) found.set(id, box);
      }
    }
    return found;
  }

  // A click into the picture opens the block; the picture itself takes no clicks, so no link is followed.
  #clicked(event) {
    const frame = this.frame.getBoundingClientRect();
    const x = (event.clientX - frame.left) / this.scale;
    const y = (event.clientY - frame.top) / this.scale;
    const hit = [...this.#boxes()].filter(
      ([, box]) => y >= box.top && y <= box.bottom && x >= box.left && x <= box.right,
    );
    hit.sort(([, one], [, other]) => one.height * one.width - other.height * other.width);
    if (hit.length) this.editor.choose(hit[0][0], { isShown: true });
  }

  #weigh(size) {
    const share = Math.min(1, size / CLIPS_AT);
    const isOver = size > CLIPS_AT;
    this.meter.style.setProperty("--share", share);
    this.meter.dataset.level = isOver ? "over" : share > 0.8 ? "near" : "fine";
    this.weight.textContent = `${(size / 1024).toFixed(size < 10240 ? 1 : 0)} KB of 102 KB${isOver ? " – Gmail will cut it off" : ""}`;
  }

  // --- frame --------------------------------------------------------------------------------------------

  #lay() {
    this.tabs = VIEWS.map(([name, glyph, label]) =>
      el(
        "button",
        {
          type: "button",
          "data-view": name,
          "aria-pressed": String(name === this.view),
          onclick: () => this.turn(name),
        },
        icon(glyph),
        el("span", {}, label),
      ),
    );
    this.who = el(
      "button",
      { type: "button", class: "mle-who", onclick: () => this.#choosePerson() },
      icon("person"),
      (this.whoWords = el("span", {})),
      icon("expand_more"),
    );
    this.what = el(
      "button",
      { type: "button", class: "mle-who mle-who--event", hidden: true, onclick: () => this.#chooseEvent() },
      icon("bolt"),
      el("span", {}, "Sample event"),
    );
    this.note = el("p", { class: "mle-alert", role: "status", hidden: true });
    this.subject = el("strong", {});
    this.preheader = el("span", {});
    // No allow-scripts, no forms, no navigation; the origin only lets this page put the next picture in.
    this.frame = el("iframe", { class: "mle-frame", title: "The mail", sandbox: "allow-same-origin", tabindex: "-1" });
    this.frame.addEventListener("load", () => this.#loaded());
    this.outline = el("div", { class: "mle-outline", hidden: true });
    this.glass = el("div", { class: "mle-glass" });
    this.glass.addEventListener("click", (event) => this.#clicked(event));
    this.stage = el("div", { class: "mle-picture" }, this.frame, this.outline, this.glass);
    this.text = el("pre", { class: "mle-plain", hidden: true, tabindex: "0", "aria-label": "The mail as plain text" });
    this.paper = el("div", { class: "mle-paper" }, this.stage, this.text);
    this.weight = el("span", {});
    this.meter = el("span", { class: "mle-meter", "aria-hidden": "true" }, el("i", {}));
    this.scroll = el(
      "div",
      { class: "mle-scroll", tabindex: "0", role: "region", "aria-label": "Preview" },
      el("div", { class: "mle-inbox" }, this.subject, this.preheader),
      this.note,
      this.paper,
    );
    this.host.append(
      el(
        "div",
        { class: "mle-show__bar" },
        el("div", { class: "mle-views", role: "group", "aria-label": "How the mail is shown" }, this.tabs),
        this.what,
        this.who,
      ),
      this.scroll,
      (this.foot = el(
        "div",
        { class: "mle-show__foot" },
        el("div", { class: "mle-size", title: "Gmail cuts mail off at 102 KB" }, this.meter, this.weight),
      )),
    );
    this.host.dataset.view = this.view;
    this.named();
  }

  turn(view) {
    this.view = view;
    for (const tab of this.tabs) tab.setAttribute("aria-pressed", String(tab.dataset.view === view));
    this.text.hidden = view !== "text";
    this.stage.hidden = view === "text";
    this.host.dataset.view = view;
    this.#fit();
  }

  named() {
    this.whoWords.textContent = this.contact
      ? this.contact.name || this.contact.email || `Contact ${this.contact.id}`
      : "Choose a contact";
    this.who.setAttribute("aria-label", `Shown as ${this.whoWords.textContent}. Choose another contact`);
  }

  async #chooseEvent() {
    const event = await askEvent(this.event);
    if (!event) return;
    this.event = event;
    this.ask();
  }

  async #choosePerson() {
    const found = await askContact(this.editor, "Show the mail as");
    if (!found) return;
    this.contact = found;
    this.named();
    this.ask();
  }
}

// The list of what the server found: each leads to its block.
export function checks(editor, host) {
  const id = freshId("mle-checks");
  const toggle = el("button", {
    type: "button",
    class: "mle-checks__toggle",
    "aria-expanded": "false",
    "aria-controls": id,
  });
  const list = el("ul", { id, hidden: true, class: "mle-checks__list" });
  toggle.addEventListener("click", () => {
    list.hidden = !list.hidden;
    toggle.setAttribute("aria-expanded", String(!list.hidden));
  });
  host.append(list);
  host.querySelector(".mle-size").after(toggle);
  return (found) => {
    const worst = ["error", "warning", "hint"].find((level) => found.some((one) => one.level === level)) ?? "fine";
    toggle.dataset.level = worst;
    const words =
      found.length === 1
        ? "One thing to look at"
        : found.length
          ? `${found.length} things to look at`
          : "All checks passed";
    toggle.replaceChildren(
      icon(SIGNS[worst] ?? "check_circle"),
      el("span", {}, words),
      ...(found.length ? [icon("expand_less")] : []),
    );
    toggle.disabled = !found.length;
    if (!found.length) list.hidden = true;
    list.replaceChildren(...found.map((one) => finding(one, () => editor.goTo(one))));
  };
}

const SIGNS = { error: "error", warning: "warning", hint: "info" };

// What was found, what would be right, and where; a click leads there.
export function finding(one, onclick) {
  const more = [one.where, one.fix].filter(Boolean).join(" – ");
  return el(
    "li",
    { "data-level": one.level },
    el(
      "button",
      { type: "button", onclick },
      icon(SIGNS[one.level] ?? "info"),
      el("span", {}, one.sentence, more ? el("small", {}, more) : null),
      icon("chevron_right"),
    ),
  );
}
