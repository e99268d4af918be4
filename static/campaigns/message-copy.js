// The copy assistant beside the text of a message (SMS, WhatsApp, push, in-app).
import { suggestButton } from "./email-editor-copy.js";

const told = document.getElementById("message-copy");
const box = document.querySelector("#id_body, #id_text");

if (told && box) {
  const { id, channel, parts, segments, addresses } = JSON.parse(told.textContent);
  const status = document.createElement("p");
  status.setAttribute("role", "status");
  status.className = "mle-help";
  const page = {
    segments,
    page: { addresses },
    // What stands in the form now, saved or not.
    said: () => ({
      ...(id ? { template_id: id } : {}),
      channel,
      says: Object.fromEntries(parts.map((name) => [name, document.getElementById(`id_${name}`)?.value ?? ""])),
    }),
    take(text) {
      box.value = text;
      box.dispatchEvent(new Event("input", { bubbles: true }));
      box.focus();
      status.textContent = "Taken; save to keep it.";
    },
  };
  box.after(suggestButton(page, "text"), status);
}
