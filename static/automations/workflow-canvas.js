// <workflow-canvas>: a workflow as a vertical flow of cards. The state is the draft in the API's words; every change
// is told in sentences by the server, kept as a draft, and can be undone. With `readonly` it is a picture with
// numbers: how many people stand, went and failed where.
import { el } from "../blocks/dom.js";
import { BlockEditor } from "../blocks/editor.js";
import { get, set, told } from "../blocks/tree.js";
import { Suggestions } from "../segments/rule-preview.js";
import { Language as RuleLanguage } from "../segments/rule-language.js";
import { flow } from "./canvas-cards.js";
import { lay, zoomTo } from "./canvas-frame.js";
import { bringBack, saverOf, tell } from "./canvas-keeping.js";
import { Language, opened, renamed } from "./canvas-language.js";
import { TOP, idsOf, ownerOf, pathOf, stepOf } from "./canvas-moves.js";
import { follow, showNumbers } from "./canvas-numbers.js";
import { panel } from "./canvas-panel.js";
import { layPicture } from "./canvas-picture.js";
import { goTo, placeProblems } from "./canvas-problems.js";
import { Sketches, showFound } from "./canvas-sketch.js";
import { askKind } from "./canvas-toolbox.js";

const EDGES = ["trigger", "entry", "goal", "exit"];

class WorkflowCanvas extends BlockEditor {
  connectedCallback() {
    if (this.stage) return;
    this.page = JSON.parse(document.getElementById(this.dataset.page).textContent);
    this.isReadOnly = this.hasAttribute("readonly");
    this.language = new Language(this.page.catalogue);
    this.chosen = null;
    this.found = []; // problems with their places
    this.fresh = new Set(); // steps nobody has left yet: what they lack is no mistake
    this.folded = new Set();
    this.sentences = this.page.sentences ?? { steps: {} };
    if (this.isReadOnly) this.#show();
    else this.#edit();
    follow(this, () => this.numbersAddress ?? this.peopleAddress());
  }

  // Where the numbers of people come from: those of the version that is shown.
  peopleAddress() {
    const { numbers } = this.page.addresses;
    return this.shownVersion ? `${numbers}?version=${this.shownVersion}` : numbers;
  }

  #show() {
    const field = el("textarea", { hidden: true });
    layPicture(this, field);
    this.begin(field, this.stageElement, this.#opened(this.page.flow));
  }

