// Inputs for several values: both ends of a range, boxes to tick, chips.
import { el, icon } from "../blocks/dom.js";
import { told } from "../blocks/tree.js";
import { BOXES, named, suggesting } from "./rule-boxes.js";

export function pair(input) {
  const both = Array.isArray(input.value) ? input.value : [];
  const part = (place, word) => {
    const at = [...input.at, place];
    const set = (value) => {
      both[place] = value ?? null;
      input.set(
        both.some((item) => item !== null && item !== undefined) ? [both[0] ?? null, both[1] ?? null] : undefined,
      );
    };
    const made = BOXES[input.part]({ ...input, at, value: both[place] ?? undefined, set, label: word });
    const inner = made.matches("input") ? made : made.querySelector("input");
    inner.setAttribute("aria-label", word);
    return el("div", { class: "rb-part", "data-at": told(at) }, made);
  };
  return el(
    "div",
    { class: "rb-row", role: "group", "aria-label": input.label },
    part(0, "From"),
    el("span", { class: "rb-word" }, "and"),
    part(1, "To"),
  );
}

export function list(input) {
  return input.choices?.length ? ticks(input) : chips(input);
}

// A few known values: boxes to tick.
function ticks(input) {
  const chosen = new Set(Array.isArray(input.value) ? input.value : []);
  const boxes = input.choices.map((item) => {
    const box = el("input", { type: "checkbox", "data-key": `${told(input.at)}#${item.name}` });
    box.checked = chosen.has(item.name);
    box.addEventListener("change", () => {
      if (box.checked) chosen.add(item.name);
      else chosen.delete(item.name);
      const inOrder = input.choices.map((each) => each.name).filter((name) => chosen.has(name));
      input.set(inOrder.length ? inOrder : undefined);
    });
    return el("label", { class: "rb-tick" }, box, el("span", {}, item.label));
  });
  return el("div", { class: "rb-ticks", role: "group", "aria-label": input.label }, boxes);
}

// Any values: chips with a box to add more.
function chips(input) {
  let values = Array.isArray(input.value) ? input.value : [];
  const isNumber = input.part === "number" || input.part === "whole";
  const box = el("input", {
    type: input.part === "date" ? "date" : "text",
    inputmode: isNumber ? "decimal" : null,
    autocomplete: "off",
    ...named(input),
    "aria-label": `${input.label}: add one`,
    enterkeyhint: "done",
  });
  const shelf = el("ul", {});
  const draw = () => {
    box.value = "";
    box.placeholder = values.length ? "Add another" : "Type and press Enter";
    shelf.hidden = !values.length;
    shelf.replaceChildren(
      ...values.map((value, place) =>
        el(
          "li",
          { class: "rb-chip", "data-at": told([...input.at, place]) },
          el("span", {}, String(value)),
          el(
            "button",
            {
              type: "button",
              "aria-label": `Remove ${value}`,
              title: `Remove ${value}`,
              onclick: () => change(values.filter((_, at) => at !== place)),
            },
            icon("close"),
          ),
        ),
      ),
    );
  };
  const put = (next) => {
    values = next;
    input.set(next.length ? next : undefined);
  };
  const change = (next) => {
    put(next);
    draw();
    box.focus();
  };
  const take = (texts, show = draw) => {
    const made = texts
      .map((text) => text.trim())
      .filter(Boolean)
      .map((text) => typed(text, box, isNumber));
    const fresh = made.filter((value, place) => !values.includes(value) && made.indexOf(value) === place);
    if (fresh.length) put([...values, ...fresh]);
    show();
  };
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || (event.key === "," && isNumber)) {
      event.preventDefault();
      take([box.value]);
    } else if (event.key === "Backspace" && !box.value && values.length) {
      event.preventDefault();
      change(values.slice(0, -1));
    }
  });
  box.addEventListener("paste", (event) => {
    const lines = event.clipboardData.getData("text").split(/[\n\r\t;,]+/);
    if (lines.length < 2) return;
    event.preventDefault();
    take(lines);
  });
  // Whoever chose from the suggestions or went on without Enter meant it, too.
  // The chip comes a moment later: a click that ended the typing must still meet what it was aimed at.
  box.addEventListener("change", () => take([box.value], () => setTimeout(draw, 200)));
  draw();
  return el("div", { class: "rb-chips", role: "group", "aria-label": input.label }, shelf, suggesting(box, input));
}

function typed(text, box, isNumber) {
  const known = box.list && [...box.list.options].find((option) => option.value === text)?.raw;
  if (known !== undefined && known !== null && known !== false) return known;
  return isNumber && text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}
