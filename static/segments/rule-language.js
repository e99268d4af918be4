// The rule language as the server describes it: which subjects, operators and inputs there are. No operator is
// named here, so that one the server learns appears by itself.
import { set } from "../blocks/tree.js";

export const isGroup = (node) => Boolean(node) && typeof node === "object" && ("rules" in node || "match" in node);

// A value written in JSON under a dotted name: "then.event" is {then: {event: …}}.
export const nameOfInput = (input) => input.name.split(".");

const TYPES = { text: "text", number: "number", boolean: "boolean", date: "date", list: "text", whole: "whole" };

export class Language {
  constructor(told) {
    this.told = told;
    this.lists = new Map();
    this.fields = new Map(told.fields.map((field) => [field.name, field]));
    this.events = new Map(told.events.map((event) => [event.name, event]));
    this.segments = told.segments ?? [];
    this.others = new Map(told.leaves.map((leaf) => [leaf.key, leaf]));
    this.behaviours = told.behaviours;
    this.matches = told.matches;
  }

  // Groups of a subject list: [{label, options: [{value, label}]}].
  subjects() {
    const groups = new Map();
    const put = (group, value, label) => groups.set(group, [...(groups.get(group) ?? []), { value, label }]);
    for (const field of this.told.fields) put(field.group, `field:${field.name}`, field.label);
    for (const event of this.told.events) put("Events", `event:${event.name}`, event.name);
    for (const leaf of this.told.leaves) put("More", `other:${leaf.key}`, leaf.label);
    return [...groups].map(([label, options]) => ({ label, options }));
  }

  subjectOf(leaf) {
    if ("event" in leaf) return `event:${leaf.event}`;
    if ("field" in leaf) return `field:${leaf.field}`;
    const key = this.#otherKey(leaf);
    return key ? `other:${key}` : "";
  }

