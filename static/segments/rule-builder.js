// <rule-builder>: a rule of the segments' language as nested groups of conditions, around the textarea that a form posts.
// Without this script the textarea is what it always was: the rule as JSON.
import { el, iconButton } from "../blocks/dom.js";
import { BlockEditor } from "../blocks/editor.js";
import { menuButton } from "../blocks/menu.js";
import { get, insert, read, remove, set, told } from "../blocks/tree.js";
import { group } from "./rule-cards.js";
import { Language, faultOf, isGroup } from "./rule-language.js";
import { Preview, Suggestions } from "./rule-preview.js";
import { listed, placeProblems } from "./rule-problems.js";

const EMPTY = { match: "all", rules: [] };
const LARGE = 40; // conditions; with more of them, those out of sight are not laid out
const REST = "Add a condition to see how many people it finds.";

class RuleBuilder extends BlockEditor {
  connectedCallback() {
    if (this.stage) return;
    // Several builders on one page may read the language from one place.
    const source = document.getElementById(this.dataset.page) ?? this.querySelector("script[type='application/json']");
    const page = JSON.parse(source.textContent);
    const field = this.querySelector("textarea");
    this.language = new Language(page.language);
    this.starters = page.starters;
    this.isBrief = "brief" in this.dataset; // one of several fields: ready rules stand in the menu alone
    this.suggestions = new Suggestions(page.addresses.values);
    this.fresh = new WeakSet(); // conditions nobody has left yet: what they lack is no mistake
    this.problems = {};
    this.#lay(field, page);
    const { state, words } = parsed(field.value);
    this.begin(field, this.builder, state ?? EMPTY);
    this.stage.addEventListener("keydown", (event) => this.#entered(event));
    this.stage.addEventListener("focusout", (event) => this.#left(event));
    field.addEventListener("input", (event) => event.isTrusted && this.#typedJson());
    if (words) this.#show("json", words);
    else this.changed();
    this.#followKind(field);
  }

  // --- what the kernel asks -----------------------------------------------------------------------------

  draw() {
    this.classList.toggle("rb--large", leafCount(this.state) > LARGE);
    return [group(this, this.state, []), this.state.rules.length ? this.#hints() : this.#starts()];
  }

  listOf(node) {
    return isGroup(node) ? "rules" : undefined;
  }

  nameOf(node) {
    if (isGroup(node)) return `the group “${this.labelOfMatch(node)}”`;
    const operator = this.language.operators(node).find(({ name }) => name === node.operator)?.label ?? "";
    const value = ["string", "number"].includes(typeof node.value) ? node.value : "";
    return `“${[this.language.labelOfSubject(node), operator, value].filter((word) => word !== "").join(" ")}”`;
  }

  textOf(state) {
    return state.rules.length ? super.textOf(state) : "";
  }

  changed() {
    this.undoButton.disabled = !this.history.canUndo;
    this.redoButton.disabled = !this.history.canRedo;
    if (this.state.rules.length) this.preview.ask(this.state);
    else this.preview.rest(REST);
  }

  change(state, options = {}) {
    if (options.isDrawn === false) delete this.problems[options.key];
    else this.problems = {};
    super.change(state, options);
  }

  redraw(focus) {
    super.redraw(focus);
    this.#placeProblems();
  }

  // --- what the cards ask -------------------------------------------------------------------------------

  get usual() {
    return this.language.fields.has("city") ? "field:city" : this.language.subjects()[0]?.options[0]?.value;
  }

  labelOfMatch(node) {
    return this.language.matches.find(({ name }) => name === node.match)?.label ?? node.match;
  }

  subjectBox() {
    this.subjectTemplate ??= el(
      "select",
      { "aria-label": "What the condition is about" },
      this.language.subjects().map(({ label, options }) =>
        el(
          "optgroup",
          { label },
          options.map((option) => el("option", { value: option.value }, option.label)),
        ),
      ),
    );
    return this.subjectTemplate.cloneNode(true);
  }

  suggest(about, starts) {
    return this.suggestions.ask(about, starts);
  }

  grow(listPath, index, node) {
    this.#freshen(node);
    const inside = isGroup(node) ? "rules[0]" : "";
    this.add(listPath, index, node, inside ? `.${inside}#subject` : "#subject");
  }

  edit(path, name, value, { isDrawn = false, focus = "" } = {}) {
    const before = get(this.state, path);
    const key = told([...path, ...name]);
    const isSubject = name.length === 1 && name[0] === this.language.keyOf(before);
    let state = set(this.state, [...path, ...name], isSubject ? (value ?? null) : value);
    if (name.at(-1) === "compare") state = set(state, path, this.language.fitted(get(state, path), before));
    if (this.fresh.has(before)) this.fresh.add(get(state, path));
    this.change(state, { key, isDrawn, focus });
  }

  resubject(path, subject) {
    const before = get(this.state, path);
    const blank = this.language.blank(subject);
    const isAlike = (key) => key in before && key in blank;
    const { where: _, ...kept } = before; // another event has other properties
    const sameKind = isAlike("field") && this.language.kindOfField(before) === this.language.kindOfField(blank);
    const next = sameKind || isAlike("event") ? { ...kept, ...pick(blank, ["field", "event"]) } : blank;
    this.fresh.add(next);
    this.change(set(this.state, path, next), { focus: `${told(path)}#subject` });
  }

  reoperate(path, operator) {
    const before = get(this.state, path);
    const next = this.language.withOperator(before, operator);
    this.fresh.add(next);
    this.change(set(this.state, path, next), { focus: `${told(path)}#operator` });
  }

  rematch(path, name) {
    const { match: _, rules, ...others } = get(this.state, path);
    let next = { match: name, rules };
    for (const input of this.language.inputsOfMatch(next)) {
      next = { ...next, [input.name]: others[input.name] ?? input.default ?? Math.min(2, rules.length || 1) };
    }
    this.change(set(this.state, path, next), { focus: `${told(path)}#match`, say: this.labelOfMatch(next) });
  }

  wrap(path) {
    const wrapped = { match: "any", rules: [get(this.state, path)] };
    this.change(set(this.state, path, wrapped), {
      focus: `${told(path)}#match`,
      say: "Put into a group of its own.",
    });
  }

  dissolve(path) {
    const list = path.slice(0, -1);
    const inner = get(this.state, path).rules;
    const state = inner.reduce(
      (root, node, place) => insert(root, list, path.at(-1) + place, node),
      remove(this.state, path),
    );
    this.change(state, { focus: `${told(path)}#grip`, say: "The group is dissolved; its conditions stay." });
  }

  // --- frame --------------------------------------------------------------------------------------------

  #lay(field, page) {
    this.views = ["build", "json"].map((name) =>
      el(
        "button",
        {
          type: "button",
          "aria-pressed": String(name === "build"),
          "data-view": name,
          onclick: () => this.#turn(name),
        },
        name === "build" ? "Build" : "JSON",
      ),
    );
    this.undoButton = iconButton("undo", "Undo (Ctrl+Z)", () => this.undo(), { "aria-keyshortcuts": "Control+Z" });
    this.redoButton = iconButton("redo", "Redo (Ctrl+Shift+Z)", () => this.redo(), {
      "aria-keyshortcuts": "Control+Shift+Z",
    });
    const ready = el("button", { type: "button", class: "gs-button gs-button--quiet rb-ready" }, "Ready rules");
    menuButton(ready, () =>
      this.starters.map(({ label, note, rule }) => ({ label, note, act: () => this.#begin(label, rule) })),
    );
    this.builder = el("div", { class: "rb-stage" });
    this.message = el("p", { class: "rb-problem", role: "alert", hidden: true });
    field.setAttribute("spellcheck", "false");
    this.json = el("div", { class: "rb-json", hidden: true }, field, this.message);
    const side = el("aside", { class: "rb-side", "aria-label": "Who this rule finds" });
    this.append(
      el(
        "div",
        { class: "rb-bar" },
        el("div", { class: "rb-views", role: "group", "aria-label": "How the rule is shown" }, this.views),
        el("span", { class: "rb-space" }),
        this.starters.length ? ready : null,
        this.undoButton,
        this.redoButton,
      ),
      el("div", { class: "rb-body" }, el("div", { class: "rb-main" }, this.builder, this.json), side),
    );
    this.preview = new Preview(
      side,
      page,
      (answer) => this.#answered(answer),
      (words) => this.say(words),
    );
    this.json.after(this.preview.brief);
  }

  #hints() {
    return el(
      "p",
      { class: "rb-hints" },
      "Drag a condition by its handle, or hold ",
      el("kbd", {}, "Alt"),
      " and press the arrow keys. ",
      el("kbd", {}, "Ctrl Z"),
      " undoes.",
    );
  }

  #starts() {
    return el(
      "div",
      { class: "rb-starts" },
      el(
        "p",
        { class: "rb-quiet" },
        this.starters.length && !this.isBrief ? "Add a condition, or begin with a rule that is ready:" : REST,
      ),
      (this.isBrief ? [] : this.starters).map(({ label, note, rule }) =>
        el(
          "button",
          { type: "button", class: "rb-start", onclick: () => this.#begin(label, rule) },
          el("strong", {}, label),
          el("span", {}, note),
        ),
      ),
    );
  }

  // A ready rule never takes the place of work that is there.
  #begin(label, rule) {
    const node = structuredClone(rule);
    const whole = isGroup(node) ? node : { match: "all", rules: [node] };
    const isFirst = !this.state.rules.length;
    const state = isFirst ? whole : insert(this.state, ["rules"], this.state.rules.length, node);
    const focus = isFirst ? "rules[0]#subject" : `rules[${this.state.rules.length}]#grip`;
    this.change(state, { say: `Added the ready rule ${label}.`, focus });
  }

  // A segment that is filled by hand has no rule: while that kind is chosen, there is none to see or to post.
  #followKind(field) {
    const kind = field.form?.elements.kind;
    const row = this.closest(".form-row");
    if (!kind || !row) return;
    const follow = () => (row.hidden = field.disabled = kind.value === "static");
    kind.addEventListener("change", follow);
    follow();
  }

  // --- JSON ---------------------------------------------------------------------------------------------

  #turn(view) {
    if (view === "build") {
      const { state, words } = parsed(this.field.value);
      if (!state) return this.#show("json", words);
      this.redraw();
    }
    this.#show(view);
    if (view === "json") this.field.focus();
    return undefined;
  }

  #show(view, words = "") {
    this.builder.hidden = view === "json";
    this.json.hidden = view !== "json";
    for (const button of this.views) button.setAttribute("aria-pressed", String(button.dataset.view === view));
    this.#tell(words);
  }

  #tell(words) {
    this.message.textContent = words;
    this.message.hidden = !words;
    this.field.setAttribute("aria-invalid", String(Boolean(words)));
  }

