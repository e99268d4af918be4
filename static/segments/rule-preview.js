// About how many a rule finds, who for example, and its sentence: asked while people type, never in their way.
import { count, el, icon } from "../blocks/dom.js";

const PAUSE_MS = 250;
const REST_MS = 1200;

export class Preview {
  // `page` = {addresses: {preview, people}, exact_up_to}; `answered(answer)` is told of each answer that still counts.
  constructor(host, page, answered, say) {
    this.host = host;
    this.addresses = page.addresses;
    this.exactUpTo = page.exact_up_to;
    this.answered = answered;
    this.say = say;
    this.host.append(
      (this.size = el("div", { class: "rb-size" })),
      (this.words = el("p", { class: "rb-sentence" })),
      (this.people = el("div", { class: "rb-people" })),
    );
    // Where the panel is below the rule, its number stays in sight.
    this.brief = el("button", {
      type: "button",
      class: "rb-brief",
      onclick: () => this.host.scrollIntoView({ block: "center" }),
    });
  }

  ask(rule, { isExact = false, isNow = false } = {}) {
    this.#stop();
    this.host.classList.add("rb-side--busy");
    this.waiting = setTimeout(() => this.#fetch(rule, isExact), isNow ? 0 : PAUSE_MS);
  }

  rest(words) {
    this.#stop();
    this.running?.abort();
    this.host.classList.remove("rb-side--busy");
    this.size.replaceChildren(el("p", { class: "rb-quiet" }, words));
    this.words.textContent = "";
    this.brief.textContent = "";
    this.people.replaceChildren();
  }

  #stop() {
    clearTimeout(this.waiting);
    clearTimeout(this.resting);
  }

  // Where counting everybody is cheap, the exact number follows by itself.
  #settle(rule, { estimate }) {
    if (!estimate || estimate.is_exact || estimate.population > this.exactUpTo) return;
    this.resting = setTimeout(async () => {
      const running = this.running;
      const answer = await post(this.addresses.preview, { rule, exact: true }, running.signal).catch(() => null);
      if (answer && !running.signal.aborted) this.#show(answer, rule);
    }, REST_MS);
  }

  async #fetch(rule, isExact) {
    this.running?.abort();
    const running = (this.running = new AbortController());
    try {
      const answer = await post(this.addresses.preview, isExact ? { rule, exact: true } : { rule }, running.signal);
      if (running.signal.aborted) return;
      this.answered(answer);
      this.#show(answer, rule);
    } catch (error) {
      if (running.signal.aborted) return;
      this.#fail(error.message, rule);
    }
    this.host.classList.remove("rb-side--busy");
  }

  #show(answer, rule) {
    if (Object.keys(answer.problems).length) return;
    this.words.textContent = answer.sentence ? `${answer.sentence}.` : "";
    this.size.replaceChildren(...(answer.estimate ? this.#estimate(answer.estimate, rule) : this.#slow(rule)));
    this.people.replaceChildren(...this.#sample(answer));
    this.#settle(rule, answer);
  }

  // The rule is not whole: what is shown stays, and says that it is of before.
  unfinished(words) {
    this.host.classList.remove("rb-side--busy");
    const hasNumber = Boolean(this.size.querySelector(".rb-number"));
    const kept = hasNumber ? [...this.size.children].filter((child) => !child.matches(".rb-unfinished")) : [];
    const line = el(
      "p",
      { class: "rb-unfinished" },
      icon("edit_note"),
      hasNumber ? `${words}; these numbers are from before.` : `${words}.`,
    );
    this.size.replaceChildren(line, ...kept);
  }

  #estimate(estimate, rule) {
    const { size, low, high, population, is_exact: isExact } = estimate;
    const share = (number) => (population ? (100 * number) / population : 0);
    const isNone = !isExact && !size;
    const headline = isNone
      ? `Fewer than ${count(Math.max(1, high))}`
      : isExact
        ? count(size)
        : `About ${count(rounded(size, high - low))}`;
    const people = size === 1 && isExact ? "person" : "people";
    const band = el("div", { class: "rb-band", "aria-hidden": "true" }, el("i"), el("b"));
    band.style.setProperty("--low", `${share(low)}%`);
    band.style.setProperty("--high", `${share(high)}%`);
    band.style.setProperty("--at", `${share(size)}%`);
    const range =
      isExact || isNone
        ? ""
        : `${count(rounded(low, high - low, Math.floor))} to ${count(rounded(high, high - low, Math.ceil))} · `;
    this.say(`${headline} ${people}`);
    this.brief.textContent = `${headline} ${people}`;
    return [
      el("p", { class: "rb-number" }, el("strong", {}, headline), ` ${people}`),
      band,
      el(
        "p",
        { class: "rb-quiet" },
        `${range}${percent(share(size), isNone ? share(high) : 0)} of ${count(population)}`,
      ),
      isExact
        ? el("p", { class: "rb-quiet rb-exact" }, icon("check_circle"), "counted exactly")
        : this.#counter(rule),
    ];
  }

  #counter(rule) {
    return el(
      "button",
      {
        type: "button",
        class: "gs-button gs-button--quiet rb-count",
        onclick: (event) => {
          event.currentTarget.disabled = true;
          event.currentTarget.textContent = "Counting everybody …";
          this.ask(rule, { isExact: true, isNow: true });
        },
      },
      "Count exactly",
    );
  }

  #slow(rule) {
    return [
      el("p", { class: "rb-quiet" }, "This rule takes too long to estimate while you type."),
      this.#counter(rule),
    ];
  }

  #sample({ sample, estimate }) {
    if (!sample.length) {
      const words = estimate && estimate.size === 0 && estimate.is_exact ? "Nobody fits this rule now." : "";
      return words ? [el("p", { class: "rb-quiet" }, words)] : [];
    }
    const people = sample.map((person) =>
      el(
        "li",
        {},
        el(
          "a",
          // In a tab of its own: whoever looks at somebody goes on with the rule afterwards.
          { href: this.addresses.people.replace("/0/", `/${person.id}/`), target: "_blank", rel: "noopener" },
          person.name || person.email || `Contact ${person.id}`,
          el("span", { class: "gs-hidden" }, " (new tab)"),
        ),
        person.name && person.email ? el("small", {}, person.email) : null,
      ),
    );
    return [el("h3", {}, "For example"), el("ul", {}, people)];
  }

  #fail(words, rule) {
    this.size.replaceChildren(
      el("p", { class: "rb-problem" }, icon("error"), el("span", {}, words || "The size could not be asked for.")),
      el(
        "button",
        { type: "button", class: "gs-button gs-button--quiet", onclick: () => this.ask(rule, { isNow: true }) },
        "Try again",
      ),
    );
  }
}

