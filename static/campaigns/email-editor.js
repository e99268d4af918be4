// <email-editor>: a mail as a list of blocks beside its picture. The state is the tree that the server keeps, with the
// subject and the line under it; every change is drawn by the server, saved, and can be undone.
import { el, icon } from "../blocks/dom.js";
import { BlockEditor } from "../blocks/editor.js";
import { get, insert, read, remove, set, told } from "../blocks/tree.js";
import { list } from "./email-editor-cards.js";
import { askBlock, button } from "./email-editor-dialogs.js";
import { envelope, look } from "./email-editor-envelope.js";
import { lay } from "./email-editor-frame.js";
import { Language, freshId, renamed } from "./email-editor-language.js";
import { draftOf, nameOf, stateOf, turned, wordsOf } from "./email-editor-locales.js";
import { pathOf, stepOf, walk } from "./email-editor-moves.js";
import { pickPicture } from "./email-editor-pictures.js";
import { Preview, checks } from "./email-editor-preview.js";
import { placeProblems } from "./email-editor-problems.js";
import { askSnippet, settleConflict } from "./email-editor-acts.js";
import { Saver } from "./email-editor-save.js";
import { ask, post } from "./email-editor-server.js";

const SETTLE_MS = 400;

class EmailEditor extends BlockEditor {
  connectedCallback() {
    if (this.stage) return;
    this.page = JSON.parse(this.querySelector("script[type='application/json']").textContent);
    this.language = new Language(this.page.language);
    this.variables = [];
    this.segments = this.page.segments;
    this.snippets = [];
    this.chosen = null;
    this.problems = {};
    this.fresh = new Set(); // blocks nobody has left yet: what they lack is no mistake
    const field = this.querySelector("textarea");
    lay(this, field);
    this.saver = new Saver({
      key: `mail-draft:${this.page.id}`,
      revision: this.page.draft.revision,
      write: (state, revision, more) => this.#write(state, revision, more),
      told: (what) => this.#told(what),
      conflict: () => settleConflict(this),
    });
    this.preview = new Preview(this.side, this, {
      render: (contactId) => this.render(this.state, contactId),
      answered: (answer) => this.#answered(answer),
    });
    this.showChecks = checks(this, this.preview.foot);
    this.begin(field, this.cards, stateOf(this.page.draft));
    field.addEventListener("input", (event) => event.isTrusted && this.#typedJson());
    this.#drawAround();
    this.preview.ask();
    this.#told({ kind: "saved", at: new Date(this.page.draft.updated_at) });
    this.#bringBack();
    this.#learn();
  }

  // What may be put in: fetched beside the first picture, so that it does not wait for them.
  async #learn() {
    const { variables, snippets } = this.page.addresses;
    const [known, kept] = await Promise.allSettled([ask(variables), ask(`${snippets}?limit=200`)]);
    this.variables = known.value?.results ?? [];
    this.snippets = (kept.value?.results ?? []).filter((one) => one.published_version);
    if (this.state.blocks.some((block) => block.type === "snippet")) this.redraw();
  }

  // --- what the kernel asks -----------------------------------------------------------------------------

  draw() {
    return [list(this, this.state.blocks, ["blocks"])];
  }

  nameOf(node) {
    if (!node?.type) return "the column";
    const words = this.language.summary(node).slice(0, 30);
    return `${this.language.label(node).toLowerCase()}${words ? ` “${words}”` : ""}`;
  }

  stepOf(path, direction) {
    return stepOf(this.language, this.state, path, direction);
  }

  mayPut(item, target) {
    const type = item.dataset.type;
    return target.dataset.list === "blocks" || (target.hasAttribute("data-list") && !this.language.isAtTopOnly(type));
  }

  moveTo(path, listPath, index) {
    const node = get(this.state, path);
    if (listPath.length > 1 && this.language.isAtTopOnly(node.type)) {
      this.say(`${this.language.label(node)} cannot stand in a column.`);
      return this.redraw(`${told(path)}#grip`);
    }
    return super.moveTo(path, listPath, index);
  }

  clone(path) {
    const node = renamed(get(this.state, path));
    this.add(path.slice(0, -1), path.at(-1) + 1, node);
    this.say(`Copied ${this.nameOf(node)}.`);
  }

