/* Push and in-app messages in a browser: an ES module without dependencies (docs/push-and-in-app.md).
   `server` is where Groundswell runs, `token` a contact token that your own server asked for. */

async function call(server, token, method, path, body) {
  const answer = await fetch(`${server}/api/v1/${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${(await answer.text()).slice(0, 300)}`);
  return answer.status === 204 ? null : answer.json();
}

const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/").padEnd(Math.ceil(text.length / 4) * 4, "=")), (letter) =>
    letter.charCodeAt(0),
  );

/* Ask for the permission and register this browser. Call it from a click; resolves to false when the person says no. */
export async function subscribe({ server, token, worker = "/push-worker.js", agreed = false, wording = "" }) {
  if ((await Notification.requestPermission()) !== "granted") return false;
  const registration = await navigator.serviceWorker.register(worker);
  await navigator.serviceWorker.ready;
  const { public_key: key } = await call(server, token, "GET", "push-key/");
  const subscription =
    (await registration.pushManager.getSubscription()) ||
    (await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) }));
  const { endpoint, keys } = subscription.toJSON();
  const platform = (navigator.userAgentData && navigator.userAgentData.platform) || "";
  await call(server, token, "POST", "devices/", { kind: "web_push", token: endpoint, keys, platform, agreed, wording });
  return true;
}

/* No more push messages in this browser. */
export async function unsubscribe({ server, token }) {
  const registration = await navigator.serviceWorker.getRegistration();
  const subscription = registration && (await registration.pushManager.getSubscription());
  if (!subscription) return;
  await call(server, token, "DELETE", "devices/", { kind: "web_push", token: subscription.endpoint });
  await subscription.unsubscribe();
}

/* The contact's inbox: `list({placement, unread})`, `unread()`, `read(id)`, `click(id)`, `dismiss(id)`, `readAll()`. */
export function inbox({ server, token }) {
  const mark = (what) => (id) => call(server, token, "POST", `inbox/${id}/${what}/`);
  return {
    list: async (filter = {}) => (await call(server, token, "GET", `inbox/?${new URLSearchParams(filter)}`)).results,
    unread: async () => (await call(server, token, "GET", "inbox/unread/")).unread,
    readAll: () => call(server, token, "POST", "inbox/read-all/"),
    read: mark("read"),
    click: mark("click"),
    dismiss: mark("dismiss"),
  };
}
