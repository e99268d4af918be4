// <step-rules>: the rules inside the steps of a workflow, each in a rule builder, beside the textarea of the steps.
// The textarea stays what the form posts; a rule that is edited here is written into it.
import { el, icon } from "../blocks/dom.js";
import { get, insert, set, told } from "../blocks/tree.js";

class StepRules extends HTMLElement {
  connectedCallback() {
    if (this.list) return;
    this.field = this.querySelector("textarea");
    this.kinds = JSON.parse(this.dataset.kinds);
    this.open = new Set();
    this.list = el("div", { class: "aut-rules" });
    this.append(this.list);
    this.field.addEventListener("input", (event) => event.isTrusted && this.draw());
    this.draw();
  }

  draw() {
    const steps = parsed(this.field.value);
    if (!steps) {
      this.list.replaceChildren(el("p", { class: "aut-rules__note" }, "The steps are not readable as JSON yet."));
      return;
    }
    const found = rulesOf(steps, this.kinds);
    for (const path of this.open) if (!found.some((rule) => told(rule.path) === path)) this.open.delete(path);
    const adds = Object.entries(this.kinds).map(([name, { label }]) =>
      el(
        "button",
        { type: "button", class: "gs-button gs-button--quiet", onclick: () => this.#add(name) },
        icon("add"),
        `Add “${label}” at the end`,
      ),
    );
    this.list.replaceChildren(...found.map((rule) => this.#card(rule)), el("div", { class: "aut-acts" }, adds));
  }

  // The builder asks the server about its rule, so it comes when somebody wants to see it.
  #card({ path, label, rule }) {
    const key = told(path);
    const card = el(
      "details",
      { class: "aut-rule", "data-rule": key, open: this.open.has(key) },
      el("summary", {}, el("strong", {}, label), el("span", {}, "Edit who goes on here")),
    );
    const mount = () => {
      if (!card.open) return this.open.delete(key);
      this.open.add(key);
      if (!card.querySelector("rule-builder")) card.append(this.#builder(path, label, rule));
      return undefined;
    };
    card.addEventListener("toggle", mount);
    if (card.open) mount();
    return card;
  }

  #builder(path, label, rule) {
    const isEmpty = !rule || !Object.keys(rule).length;
    const field = el("textarea", {
      rows: 12,
      "aria-label": `The rule of ${label}, as JSON`,
      value: isEmpty ? "" : JSON.stringify(rule, null, 2),
    });
    field.addEventListener("input", () => this.#write(path, field.value));
    return el("rule-builder", { class: "rb", "data-page": this.dataset.page, "data-brief": "" }, field);
  }

  #write(path, text) {
    const steps = parsed(this.field.value);
    const rule = text.trim() ? parsed(text) : {};
    if (!steps || !rule || !get(steps, path.slice(0, -2))) return;
    this.#put(set(steps, path, rule));
  }

  #put(steps) {
    this.field.value = JSON.stringify(steps, null, 2);
    this.field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #add(name) {
    const steps = parsed(this.field.value);
    const { rules, branches } = this.kinds[name];
    const step = { action_type: name, configuration: Object.fromEntries(rules.map((rule) => [rule, {}])) };
    if (branches.length) step.branches = Object.fromEntries(branches.map((branch) => [branch, []]));
    const last = Math.max(-1, ...steps.map((other) => other?.action_order ?? -1));
    if (last >= 0) step.action_order = last + 1;
    this.#put(insert(steps, [], steps.length, step));
    const path = told([steps.length, "configuration", rules[0]]);
    this.open.add(path);
    this.draw();
    this.list.querySelector(`[data-rule="${CSS.escape(path)}"] summary`).focus();
  }
}

// A list of steps (or a rule) out of text; null for text that is none.
function parsed(text) {
  try {
    const value = JSON.parse(text);
    return value && typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

// Every rule in the steps with its path, told as people count: “Step 2 › then › step 1”.
function rulesOf(steps, kinds, path = [], words = "") {
  if (!Array.isArray(steps)) return [];
  return steps.flatMap((step, index) => {
    const here = [...path, index];
    const name = words ? `${words} step ${index + 1}` : `Step ${index + 1}`;
    const kind = kinds[step?.action_type];
    const own = (kind?.rules ?? []).map((key) => ({
      path: [...here, "configuration", key],
      label: `${name}: ${kind.label}`,
      rule: step.configuration?.[key],
    }));
    const inner = Object.entries(step?.branches ?? {}).flatMap(([branch, list]) =>
      rulesOf(list, kinds, [...here, "branches", branch], `${name} › ${branch} ›`),
    );
    return [...own, ...inner];
  });
}

customElements.define("step-rules", StepRules);