  changed() {
    this.undoButton.disabled = !this.history.canUndo;
    this.redoButton.disabled = !this.history.canRedo;
    this.preview?.ask();
    if (this.isStarted) this.saver.keep(this.state);
  }

  change(state, options = {}) {
    this.isStarted = true;
    super.change(state, options);
    if (options.isDrawn !== false) this.preview.mark(this.chosen);
  }

  redraw(focus) {
    super.redraw(focus);
    placeProblems(this, this.problems);
  }

  undo() {
    this.isStarted = true;
    super.undo();
    this.#drawAround();
  }

  redo() {
    this.isStarted = true;
    super.redo();
    this.#drawAround();
  }

  // --- what the cards ask -------------------------------------------------------------------------------

  get settings() {
    const proposed = Object.fromEntries(this.language.settings.map((input) => [input.name, input.default]));
    return { ...proposed, ...this.state.settings };
  }

  valueAt(path) {
    return get(this.state, path);
  }

  edit(path, value, { isDrawn = false, focus = "", key = told(path) } = {}) {
    this.change(set(this.state, path, value), { key, isDrawn, focus });
    clearTimeout(this.wording);
    if (!isDrawn) this.wording = setTimeout(() => this.#reword(path), SETTLE_MS);
  }

  choose(id, { isShown = false } = {}) {
    if (id !== this.chosen) this.fresh.clear();
    this.chosen = id;
    const path = id && pathOf(this.language, this.state, id);
    this.redraw(path ? `${told(path)}#open` : "");
    this.preview.mark(id, { isBrought: !isShown });
    if (isShown && path) {
      this.turn("edit");
      this.querySelector(`[data-id="${CSS.escape(id)}"]`)?.scrollIntoView({ block: "nearest" });
      this.querySelector(`#properties-${CSS.escape(id)} [data-main]`)?.focus();
    }
  }

  async askToAdd(listPath, index) {
    const wanted = await askBlock(this, { isInner: listPath.length > 1 });
    if (!wanted) return;
    if (wanted.type) this.grow(wanted.type, listPath, index);
    else this.insertNode({ ...this.language.blank("snippet"), snippet: wanted.snippet }, listPath, index);
  }

  grow(type, listPath = null, index = null) {
    this.insertNode(this.language.blank(type), listPath, index);
  }

  // Without a place: behind the chosen block, else at the end.
  insertNode(node, listPath = null, index = null) {
    const after = listPath ? null : this.chosen && pathOf(this.language, this.state, this.chosen);
    const isInner = after && after.length > 2 && !this.language.isAtTopOnly(node.type);
    const place = listPath ?? (after ? (isInner ? after.slice(0, -1) : ["blocks"]) : ["blocks"]);
    const at = index ?? (after ? (isInner ? after.at(-1) : after[1]) + 1 : this.state.blocks.length);
    this.chosen = node.id;
    this.fresh.add(node.id);
    this.add(place, at, node, "#open");
    this.preview.mark(node.id);
    const card = this.querySelector(`[data-id="${CSS.escape(node.id)}"]`);
    card?.scrollIntoView({ block: "nearest" });
    card?.querySelector(".mle-properties [data-main]")?.focus();
  }

  arrange(path, widths, label) {
    const columns = get(this.state, [...path, "columns"]);
    const next = widths.map((width, at) => ({ width, blocks: columns[at]?.blocks ?? [] }));
    // What stood in a column that is gone goes into the last one: nothing is lost.
    next.at(-1).blocks = [...next.at(-1).blocks, ...columns.slice(widths.length).flatMap((column) => column.blocks)];
    this.change(set(this.state, [...path, "columns"], next), {
      say: label,
      focus: `${told(path)}#arrange-${widths.join("-")}`,
    });
  }

  pickPicture(input) {
    return pickPicture(this, input);
  }

  // Pictures of our own are fetched from where the page came from, also where the mail will name another address.
  locally(text) {
    return text.replaceAll(`${this.page.public_url}/pictures/`, "/pictures/");
  }

  standInOf(name) {
    return this.state.defaults?.[name.split(".").at(-1)];
  }

  standIn(name, value) {
    const key = name.split(".").at(-1);
    if ((value || undefined) === this.standInOf(name)) return;
    this.change(set(this.state, ["defaults", key], value || undefined), { isDrawn: false });
    this.#drawAround();
  }

  saveSnippet(node) {
    return askSnippet(this, node);
  }

  // The blocks of a snippet in its place: from now on they are this mail's own.
  takeApart(path) {
    const { snippet } = get(this.state, path);
    const blocks = renamed(this.snippets.find((one) => one.slug === snippet)?.blocks ?? []);
    const list = path.slice(0, -1);
    const state = blocks.reduce(
      (root, block, place) => insert(root, list, path.at(-1) + place, block),
      remove(this.state, path),
    );
    this.chosen = blocks[0]?.id ?? null;
    this.change(state, {
      say: "The snippet is taken apart; its blocks are this mail's own now.",
      focus: `${told(path)}#open`,
    });
  }

  // A check or a problem: to its field where it is told, else to its block.
  goTo({ block, path }) {
    this.fresh.clear();
    const at = path ? read(path) : null;
    const id = block || this.#blockOf(at);
    this.turn("edit");
    if (id) this.choose(id);
    else if (at?.[0] === "settings") this.looks.open = true;
    const spot = path && this.querySelector(`[data-at="${CSS.escape(path)}"]`);
    const card = id && this.querySelector(`[data-id="${CSS.escape(id)}"]`);
    (spot || card)?.scrollIntoView({ block: "center" });
    const box =
      spot?.querySelector("[data-main], input, select, textarea") ?? card?.querySelector(".mle-properties [data-main]");
    box?.focus();
  }

  #blockOf(path) {
    for (let length = path?.length ?? 0; length > 1; length -= 1) {
      const node = get(this.state, path.slice(0, length));
      if (node?.id && node.type) return node.id;
    }
    return null;
  }

