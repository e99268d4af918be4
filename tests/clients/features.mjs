// What GrowthBook's SDK shows with a payload of ours: reads {payload, units}, writes for each unit and feature
// [value, in the experiment, experiment key, arm key] as its tracking callback would tell us.
import { readFileSync } from "node:fs";
import { GrowthBook } from "@growthbook/growthbook";

const { payload, units } = JSON.parse(readFileSync(0, "utf8"));
const shown = units.map((id) => {
  const told = {};
  const client = new GrowthBook({
    attributes: { id },
    trackingCallback: (experiment, result) => (told[experiment.key] = result.key),
  }).initSync({ payload });
  return Object.fromEntries(
    Object.keys(payload.features).map((key) => [key, [client.evalFeature(key).value, told[key] ?? null]]),
  );
});
process.stdout.write(JSON.stringify(shown));
