// <email-editor>: a mail as a list of blocks beside its picture. The state is the tree that the server keeps, with the
// subject and the line under it; every change is drawn by the server, saved, and can be undone.
import { el, icon } from "../blocks/dom.js";
import { BlockEditor } from "../blocks/editor.js";
import { get, set, told } from "../blocks/tree.js";
import { list, reword } from "./email-editor-cards.js";
import { askImport, publish, showVersions } from "./email-editor-acts.js";
import { askBlock, button } from "./email-editor-dialogs.js";
import { envelope, look } from "./email-editor-envelope.js";
import { lay } from "./email-editor-frame.js";
import { arrange, insertNode, takeApart } from "./email-editor-growing.js";
import { readJson } from "./email-editor-json.js";
import { bringBack, saverOf, tell } from "./email-editor-keeping.js";
import { Language, renamed } from "./email-editor-language.js";
import { draftOf, languageItems, nameOf, stateOf, turned, wordsOf } from "./email-editor-locales.js";
import { pathOf, stepOf } from "./email-editor-moves.js";
import { sendTest } from "./email-editor-people.js";
import { pickPicture } from "./email-editor-pictures.js";
import { Preview, checks } from "./email-editor-preview.js";
import { goTo, placeProblems, showFindings } from "./email-editor-problems.js";
import { ask, post } from "../blocks/server.js";
import { askSnippet } from "./email-editor-snippets.js";

const SETTLE_MS = 400;

export class EmailEditor extends BlockEditor {
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
    this.saver = saverOf(this);
    this.preview = new Preview(this.side, this, {
      render: (contactId) => this.render(this.state, contactId),
      answered: (answer) => this.answered(answer),
    });
    this.showChecks = checks(this, this.preview.foot);
    this.begin(field, this.cards, this.opened(this.page.draft));
    field.addEventListener("input", (event) => event.isTrusted && readJson(this));
    this.drawAround();
    this.preview.ask();
    tell(this, { kind: "saved", at: new Date(this.page.draft.updated_at) });
    bringBack(this);
    this.learn();
  }

  // What may be put in: fetched beside the first picture, so that it does not wait for them.
  async learn() {
    const { variables, snippets } = this.page.addresses;
    const [known, kept] = await Promise.allSettled([ask(variables), ask(`${snippets}?limit=200`)]);
    this.variables = known.value?.results ?? [];
    this.snippets = (kept.value?.results ?? []).filter((one) => one.published_version);
    if (this.state.blocks.some((block) => block.type === "snippet")) this.redraw();
  }

  // --- what makes it a whole mail, and not a part of one -------------------------------------------------

  get storeKey() {
    return `mail-draft:${this.page.id}`;
  }

  settingsLabel = "Name, kind and plain code";
  hasStandIns = true; // what the mail says where a contact has nothing

  opened(draft) {
    return stateOf(draft);
  }

  closed(state) {
    return draftOf(state);
  }

  drawn(state) {
    return { ...wordsOf(state), kind: this.page.kind };
  }

  envelope() {
    return envelope(this);
  }

  acts() {
    return [
      { label: "Send a test", icon: "send", act: () => sendTest(this) },
      ...languageItems(this),
      { label: "Import HTML or MJML", icon: "upload_file", act: () => askImport(this) },
      { label: "Versions", icon: "history", act: () => showVersions(this) },
    ];
  }

  shortcuts() {
    return [button("Send test", () => sendTest(this), { class: "gs-button gs-button--quiet mle-wide-only" })];
  }

  publish() {
    return publish(this);
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
    this.drawAround();
  }

  redo() {
    this.isStarted = true;
    super.redo();
    this.drawAround();
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
    if (!isDrawn) this.wording = setTimeout(() => reword(this, path), SETTLE_MS);
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

  insertNode(node, listPath = null, index = null) {
    insertNode(this, node, listPath, index);
  }

  arrange(path, widths, label) {
    arrange(this, path, widths, label);
  }

  takeApart(path) {
    takeApart(this, path);
  }

  pickPicture(input) {
    return pickPicture(this, input);
  }

  // Pictures of our own are fetched from where the page came from, also where the mail will name another address.
  locally(text) {
    return text.replaceAll(`${this.page.public_url}/pictures/`, "/pictures/");
  }

  saveSnippet(node) {
    return askSnippet(this, node);
  }

  goTo(place) {
    goTo(this, place);
  }

  turnLanguage(code) {
    this.chosen = null;
    this.change(turned(this.state, code), { say: code ? nameOf(code) : "The words for everybody else" });
    this.drawAround();
    this.focusOn(`language#${code}`);
  }

  // A whole mail in the place of what is there; undo brings the old one back.
  replace(state, say) {
    this.chosen = null;
    this.change(state, { say });
    this.drawAround();
  }

  // --- server -------------------------------------------------------------------------------------------

  render(state, contactId = this.preview.contact?.id ?? null) {
    return post(this.page.addresses.render, {
      ...this.drawn(state),
      contact_id: contactId,
      event: this.preview.event,
      is_marked: true,
    });
  }

  answered(answer) {
    showFindings(this, answer);
  }

  // --- frame --------------------------------------------------------------------------------------------

  drawAround() {
    const inside = document.activeElement?.dataset?.key;
    this.head.replaceChildren(...this.envelope());
    look(this, this.looks);
    placeProblems(this, this.problems);
    if (inside && !document.activeElement?.dataset?.key) this.focusOn(inside);
  }

  turn(view) {
    this.dataset.turn = view;
    for (const one of this.views) one.setAttribute("aria-pressed", String(one.dataset.turn === view));
  }

  async leaveTo(address) {
    await this.saver.flush();
    location.assign(address);
  }

  toast(words) {
    this.say(words);
    const made = el("p", { class: "mle-toast", "aria-hidden": "true" }, icon("check_circle"), words);
    this.append(made);
    setTimeout(() => made.remove(), 4000);
  }
}

customElements.define("email-editor", EmailEditor);