  turnLanguage(code) {
    this.chosen = null;
    this.change(turned(this.state, code), { say: code ? nameOf(code) : "The words for everybody else" });
    this.#drawAround();
    this.focusOn(`language#${code}`);
  }

  // A whole mail in the place of what is there; undo brings the old one back.
  replace(state, say) {
    this.chosen = null;
    this.change(state, { say });
    this.#drawAround();
  }

  // --- after an act of the whole mail --------------------------------------------------------------------

  publishedAs(number) {
    this.toast(`Version ${number} is published: new mail uses it.`);
    this.say(`Version ${number} is published.`);
    const badge = this.querySelector(".mle-bar__state");
    const changes = el(
      "span",
      { class: "gs-badge gs-badge--warning mle-bar__changes", hidden: true },
      "Unpublished changes",
    );
    badge?.replaceChildren(el("span", { class: "gs-badge gs-badge--good" }, `Published v${number}`), changes);
  }

  adopt(state, revision) {
    this.saver.settle(revision, null);
    this.isStarted = false;
    this.replace(state, "The other state goes on.");
    this.saver.settle(revision, null);
  }

  keepMine(state, revision) {
    this.saver.settle(revision, state);
    if (state !== this.state) this.replace(state, "Your state goes on.");
  }

  // While two states wait for a choice, the status asks for it.
  askAgain(act) {
    this.status.replaceChildren(button("Choose which state goes on", act, { class: "mle-link" }));
  }

  // --- server -------------------------------------------------------------------------------------------

