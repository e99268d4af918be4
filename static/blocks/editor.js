// What every editor of blocks shares: a JSON tree with undo, drawn again after each change of its shape, kept in a
// form field that any form can post, moved by drag and by keyboard, told to screen readers.
//
// A subclass draws: `draw()` returns the elements of the state. Blocks carry data-block="<path>", the lists they
// stand in data-list="<path>", and whatever can hold the focus data-key="<its name on the page>".
import { freshId } from "./dom.js";
import { draggable } from "./drag.js";
import { History } from "./history.js";
import { liveRegion } from "./live.js";
import { copyOf, get, insert, move, read, remove, step, told } from "./tree.js";

const STEPS = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "out", ArrowRight: "in" };

export class BlockEditor extends HTMLElement {
  // --- for subclasses ---------------------------------------------------------------------------------

  draw() {
    return [];
  }

  // The key of the list a node holds, undefined for a node without one.
  listOf(_node) {
    return undefined;
  }

  // A node in a few words, for announcements.
  nameOf(_node) {
    return "block";
  }

  // Where a moved node stands now, for announcements: " in the group …"; "" at the top.
  inWhat(root, path) {
    const owner = path.slice(0, -2);
    return owner.length ? ` in ${this.nameOf(get(root, owner))}` : "";
  }

  // Whether a dragged element may be dropped into a list of the page.
  mayPut(_item, _list) {
    return true;
  }

  // What the form posts.
  textOf(state) {
    return JSON.stringify(state, null, 2);
  }

  // After each change, drawn or not.
  changed() {}

  // --- life -------------------------------------------------------------------------------------------

  begin(field, stage, state) {
    this.field = field;
    this.stage = stage;
    this.history = new History(state);
    this.group = freshId("blocks"); // no block goes over into another editor of the page
    const { region, say } = liveRegion();
    this.say = say;
    this.append(region);
    this.addEventListener("keydown", (event) => this.#pressed(event));
    this.redraw();
  }

  get state() {
    return this.history.state;
  }

  // --- changes ----------------------------------------------------------------------------------------

  // `key` joins typing in one place; `isDrawn: false` leaves the page alone because it already shows the change.
  change(state, { say = "", focus = "", key = "", isDrawn = true } = {}) {
    this.history.push(state, key);
    this.#settle(isDrawn, focus);
    if (say) this.say(say);
  }

  add(listPath, index, node, focus = "#grip") {
    const path = [...listPath, index];
    const say = `Added ${this.nameOf(node)}.`;
    this.change(insert(this.state, listPath, index, node), { say, focus: told(path) + focus });
  }

  clone(path) {
    const node = copyOf(get(this.state, path));
    const next = [...path.slice(0, -1), path.at(-1) + 1];
    const say = `Copied ${this.nameOf(node)}.`;
    this.change(insert(this.state, path.slice(0, -1), next.at(-1), node), { say, focus: `${told(next)}#grip` });
  }

  delete(path) {
    const list = path.slice(0, -1);
    const say = `Deleted ${this.nameOf(get(this.state, path))}. Control Z brings it back.`;
    const state = remove(this.state, path);
    const left = get(state, list).length;
    const focus = left ? `${told([...list, Math.min(path.at(-1), left - 1)])}#grip` : `${told(list)}#add`;
    this.change(state, { say, focus });
  }

  moveTo(path, listPath, index) {
    const moved = move(this.state, path, listPath, index);
    if (!moved || told(moved.path) === told(path)) return this.redraw(`${told(path)}#grip`);
    const length = get(moved.root, moved.path.slice(0, -1)).length;
    const say = `Moved ${this.nameOf(get(this.state, path))}: now ${moved.path.at(-1) + 1} of ${length}${this.inWhat(moved.root, moved.path)}.`;
    return this.change(moved.root, { say, focus: `${told(moved.path)}#grip` });
  }

  stepOf(path, direction) {
    return step(this.state, path, direction, (node) => this.listOf(node));
  }

  step(path, direction) {
    const target = this.stepOf(path, direction);
    if (target) this.moveTo(path, target.list, target.index);
    else this.say("It cannot go further.");
  }

  undo() {
    this.#travel(this.history.undo(), "Undone.", "There is nothing to undo.");
  }

  redo() {
    this.#travel(this.history.redo(), "Done again.", "There is nothing to do again.");
  }

  // --- drawing ----------------------------------------------------------------------------------------

  redraw(focus = "") {
    const active = this.contains(document.activeElement) ? document.activeElement : null;
    const held = active?.dataset.key;
    this.isDrawing = true;
    this.release?.();
    this.#put([this.draw()].flat(), active);
    this.release = draggable([...this.stage.querySelectorAll("[data-list]")], {
      group: this.group,
      handle: ".blk-grip",
      scope: this.className,
      mayPut: (item, list) => this.mayPut(item, list),
      moved: (item, from, to, index) => this.moveTo(read(item.dataset.block), read(to.dataset.list), index),
    });
    this.isDrawing = false;
    this.focusOn(focus || held);
  }

  focusOn(key) {
    if (key) this.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  }

  // A list forgets the letters typed into it when it leaves the page, so the one in use stays and the rest is
  // drawn around it.
  #put(drawn, active) {
    const fresh = document.createElement("div");
    fresh.append(...drawn);
    const next =
      active?.localName === "select" && fresh.querySelector(`[data-key="${CSS.escape(active.dataset.key ?? "")}"]`);
    const isSame = next && next.value === active.value && next.options.length === active.options.length;
    if (!isSame || !graft(this.stage, fresh, active, next)) this.stage.replaceChildren(...fresh.childNodes);
  }