  #typedJson() {
    const { state, words } = parsed(this.field.value);
    this.#tell(words);
    if (!state) return this.preview.rest("The rule is not readable yet.");
    this.history.push(state, "json");
    return this.changed();
  }

  // --- problems -----------------------------------------------------------------------------------------

  #answered({ problems }) {
    this.problems = problems;
    this.#placeProblems();
    const places = Object.keys(problems).length;
    const words = places === 1 ? "One thing is still to be filled in" : `${places} things are still to be filled in`;
    if (places) this.preview.unfinished(words);
    if (!this.json.hidden) this.#tell(listed(problems));
  }

  #placeProblems() {
    placeProblems(this.stage, this.state, this.problems, (node) => this.fresh.has(node));
  }

  #freshen(node) {
    if (isGroup(node)) node.rules.forEach((child) => this.#freshen(child));
    else this.fresh.add(node);
  }

  #left({ target, relatedTarget }) {
    const block = target.closest("[data-block]");
    if (this.isDrawing || !block || block.contains(relatedTarget)) return;
    const node = get(this.state, read(block.dataset.block));
    if (node && this.fresh.delete(node)) this.#placeProblems();
  }

  // Enter in a box means "done", not "save the whole page".
  #entered(event) {
    if (event.key === "Enter" && event.target.localName === "input") event.preventDefault();
  }
}

const leafCount = (node) => (isGroup(node) ? node.rules.reduce((sum, child) => sum + leafCount(child), 0) : 1);
const pick = (node, keys) => Object.fromEntries(keys.filter((key) => key in node).map((key) => [key, node[key]]));

// {state} of a text, or {words} that say why there is none.
function parsed(text) {
  if (!text.trim()) return { state: EMPTY, words: "" };
  try {
    const rule = JSON.parse(text);
    const words = faultOf(rule);
    if (words) return { words };
    return { state: isGroup(rule) ? rule : { match: "all", rules: [rule] }, words: "" };
  } catch (error) {
    return { words: `This is not JSON yet: ${error.message}` };
  }
}

customElements.define("rule-builder", RuleBuilder);