  async #write(state, revision, { keepalive } = {}) {
    const kept = await ask(this.page.addresses.draft, {
      method: "PUT",
      body: { ...draftOf(state), revision },
      keepalive,
    });
    this.#standing(kept);
    return kept;
  }

  // What the server says of the draft that it keeps now.
  #standing({ has_unpublished_changes: hasChanges, text_is_behind: isBehind }) {
    this.note.hidden = true;
    const mark = this.querySelector(".mle-bar__changes");
    if (mark) mark.hidden = !hasChanges;
    this.dataset.text = isBehind ? "behind" : "";
  }

  render(state, contactId = this.preview.contact?.id ?? null) {
    return post(this.page.addresses.render, {
      ...wordsOf(state),
      kind: this.page.kind,
      contact_id: contactId,
      event: this.preview.event,
      is_marked: true,
    });
  }

  #answered({ problems, checks: found }) {
    this.problems = problems ?? {};
    placeProblems(this, this.problems);
    const faults = Object.entries(this.problems).map(([path, sentence]) => ({
      level: "error",
      sentence,
      path,
      where: this.#whereOf(path),
    }));
    // A field that is told to be wrong need not be told a second time by what it does to the mail.
    const faulty = new Set(faults.map(({ path }) => this.#blockOf(read(path))));
    const others = found.filter((one) => !(one.level === "error" && one.block && faulty.has(one.block)));
    this.found = [
      ...faults,
      ...others.map((one) => ({ ...one, where: one.block ? this.#whereOf(null, one.block) : "" })),
    ];
    this.showChecks(this.found);
    this.preview.mark(this.chosen);
  }

  #whereOf(path, id = this.#blockOf(path && read(path))) {
    const place = id && pathOf(this.language, this.state, id);
    return place ? this.nameOf(get(this.state, place)) : "";
  }

  // --- frame --------------------------------------------------------------------------------------------

  #drawAround() {
    const inside = document.activeElement?.dataset?.key;
    this.head.replaceChildren(...envelope(this));
    look(this, this.looks);
    placeProblems(this, this.problems);
    if (inside && !document.activeElement?.dataset?.key) this.focusOn(inside);
  }

  // The words on a card follow what is typed into it, without drawing it anew under the caret.
  #reword(path) {
    for (let length = path.length; length > 1; length -= 1) {
      const at = path.slice(0, length);
      const node = get(this.state, at);
      const card = node?.type && this.querySelector(`[data-block="${CSS.escape(told(at))}"]`);
      if (card) card.querySelector(".mle-words span").textContent = this.language.summary(node);
    }
  }

  turn(view) {
    this.dataset.turn = view;
    for (const one of this.views) one.setAttribute("aria-pressed", String(one.dataset.turn === view));
  }

  async leaveTo(address) {
    await this.saver.flush();
    location.assign(address);
  }

  turnJson() {
    const isJson = this.json.hidden;
    this.json.hidden = !isJson;
    this.cards.hidden = this.head.hidden = this.looks.hidden = isJson;
    if (isJson) this.field.value = this.textOf(this.state);
    else (this.redraw(), this.#drawAround());
    if (isJson) this.field.focus();
  }

  #typedJson() {
    try {
      const next = JSON.parse(this.field.value);
      if (!Array.isArray(next.blocks)) throw new Error("blocks must be a list.");
      for (const node of next.blocks) if (this.language.columnsKey(node)) node.columns ??= [{ width: 0, blocks: [] }];
      walk(this.language, next, (node) => (node.id ??= freshId()));
      this.jsonNote.hidden = true;
      this.isStarted = true;
      this.history.push(next, "json");
      this.changed();
    } catch (error) {
      this.jsonNote.textContent = `Not readable yet: ${error.message}`;
      this.jsonNote.hidden = false;
    }
  }

  #told({ kind, at, words }) {
    const clock = at?.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    this.status.dataset.kind = kind;
    this.status.replaceChildren(
      icon(
        { saved: "cloud_done", typing: "cloud_sync", offline: "cloud_off", conflict: "call_split", refused: "error" }[
          kind
        ],
      ),
      el("span", {}, words ?? `Saved ${clock}`),
    );
  }

  toast(words) {
    this.say(words);
    const made = el("p", { class: "mle-toast", "aria-hidden": "true" }, icon("check_circle"), words);
    this.append(made);
    setTimeout(() => made.remove(), 4000);
  }

  // What a closed tab left on this device.
  #bringBack() {
    const left = this.saver.left();
    if (!left?.state || JSON.stringify(left.state) === JSON.stringify(this.state)) {
      localStorage.removeItem(this.saver.key);
      return;
    }
    this.isStarted = true;
    if (left.revision === this.saver.revision) {
      this.replace(left.state, "What was not saved when you left is back.");
      this.toast("What was not saved when you left is back.");
      return;
    }
    this.saver.hold();
    settleConflict(this, { mine: left.state, at: left.at });
  }
}

customElements.define("email-editor", EmailEditor);
