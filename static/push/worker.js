/* Shows push messages of Groundswell. A site imports it into a service worker of its own (docs/push-and-in-app.md). */
self.addEventListener("push", (event) => {
  let said;
  try {
    said = event.data.json();
  } catch {
    return; // not one of ours
  }
  if (typeof said.title !== "string") return;
  const { title, body, icon, image, tag, url } = said;
  // The tag is the same for every try, so a message that comes twice is shown once.
  event.waitUntil(self.registration.showNotification(title, { body, icon, image, tag, data: { url } }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const url = event.notification.data && event.notification.data.url;
  if (url && /^https?:/i.test(url)) event.waitUntil(self.clients.openWindow(url));
});
