// Speaks to Groundswell with the stock Node SDKs: node send.mjs segment|posthog HOST KEY [clock skew in ms]
import { setTimeout as sleep } from "node:timers/promises";

const [library, host, key, skew] = process.argv.slice(2);

if (skew) {
  const Real = Date;
  globalThis.Date = class extends Real {
    constructor(...given) {
      if (given.length === 0) super(Real.now() + Number(skew));
      else super(...given);
    }
    static now() {
      return Real.now() + Number(skew);
    }
  };
}

async function segment() {
  const { Analytics } = await import("@segment/analytics-node");
  const analytics = new Analytics({ writeKey: key, host, maxRetries: 5, flushAt: 5, flushInterval: 100 });
  analytics.on("error", (error) => console.error("segment:", error.code));
  analytics.track({ anonymousId: "visitor-1", event: "Looked", properties: { sku: "s1" } });
  analytics.identify({ userId: "u1", anonymousId: "visitor-1", traits: { email: "ada@example.com", plan: "pro" } });
  for (let number = 0; number < 12; number++) {
    analytics.track({ userId: "u1", event: `Clicked ${number}`, properties: { number } });
  }
  analytics.track({ userId: "u1", event: "Order Completed", properties: { total: 12.34, currency: "EUR" } });
  analytics.page({ userId: "u1", name: "Home", properties: { url: "https://shop.example/?utm_source=mail" } });
  analytics.group({ userId: "u1", groupId: "acme", traits: { size: 3 } });
  analytics.alias({ previousId: "legacy-7", userId: "u1" });
  analytics.track({ userId: "legacy-7", event: "Old name" });
  await analytics.closeAndFlush({ timeout: 20000 });
}

async function posthog() {
  const { PostHog } = await import("posthog-node");
  const client = new PostHog(key, { host, flushAt: 5, flushInterval: 100, fetchRetryCount: 5, fetchRetryDelay: 200 });
  client.on("error", (error) => console.error("posthog:", error.message));
  client.capture({
    distinctId: "visitor-1",
    event: "Looked",
    properties: { sku: "s1", $process_person_profile: false },
  });
  client.identify({ distinctId: "u1", properties: { $set: { email: "ada@example.com", plan: "pro" } } });
  for (let number = 0; number < 12; number++) {
    client.capture({ distinctId: "u1", event: `Clicked ${number}`, properties: { number } });
  }
  client.capture({ distinctId: "u1", event: "Order Completed", properties: { total: 12.34, currency: "EUR" } });
  client.groupIdentify({ groupType: "company", groupKey: "acme", properties: { size: 3 }, distinctId: "u1" });
  client.alias({ distinctId: "u1", alias: "legacy-7" });
  client.capture({ distinctId: "legacy-7", event: "Old name" });
  await sleep(50);
  await client.shutdown(20000);
}

await { segment, posthog }[library]();