  // The key whose value names the subject: problems with it are told there.
  keyOf(leaf) {
    return "event" in leaf ? "event" : "field" in leaf ? "field" : (this.#otherKey(leaf) ?? "");
  }

  labelOfSubject(leaf) {
    if ("event" in leaf) return leaf.event;
    if ("field" in leaf) return this.fields.get(leaf.field)?.label ?? leaf.field;
    return this.others.get(this.#otherKey(leaf))?.label ?? "condition";
  }

  // [{name, label, inputs}] that fit the subject of a leaf.
  operators(leaf) {
    if ("event" in leaf) return this.behaviours;
    if ("field" in leaf) return this.#operatorsOf(this.fields.get(leaf.field)?.kind);
    return this.others.get(this.#otherKey(leaf))?.operators ?? [];
  }

  operatorsOfProperty(kind) {
    return this.#kept(`property ${kind}`, () =>
      [...this.#operatorsOf(kind), ...(kind === "text" ? this.#numbersOnly() : [])].filter(
        (operator) => operator.works_on_properties !== false,
      ),
    );
  }

  // What a text is compared as: some operators look for the number in it.
  kindOfComparison(kind, name) {
    return kind === "text" && this.#numbersOnly().some((operator) => operator.name === name) ? "number" : kind;
  }

  inputs(leaf) {
    const chosen = this.operators(leaf).find((operator) => operator.name === leaf.operator);
    const all = [...(this.others.get(this.#otherKey(leaf))?.inputs ?? []), ...(chosen?.inputs ?? [])];
    return all.map((input) =>
      input.pair_when && input.pair_when === leaf.compare ? { ...input, type: "pair" } : input,
    );
  }

  inputsOfFilter(filter, kind) {
    return this.operatorsOfProperty(kind).find((operator) => operator.name === filter.operator)?.inputs ?? [];
  }

  inputsOfMatch(node) {
    return this.matches.find(({ name }) => name === node.match)?.inputs ?? [];
  }

  kindOfField(leaf) {
    return this.fields.get(leaf.field)?.kind ?? "text";
  }

  properties(event, kind = "") {
    const all = this.events.get(event)?.properties ?? [];
    const rest = kind === "number" ? all.filter((property) => property.kind === "text") : []; // "19.90"
    return kind ? [...all.filter((property) => property.kind === kind), ...rest] : all;
  }

  // The kind of an event's property; one never seen is what its value says.
  kindOfProperty(event, filter) {
    const known = this.properties(event).find((property) => property.name === filter.property)?.kind;
    if (known) return known;
    const value = Array.isArray(filter.value) ? filter.value[0] : filter.value;
    return typeof value === "number" ? "number" : typeof value === "boolean" ? "boolean" : "text";
  }

  // What stands in an input: the type of the value, or of the parts of a list or pair.
  typeOf(input, kind) {
    const told = input.kind === "same" ? kind : input.kind;
    if (input.type === "text" || input.type === "list" || input.type === "pair") return TYPES[told] ?? "text";
    return input.type;
  }

  // A new leaf about a subject, with what the language proposes filled in.
  blank(subject) {
    const [kind, ...rest] = subject.split(":");
    const name = rest.join(":");
    const leaf = kind === "other" ? { [name]: null } : { [kind]: name };
    const first = this.operators(leaf)[0];
    return this.fitted(first ? { ...leaf, operator: first.name } : leaf, leaf);
  }

  // The leaf with another operator: what still fits stays, the rest goes, proposals fill what is new.
  withOperator(leaf, operator) {
    return this.fitted({ ...leaf, operator }, leaf);
  }

  fitted(leaf, before) {
    const key = this.keyOf(leaf);
    const old = new Map(this.inputs(before).map((input) => [input.name, input]));
    let made = { [key]: leaf[key] };
    if (leaf.operator !== undefined) made.operator = leaf.operator;
    for (const input of this.inputs(leaf)) {
      const path = nameOfInput(input);
      const same = old.get(input.name);
      const isKept = same && same.type === input.type && same.kind === input.kind;
      const value = isKept ? path.reduce((node, part) => node?.[part], leaf) : undefined;
      const rest = input.name === key ? null : undefined; // without its key a leaf would be about nothing
      made = set(made, path, value ?? this.#proposal(input, leaf) ?? rest);
    }
    return made;
  }

  #proposal(input, leaf) {
    if (input.default !== undefined) return structuredClone(input.default);
    if (!input.required) return undefined;
    if (input.type === "choice") return input.choices?.[0]?.name;
    return input.type === "property" ? this.properties(leaf.event, input.kind)[0]?.name : undefined;
  }

  #operatorsOf(kind) {
    return this.#kept(`field ${kind}`, () =>
      this.told.operators
        .filter((operator) => operator.kinds.includes(kind ?? "text"))
        .map((operator) => ({ ...operator, label: operator.labels?.[kind] ?? operator.label })),
    );
  }

  // Many clients send numbers as text.
  #numbersOnly() {
    const ofText = new Set(this.#operatorsOf("text").map(({ name }) => name));
    return this.#operatorsOf("number")
      .filter(({ name }) => !ofText.has(name))
      .map((operator) => ({ ...operator, label: `as a number ${operator.label}` }));
  }

  // The same list each time, so that what is drawn from it can be kept, too.
  #kept(name, make) {
    if (!this.lists.has(name)) this.lists.set(name, make());
    return this.lists.get(name);
  }

  #otherKey(leaf) {
    return "event" in leaf || "field" in leaf ? undefined : [...this.others.keys()].find((key) => key in leaf);
  }
}

// What is wrong with the shape of a tree that the builder could not draw; "" when nothing is.
export function faultOf(node, place = "rule") {
  if (!node || typeof node !== "object" || Array.isArray(node)) return `${place}: expected a group or a condition.`;
  if (!isGroup(node)) return "";
  if (!Array.isArray(node.rules)) return `${place}.rules: expected a list of conditions.`;
  const faults = node.rules.map((child, index) =>
    faultOf(child, `${place === "rule" ? "" : `${place}.`}rules[${index}]`),
  );
  return faults.find(Boolean) ?? "";
}
