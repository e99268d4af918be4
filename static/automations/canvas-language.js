// The catalogue as the server tells it: kinds of triggers and steps, their fields and branches. No kind is named
// here, so that one the server learns appears by itself; only its picture is chosen here.
import { walk } from "./canvas-moves.js";

const ICONS = {
  send_email: "mail", send_message: "outgoing_mail", send_push: "notifications", wait: "schedule", wait_until: "hourglass_top",
  wait_for_time: "alarm", wait_for_date: "event", branch: "call_split", branch_many: "alt_route", random_split: "shuffle", experiment: "science", repeat: "repeat",
  add_tag: "label", remove_tag: "label_off", update_status: "flag", update_priority: "priority_high",
  update_attribute: "edit_attributes", assign: "person_add", create_task: "task_alt", notify: "campaign",
  exit: "logout", emit_event: "bolt", start_automation: "play_circle", update_value: "payments",
  add_to_segment: "group_add", remove_from_segment: "group_remove", send_sms: "sms", send_whatsapp: "chat",
  send_in_app: "smartphone", send_webhook: "webhook", send_slack: "tag",
  give_offer: "redeem", give_points: "loyalty", give_reward: "card_giftcard", next_best_action: "psychology",
}; // prettier-ignore
const OF_TYPES = { template: "outgoing_mail", rule: "call_split", span: "schedule", tag: "label", member: "person", members: "group", event: "bolt", segment: "groups" }; // prettier-ignore

export class Language {
  constructor(catalogue) {
    this.triggers = new Map(catalogue.triggers.map((kind) => [kind.type, kind]));
    this.steps = new Map(catalogue.steps.map((kind) => [kind.type, kind]));
    this.entryRules = catalogue.entry_rules;
    this.policies = catalogue.error_policies ?? [];
  }

  label(step) {
    return this.steps.get(step.action_type)?.label ?? step.action_type;
  }

  icon(type) {
    if (ICONS[type]) return ICONS[type];
    const field = this.steps.get(type)?.fields.find((one) => OF_TYPES[one.type]);
    return field ? OF_TYPES[field.type] : "bolt";
  }

  // Kinds by group, in the server's order: [{label, kinds}].
  groups(kinds = this.steps) {
    const groups = new Map();
    for (const kind of kinds.values()) {
      const group = kind.group || "Other";
      groups.set(group, [...(groups.get(group) ?? []), kind]);
    }
    return [...groups].map(([label, found]) => ({ label, kinds: found }));
  }

  // The names of a step's branches as its configuration has them now; null where nobody can say yet.
  branchNames(step) {
    const told = this.steps.get(step.action_type)?.branches;
    if (!told) return null;
    if (told.kind !== "named") return told.names;
    const value = step.configuration?.[told.from];
    if (Array.isArray(value)) return [...value.map((way) => way?.name).filter(Boolean), ...told.names];
    const field = this.steps.get(step.action_type).fields.find(({ name }) => name === told.from);
    const chosen = field?.choices?.find((choice) => choice.value === value);
    return chosen?.branches ? [...chosen.branches, ...told.names] : null;
  }

  branchLabel(step, name) {
    return this.steps.get(step.action_type)?.branches.labels?.[name] ?? name;
  }

  // The step with a list for each of its branches. Steps in a branch that it has no more are never thrown away.
  fitted(step) {
    const names = this.branchNames(step);
    if (names === null) return step;
    const before = step.branches ?? {};
    const kept = Object.entries(before).filter(([name, steps]) => names.includes(name) || steps.length);
    const missing = names.filter((name) => !(name in before)).map((name) => [name, []]);
    const known = new Map([...kept, ...missing]);
    const order = [...names, ...[...known.keys()].filter((name) => !names.includes(name))];
    const { branches: _, ...rest } = step;
    return known.size ? { ...rest, branches: Object.fromEntries(order.map((name) => [name, known.get(name)])) } : rest;
  }

  // A new step with what its kind proposes: choices at hand, and ways to begin with.
  blank(type, taken) {
    const kind = this.steps.get(type);
    const configuration = {};
    if (kind.branches.kind === "named") {
      const field = kind.fields.find(({ name }) => name === kind.branches.from);
      const example = kind.example?.[field?.name];
      if (Array.isArray(example)) configuration[field.name] = example.map((way) => plainWay(way, field.fields));
    }
    return this.fitted({ id: freeId(type, taken), action_type: type, is_active: true, configuration });
  }
}

// An example's way without its rule: whom it is for is what somebody has to say.
function plainWay(way, fields) {
  const rules = fields.filter(({ type }) => type === "rule").map(({ name }) => name);
  return Object.fromEntries(Object.entries(way).filter(([name]) => !rules.includes(name)));
}

// `send_email_2`: names a step for ever, so that people inside find it again in the next version.
export function freeId(type, taken) {
  for (let serial = 1; ; serial += 1) {
    const id = `${type.slice(0, 50)}_${serial}`;
    if (!taken.has(id)) {
      taken.add(id);
      return id;
    }
  }
}

// A copy of a step, and of all in it, under names of their own.
export function renamed(step, taken) {
  const branches = Object.entries(step.branches ?? {});
  return {
    ...structuredClone(step),
    id: freeId(step.action_type, taken),
    ...(branches.length
      ? { branches: Object.fromEntries(branches.map(([name, list]) => [name, list.map((one) => renamed(one, taken))])) }
      : {}),
  };
}

// The flow as the canvas keeps it: every step has a name, and a list for each of its branches, in their order.
export function opened(flow, language) {
  const taken = new Set();
  walk(flow.actions ?? [], (step) => step.id && taken.add(step.id));
  const each = (steps) =>
    steps.map(({ action_order: _, ...step }) => {
      const { branches, ...own } = language.fitted(step);
      const named = { ...own, id: own.id ?? freeId(own.action_type ?? "step", taken), configuration: own.configuration ?? {} };
      if (!branches) return named;
      return { ...named, branches: Object.fromEntries(Object.entries(branches).map(([name, list]) => [name, each(list)])) };
    });
  return { ...flow, actions: each(flow.actions ?? []) };
}
