// <snippet-editor>: the blocks that mails share, written where mails are written. What differs from a mail: it has no
// subject, no looks and no stand-ins of its own, and publishing it asks which mails take it in.
import { el, icon } from "../blocks/dom.js";
import { EmailEditor } from "./email-editor.js";
import { button } from "./email-editor-dialogs.js";
import { field } from "./email-editor-inputs.js";
import { draftOf, languageItems, languageTabs, stateOf, wordsOf } from "./email-editor-locales.js";
import { ask } from "../blocks/server.js";
import { publish, showUses } from "./snippet-editor-acts.js";

const mapped = (object, change) =>
  Object.fromEntries(Object.entries(object ?? {}).map(([key, value]) => [key, change(value)]));

class SnippetEditor extends EmailEditor {
  settingsLabel = "Name and where it is used";
  saveSnippet = null; // a snippet holds no other
  hasStandIns = false; // each mail has its own
  uses = [];

  get storeKey() {
    return `snippet-draft:${this.page.id}`;
  }

  opened(draft) {
    const variants = mapped(draft.variants, (blocks) => ({ blocks: { blocks } }));
    return { ...stateOf({ blocks: { blocks: draft.blocks }, variants }), name: draft.name };
  }

  closed(state) {
    const { blocks, variants } = draftOf(state);
    return { name: state.name, blocks: blocks.blocks, variants: mapped(variants, (words) => words.blocks.blocks) };
  }

  // Drawn as a mail that says nothing else.
  drawn(state) {
    return { ...wordsOf(state), subject: state.name, kind: "transactional" };
  }

  // What is said of the mail around it is none of its business.
  answered({ problems, checks, ...answer }) {
    const own = Object.entries(problems ?? {}).filter(([path]) => path.startsWith("blocks"));
    super.answered({ ...answer, problems: Object.fromEntries(own), checks: checks.filter((one) => one.block) });
  }

  async learn() {
    const { variables, used_by: usedBy } = this.page.addresses;
    const [known, used] = await Promise.allSettled([ask(variables), ask(usedBy)]);
    this.variables = known.value?.results ?? [];
    this.uses = used.value?.results ?? [];
    this.drawAround();
  }

  envelope() {
    const name = field({
      name: "name", type: "text", label: "Name", at: ["name"], editor: this, value: this.state.name,
      set: (value) => {
        this.edit(["name"], value ?? "");
        this.querySelector("h1").textContent = value ?? "";
      },
    }); // prettier-ignore
    name.querySelector("[data-main]").maxLength = 200;
    const count = this.uses.length;
    const used = el(
      "p",
      { class: "mle-used" },
      icon("bookmark"),
      count
        ? button(`Used by ${count} mail${count === 1 ? "" : "s"}`, () => showUses(this), { class: "mle-link" })
        : "No mail uses it yet: once it is published, it stands among the blocks to add.",
    );
    return [name, used, languageTabs(this)].filter(Boolean);
  }

  acts() {
    return [
      ...languageItems(this),
      { label: "Where it is used", icon: "bookmark", act: () => showUses(this) },
    ];
  }

  shortcuts() {
    return [];
  }

  publish() {
    return publish(this);
  }
}

customElements.define("snippet-editor", SnippetEditor);