  #settle(isDrawn, focus) {
    const text = this.textOf(this.state);
    if (this.field.value !== text) {
      this.field.value = text;
      this.field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    if (isDrawn) this.redraw(focus);
    this.changed();
  }

  #travel(isDone, words, otherwise) {
    if (isDone) this.#settle(true, "");
    this.say(isDone ? words : otherwise);
  }

  #pressed(event) {
    if (event.defaultPrevented || event.target === this.field) return;
    const key = event.key.toLowerCase();
    if ((event.ctrlKey || event.metaKey) && !event.altKey && (key === "z" || key === "y")) {
      event.preventDefault();
      if (key === "y" || event.shiftKey) this.redo();
      else this.undo();
      return;
    }
    const block = event.target.closest("[data-block]");
    if (!block || event.ctrlKey || event.metaKey) return;
    const path = read(block.dataset.block);
    // Alt and an arrow open a native list: there it stays what it is.
    if (event.altKey && event.key in STEPS && event.target.localName !== "select") {
      event.preventDefault();
      this.step(path, STEPS[event.key]);
    } else if (event.key === "Delete" && event.target.classList.contains("blk-grip")) {
      event.preventDefault();
      this.delete(path);
    }
  }
}

// Make `old` what `fresh` is, except for the element `kept` inside it, which takes the place of `next`. False, and
// nothing done, where the two do not stand alike.
function graft(old, fresh, kept, next) {
  const way = (root, node) => (node === root ? [] : [...way(root, node.parentElement), node]);
  const before = way(old, kept);
  const after = way(fresh, next);
  if (before.length !== after.length || before.some((node, level) => node.localName !== after[level].localName))
    return false;
  before.forEach((node, level) => {
    const stays = after[level];
    for (const sibling of [...node.parentElement.childNodes]) if (sibling !== node) sibling.remove();
    const siblings = [...stays.parentElement.childNodes];
    const at = siblings.indexOf(stays);
    node.before(...siblings.slice(0, at));
    node.after(...siblings.slice(at + 1));
    for (const name of node.getAttributeNames()) if (!stays.hasAttribute(name)) node.removeAttribute(name);
    for (const { name, value } of stays.attributes)
      if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  });
  return true;
}
