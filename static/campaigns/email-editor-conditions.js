// To whom a block is shown, and for each of what it is repeated.
import { el, freshId, icon } from "../blocks/dom.js";
import { told } from "../blocks/tree.js";
import { field } from "./email-editor-inputs.js";

const LABELS = {
  everybody: "Everybody",
  segment: "Members of a segment",
  not_segment: "All but a segment",
  variable: "Depending on a value",
};

export function conditions(editor, node, path) {
  const isOpen = Boolean(node.show_when || node.repeat) || editor.openedConditions === node.id;
  const details = el(
    "details",
    { class: "mle-conditions", open: isOpen },
    el("summary", {}, icon("visibility"), "Shown to whom, and how often"),
    showWhen(editor, node, path),
    repeat(editor, node, path),
  );
  details.addEventListener("toggle", () => (editor.openedConditions = details.open ? node.id : null));
  return details;
}

const kindOf = (when) =>
  !when ? "everybody" : "segment" in when ? (when.is_member === false ? "not_segment" : "segment") : "variable";

function showWhen(editor, node, path) {
  const at = [...path, "show_when"];
  const when = node.show_when;
  const kind = kindOf(when);
  const box = el(
    "select",
    { id: freshId("mle"), "data-key": `${told(at)}#kind` },
    Object.entries(LABELS).map(([name, label]) => el("option", { value: name }, label)),
  );
  box.value = kind;
  const first = editor.segments[0]?.id ?? null;
  box.addEventListener("change", () => {
    const next = {
      everybody: undefined,
      segment: { segment: when?.segment ?? first },
      not_segment: { segment: when?.segment ?? first, is_member: false },
      variable: { variable: "contact.city", operator: editor.language.operators[0]?.name, value: "" },
    }[box.value];
    editor.edit(at, next, { isDrawn: true, focus: `${told(at)}#kind` });
  });
  return el(
    "div",
    { class: "mle-when", "data-at": told(at) },
    el("div", { class: "mle-field" }, el("label", { class: "mle-label", for: box.id }, "Shown to"), box),
    kind === "variable" ? byValue(editor, when, at) : kind === "everybody" ? null : bySegment(editor, when, at),
  );
}

function bySegment(editor, when, at) {
  return field({
    name: "segment", type: "choice", label: "Segment", at: [...at, "segment"], editor, value: when.segment, required: true,
    isList: true, choices: editor.segments.map((one) => ({ name: one.id, label: one.name })),
    set: (value) => editor.edit([...at, "segment"], value === undefined ? null : Number(value)),
  }); // prettier-ignore
}

function byValue(editor, when, at) {
  const operator = editor.language.operators.find((one) => one.name === when.operator);
  const choices = editor.language.operators.map((one) => ({ name: one.name, label: one.label }));
  const inputs = [
    field({ name: "variable", type: "text", label: "Value", at: [...at, "variable"], editor, value: when.variable, suggest: editor.variables.map((one) => one.name), set: (value) => editor.edit([...at, "variable"], value) }),
    field({ name: "operator", type: "choice", label: "How", at: [...at, "operator"], editor, value: when.operator, isList: true, choices, set: (value) => reoperate(editor, when, at, value) }),
  ]; // prettier-ignore
  if (operator?.inputs.length) inputs.push(field({ ...operator.inputs[0], label: "Compared with", at: [...at, "value"], editor, value: when.value, set: (value) => editor.edit([...at, "value"], value ?? "") })); // prettier-ignore
  return el("div", { class: "mle-byvalue" }, inputs);
}

function reoperate(editor, when, at, name) {
  const takes = editor.language.operators.find((one) => one.name === name)?.inputs.length;
  const next = { variable: when.variable, operator: name, ...(takes ? { value: when.value ?? "" } : {}) };
  editor.edit(at, next, { isDrawn: true, focus: told([...at, "operator"]) });
}

function repeat(editor, node, path) {
  const at = [...path, "repeat"];
  const box = el("input", { type: "checkbox", id: freshId("mle"), "data-key": `${told(at)}#on` });
  box.checked = Boolean(node.repeat);
  box.addEventListener("change", () =>
    editor.edit(at, box.checked ? { over: "event.lines", as: "line", most: 10 } : undefined, {
      isDrawn: true,
      focus: `${told(at)}#on`,
    }),
  );
  return el(
    "div",
    { class: "mle-when", "data-at": told(at) },
    el("label", { class: "mle-tick", for: box.id }, box, el("span", {}, "Repeat it for each entry of a list, such as the lines of an order")),
    node.repeat
      ? el("div", { class: "mle-byvalue" }, editor.language.repeat.map((input) =>
          field({ ...input, at: [...at, input.name], editor, value: node.repeat[input.name], set: (value) => editor.edit([...at, input.name], value) })))
      : null,
  ); // prettier-ignore
}