  #edit() {
    const field = this.querySelector("textarea");
    const rules = JSON.parse(document.getElementById("rule-language").textContent);
    this.ruleLanguage = new RuleLanguage(rules.language);
    this.suggestions = new Suggestions(rules.addresses.values);
    lay(this, field);
    this.saver = saverOf(this);
    this.sketches = new Sketches(this);
    this.begin(field, this.stageElement, this.#opened(this.page.flow));
    this.addEventListener("keydown", (event) => this.#pressed(event));
    tell(this, this.page.changed_at ? { kind: "saved", at: new Date(this.page.changed_at) } : { kind: "same", words: "No changes" }); // prettier-ignore
    this.sketches.ask();
    bringBack(this);
    if (this.page.choose) this.choose(this.page.choose);
  }

  // --- what the kernel asks -----------------------------------------------------------------------------

  draw() {
    return [flow(this)];
  }

  nameOf(node) {
    if (!node?.action_type) return "a branch";
    return `“${this.sentenceOf(node)}”`;
  }

  inWhat(root, path) {
    const list = path.slice(0, -1);
    const owner = ownerOf(list);
    if (!owner) return "";
    const step = get(root, owner);
    return ` in the branch ${this.language.branchLabel(step, list.at(-1))} of ${this.nameOf(step)}`;
  }

  stepOf(path, direction) {
    return stepOf(this.state, path, direction);
  }

  moveTo(path, listPath, index) {
    for (let length = 2; length < listPath.length; length += 3) {
      this.folded.delete(get(this.state, listPath.slice(0, length))?.id);
    }
    super.moveTo(path, listPath, index);
  }

  mayPut(item, list) {
    return !item.contains(list);
  }

  clone(path) {
    const list = path.slice(0, -1);
    this.add(list, path.at(-1) + 1, renamed(get(this.state, path), idsOf(this.state)), "#open");
  }

  delete(path) {
    super.delete(path);
    this.drawPanel();
  }

  changed() {
    if (this.isReadOnly) return;
    this.undoButton.disabled = !this.history.canUndo;
    this.redoButton.disabled = !this.history.canRedo;
    this.sketches?.ask();
    if (this.isStarted) this.saver.keep(this.state);
  }

  change(state, options = {}) {
    this.isStarted = true;
    super.change(state, options);
  }

  redraw(focus) {
    super.redraw(focus);
    showNumbers(this);
    if (!this.isReadOnly) placeProblems(this);
  }

  undo() {
    this.isStarted = true;
    super.undo();
    this.drawPanel();
  }

  redo() {
    this.isStarted = true;
    super.redo();
    this.drawPanel();
  }

  // --- what the cards ask -------------------------------------------------------------------------------

  sentenceOf(step) {
    return this.sentences.steps[step.id] || this.language.label(step);
  }

  wordsOf(name) {
    const { language, state } = this;
    if (name === "trigger") return language.triggers.get(state.trigger_type)?.label ?? state.trigger_type;
    if (name === "entry") return language.entryRules.find(({ value }) => value === state.entry_rule)?.label ?? "";
    return name === "goal" ? "No goal" : "Nobody leaves early";
  }

  // Show the settings of a card; `null` closes them.
  choose(id, { isOpened = false } = {}) {
    const before = this.chosen;
    if (id !== before) this.fresh.delete(before);
    this.chosen = id === before && !isOpened ? null : id;
    this.redraw();
    this.drawPanel();
    // A rule begins with its first condition; other settings with their first box.
    if (this.chosen) this.panel.querySelector(".wf-field")?.querySelector(".rb-add, [data-main]")?.focus();
    else this.focusOn(this.#keyOf(before));
  }

  drawPanel(focus = "") {
    if (this.isReadOnly) return;
    if (this.chosen && !EDGES.includes(this.chosen) && !pathOf(this.state, this.chosen)) this.chosen = null;
    this.panel.replaceChildren(...panel(this).filter(Boolean));
    this.dataset.panel = this.chosen ? "open" : "";
    placeProblems(this);
    if (focus) this.focusOn(focus);
  }

  fold(id) {
    if (!this.folded.delete(id)) this.folded.add(id);
    this.redraw(`${id}#fold`);
  }

  async askToAdd(listPath, index) {
    const type = await askKind(this.language);
    if (!type) return;
    const step = this.language.blank(type, idsOf(this.state));
    this.fresh.add(step.id);
    this.add(listPath, index, step, "#open");
    this.choose(step.id, { isOpened: true });
  }

  toggle(path, isOn = get(this.state, path).is_active === false) {
    const name = this.nameOf(get(this.state, path));
    const say = isOn ? `Switched on ${name}.` : `Switched off ${name}: people pass it by.`;
    this.change(set(this.state, [...path, "is_active"], isOn), { say });
    this.drawPanel(`${told([...path, "is_active"])}`);
  }

  retrigger(type) {
    const { filter } = this.state.trigger_configuration ?? {};
    const state = { ...this.state, trigger_type: type, trigger_configuration: filter ? { filter } : {} };
    this.change(state, { say: this.language.triggers.get(type).label });
    this.drawPanel("trigger_type");
  }

  // Write a value of a card's settings; with it the branches of a step follow its configuration.
  put(path, value, { isDrawn = false, focus = "" } = {}) {
    const [state, hasOtherBranches] = this.#branched(set(this.state, path, value), path);
    this.change(state, { key: told(path), isDrawn: hasOtherBranches || path.length === 1 });
    if (isDrawn) this.drawPanel(focus || told(path));
  }

  #branched(state, path) {
    const at = path.indexOf("configuration");
    const step = path[0] === "actions" && at > 0 ? get(state, path.slice(0, at)) : null;
    if (!step) return [state, false];
    const next = this.language.fitted(this.#rebranched(step));
    const isSame = JSON.stringify(Object.keys(next.branches ?? {})) === JSON.stringify(Object.keys(step.branches ?? {}));
    return [isSame ? state : set(state, path.slice(0, at), next), !isSame];
  }

  // A way with another name keeps its steps.
  #rebranched(step) {
    const names = this.language.branchNames(step) ?? [];
    const gone = Object.keys(step.branches ?? {}).filter((name) => !names.includes(name));
    const come = names.filter((name) => !(name in (step.branches ?? {})));
    if (gone.length !== 1 || come.length !== 1) return step;
    const entries = Object.entries(step.branches).map(([name, steps]) => [name === gone[0] ? come[0] : name, steps]);
    return { ...step, branches: Object.fromEntries(entries) };
  }

  goTo(one) {
    goTo(this, one);
  }

  // A whole flow in the place of what is there; undo brings the old one back.
  replace(flow, say) {
    this.chosen = null;
    this.change(this.#opened(flow), { say });
    this.drawPanel();
  }

  // With its branches in the order that their kind tells; the store keeps none.
  #opened(flow) {
    return opened(flow, this.language);
  }

  #keyOf(id) {
    if (!id || EDGES.includes(id)) return `${id}#open`;
    const path = pathOf(this.state, id);
    return path ? `${told(path)}#open` : `${told(TOP)}#add`;
  }

  #pressed(event) {
    if (event.key === "Escape" && this.chosen && this.panel.contains(event.target)) {
      event.preventDefault();
      this.choose(null);
    } else if ((event.ctrlKey || event.metaKey) && ["+", "=", "-", "0"].includes(event.key)) {
      event.preventDefault();
      zoomTo(this, { "-": "out", 0: "fit" }[event.key] ?? "in");
    } else if (event.key === "Enter" && event.target.matches?.("input:not([type=checkbox])")) event.preventDefault();
  }

  // What the server says of the state: sentences, and what is wrong with it.
  answered(answer) {
    this.sentences = answer.sentences;
    for (const spot of this.stage.querySelectorAll("[data-words]")) {
      const id = spot.dataset.words;
      const path = EDGES.includes(id) ? null : pathOf(this.state, id);
      const words = path ? this.sentenceOf(get(this.state, path)) : this.sentences[id] || this.wordsOf(id);
      if (spot.textContent !== words) spot.textContent = words;
    }
    showFound(this, answer.problems);
  }
}

customElements.define("workflow-canvas", WorkflowCanvas);