export async function post(address, body, signal) {
  const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? "";
  const answer = await fetch(address, {
    method: "POST",
    signal,
    body: JSON.stringify(body),
    headers: { "Content-Type": "application/json", "X-CSRFToken": token },
  });
  return reply(answer);
}

async function reply(answer) {
  const said = await answer.json().catch(() => ({}));
  if (answer.ok) return said;
  throw new Error(said.message ?? "The server did not answer as it should. Try again in a moment.");
}

// Values that really occur, kept for the page; a newer question takes the place of an older one.
export class Suggestions {
  constructor(address) {
    this.address = address;
    this.kept = new Map();
  }

  async ask(about, starts) {
    const query = new URLSearchParams({ ...about, starts });
    const key = query.toString();
    if (this.kept.has(key)) return this.kept.get(key);
    this.running?.abort();
    const running = (this.running = new AbortController());
    await new Promise((resolve) => setTimeout(resolve, starts ? 150 : 0));
    if (running.signal.aborted) return null;
    try {
      const { results } = await reply(await fetch(`${this.address}?${query}`, { signal: running.signal }));
      this.kept.set(key, results);
      return results;
    } catch {
      return null; // suggestions help; without them people type
    }
  }
}

// No more digits than the error leaves meaning in.
function rounded(size, width, round = Math.round) {
  const step = 10 ** Math.floor(Math.log10(Math.max(1, width / 2)));
  return round(size / step) * step;
}

function percent(share, below) {
  if (below) return `less than ${below < 0.1 ? below.toFixed(2) : below.toFixed(1)} %`;
  return `${share > 0 && share < 10 ? share.toFixed(1) : Math.round(share)} %`;
}
