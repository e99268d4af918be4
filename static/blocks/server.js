// What the editor asks of the server. Each answer is plain JSON; a refusal is thrown as a Refusal.

export class Refusal extends Error {
  constructor(status, said) {
    super(said.message ?? "The server did not answer as it should. Try again in a moment.");
    this.status = status;
    this.code = said.code ?? "";
    this.details = said.details ?? {};
  }
}

// The cookie first: signing in again, in another tab, makes another one.
const token = () =>
  /(?:^|;\s*)csrftoken=([^;]+)/.exec(document.cookie)?.[1] ??
  document.querySelector("[name=csrfmiddlewaretoken]")?.value ??
  "";

export async function ask(address, { method = "GET", body, signal, keepalive } = {}) {
  const isForm = body instanceof FormData;
  const answer = await fetch(address, {
    method,
    signal,
    keepalive,
    body: body === undefined ? undefined : isForm ? body : JSON.stringify(body),
    headers: {
      Accept: "application/json",
      ...(method === "GET" ? {} : { "X-CSRFToken": token() }),
      ...(body === undefined || isForm ? {} : { "Content-Type": "application/json" }),
    },
  });
  const said = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refusal(answer.status, said);
  return said;
}

export const post = (address, body, more = {}) => ask(address, { method: "POST", body, ...more });
