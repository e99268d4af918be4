// Choosing a contact by searching, and sending a test to a colleague.
import { el, icon } from "../blocks/dom.js";
import { alertLine, body, dialog, foot, labelled, primary } from "./email-editor-dialogs.js";
import { ask, post } from "../blocks/server.js";

const PAUSE_MS = 150;

// {id, name, email} or undefined.
export function askContact(editor, title) {
  return dialog(title, (_, close) => {
    const search = el("input", {
      type: "search",
      placeholder: "Name, e-mail or id",
      "aria-label": "Find a contact",
      autocomplete: "off",
      autofocus: true,
    });
    const list = el("div", { class: "mle-people" });
    let timer;
    let asked = 0;
    const find = async () => {
      const mine = (asked += 1);
      const query = new URLSearchParams({ limit: 8, ...(search.value.trim() ? { search: search.value.trim() } : {}) });
      const found = await ask(`${editor.page.addresses.contacts}?${query}`).catch(() => ({ results: null }));
      if (mine !== asked) return;
      list.replaceChildren(
        ...(found.results ?? []).map((one) =>
          person(one, () => close({ id: one.id, name: one.name, email: one.email })),
        ),
      );
      if (!found.results) list.append(el("p", { class: "mle-help" }, "Contacts cannot be searched just now."));
      else if (!found.results.length) list.append(el("p", { class: "mle-help" }, "Nobody begins with that."));
    };
    search.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(find, PAUSE_MS);
    });
    search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") (event.preventDefault(), list.querySelector("button")?.click());
      if (event.key === "ArrowDown") (event.preventDefault(), list.querySelector("button")?.focus());
    });
    find();
    return body(search, list);
  });
}

const person = ({ name, email, id }, onclick) =>
  el(
    "button",
    { type: "button", class: "mle-person", onclick },
    icon("person"),
    el("span", {}, el("strong", {}, name || email || `Contact ${id}`), name && email ? el("small", {}, email) : null),
  );

// The properties of the event that a workflow would start with, as JSON.
export function askEvent(event) {
  return dialog("Sample event", (_, close) => {
    const box = el("textarea", {
      rows: 12,
      class: "gs-code",
      spellcheck: "false",
      autofocus: true,
      value: JSON.stringify(event, null, 2),
    });
    const { line, tell } = alertLine();
    const use = () => {
      try {
        const read = JSON.parse(box.value);
        if (!read || typeof read !== "object" || Array.isArray(read)) throw new Error("an object is needed");
        return close(read);
      } catch (error) {
        return tell(`Not readable yet: ${error.message}`);
      }
    };
    return [
      body(
        labelled(
          "Properties",
          box,
          "A workflow sends this mail because of an event. Here stands what the preview takes it to be.",
        ),
        line,
      ),
      foot(primary("Use it", use)),
    ];
  });
}

export function sendTest(editor) {
  const { colleagues, me } = editor.page;
  return dialog("Send a test", (_, close) => {
    const to = el(
      "select",
      {},
      colleagues.map((address) => el("option", { value: address }, address)),
    );
    to.value = colleagues.includes(me) ? me : (colleagues[0] ?? "");
    const as = editor.preview.contact;
    const { line, tell } = alertLine();
    const send = primary(
      "Send test",
      async () => {
        send.disabled = true;
        try {
          await editor.saver.flush();
          await post(editor.page.addresses.test, { contact_id: as.id, to: to.value });
          editor.say(`A test is on its way to ${to.value}.`);
          editor.toast(`A test is on its way to ${to.value}.`);
          close(true);
        } catch (error) {
          tell([error.message, ...Object.values(error.details ?? {})].join(" "));
          send.disabled = false;
        }
      },
      { disabled: !as || !colleagues.length },
    );
    return [
      body(
        labelled("To", to, "Tests go to colleagues only."),
        el(
          "p",
          { class: "mle-help" },
          as
            ? `Written for ${as.name || as.email}, as the preview shows it.`
            : "Choose a contact in the preview first.",
        ),
        line,
      ),
      foot(send),
    ];
  });
}
